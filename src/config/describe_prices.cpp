// The tables of prices: every key of a row, its bounds and its meaning. Amounts are read as digits and never become a
// floating-point number.
#include "tollgate/base/instant.hpp"

#include "config/document.hpp"
#include "config/price_entries.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace tollgate::config {

using policy::PriceRow;
using policy::PriceTier;
using policy::Rates;
using protocol::ServiceTier;

namespace {

constexpr std::size_t longest_source = 256;

/// US dollars, kept as `scale` times their nano-dollars. Zero is shown only where `shows_zero`.
Scalar dollars(std::int64_t& value, std::int64_t scale, bool shows_zero) {
  return {{{"type", "number"}, {"minimum", 0}},
          [&value, scale](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto amount = parse_money(text);
            if (!amount) return Problem{"expected US dollars with at most nine places", "write it like 2.50"};
            if (amount->nanos > policy::most_rate) return Problem{"the value must be at most 1000000"};
            value = amount->nanos * scale;
            return std::nullopt;
          },
          [&value, scale, shows_zero] {
            return value == 0 && !shows_zero ? Json() : Json(MoneyText(Money{value / scale}).text());
          }};
}

Scalar rate(std::optional<std::int64_t>& value) {
  return optional_of(value, [](std::int64_t& inside) { return dollars(inside, 1, true); });
}

/// A percentage of the price, kept as its factor in millionths; `off`: what is taken away from it.
Scalar millionths(std::int64_t& value, std::int64_t most, bool off) {
  const auto other = [off](std::int64_t share) { return off ? policy::whole_factor - share : share; };
  return {{{"type", "string"}, {"pattern", "^[0-9]+([.][0-9]{1,4})?%$"}},
          [&value, most, other](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto share = parse_millionths(text);
            if (!share) return share.error();
            if (*share > most) return Problem{"the value must be from 0% to " + show_millionths(most)};
            value = other(*share);
            return std::nullopt;
          },
          [&value, other] { return value == policy::whole_factor ? Json() : Json(show_millionths(other(value))); }};
}

void describe_rates(Keys& keys, Rates& rates) {
  keys.key("input", "USD per million tokens of the prompt", rate(rates.input));
  keys.key("cached_input", "those of them that the provider had cached; default: as input", rate(rates.cached_input));
  keys.key("cache_write", "those that it put there for 5 or 30 minutes; default: as input", rate(rates.cache_write));
  keys.key("cache_write_long", "for 1 or 12 hours; default: as cache_write", rate(rates.cache_write_long));
  keys.key("audio_input", "those that are sound; default: as input", rate(rates.audio_input));
  keys.key("image_input", "those that are pictures; default: as input", rate(rates.image_input));
  keys.key("output", "USD per million tokens of the answer", rate(rates.output));
  keys.key("reasoning", "those of them that are reasoning; default: as output", rate(rates.reasoning));
  keys.key("audio_output", "those that are sound; default: as output", rate(rates.audio_output));
  keys.key("image_output", "those that are pictures; default: as output", rate(rates.image_output));
}

Scalar threshold(PriceTier& tier, bool inclusive) {
  Scalar scalar = count(tier.threshold, {1, 1'000'000'000});
  scalar.read = [&tier, inclusive, read = scalar.read](const std::string& text, const Place& place) {
    tier.inclusive = inclusive;
    return read(text, place);
  };
  scalar.show = [&tier, inclusive] { return tier.inclusive == inclusive ? Json(tier.threshold) : Json(); };
  return scalar;
}

struct TierTable {
  PriceTier& tier;
};
void describe(Keys& keys, const TierTable& table) {
  PriceTier& tier = table.tier;
  keys.key("above", "for prompts of more than so many tokens, cached ones too", threshold(tier, false));
  keys.key("from", "for prompts of at least so many", threshold(tier, true));
  keys.key("marginal", "only the tokens above it cost this, instead of the whole request", flag(tier.marginal));
  describe_rates(keys, tier.rates);
  if (keys.given("above") == keys.given("from"))
    keys.fault("from",
               {"a tier has either above or from", "above: 200000 begins with 200001, from: 200000 with itself"});
  if (tier.rates == Rates{}) keys.fault("input", {"a tier needs a rate of its own"});
  const bool has_output =
      tier.rates.output || tier.rates.reasoning || tier.rates.audio_output || tier.rates.image_output;
  if (tier.marginal && has_output)
    keys.fault("marginal", {"a marginal tier is about the prompt only, and has no rate for output"});
}

struct ServiceTable {
  policy::ServiceFactors& factors;
};
void describe(Keys& keys, const ServiceTable& table) {
  const auto factor = [&table](ServiceTier tier) {
    return millionths(table.factors[static_cast<std::size_t>(tier)], policy::most_service_factor, false);
  };
  keys.key("batch", "of a batch", factor(ServiceTier::batch));
  keys.key("flex", "of the slow tier", factor(ServiceTier::flex));
  keys.key("priority", "of the preferred tier", factor(ServiceTier::priority));
  keys.key("fast", "of the fast mode", factor(ServiceTier::fast));
}

struct ValidTable {
  PriceRow& row;
};
void describe(Keys& keys, const ValidTable& table) {
  keys.key("from", "first moment; a date is its midnight in UTC; default: ever", instant(table.row.from));
  keys.key("until", "first moment after it; default: for good", instant(table.row.until));
  if (table.row.from && table.row.until && *table.row.from >= *table.row.until)
    keys.fault("until", {"until must be after from"});
}

bool reaches_further(const PriceTier& tier, const PriceTier& before) {
  const auto first = [](const PriceTier& each) { return each.threshold + (each.inclusive ? 0 : 1); };
  return first(tier) > first(before);
}

void check_tiers(Keys& keys, const PriceRow& row) {
  for (std::size_t i = 1; i < row.tiers.size(); ++i) {
    if (row.tiers[i].marginal != row.tiers[0].marginal)
      return keys.fault("tiers", {"either all tiers are marginal or none is"});
    if (!reaches_further(row.tiers[i], row.tiers[i - 1]))
      return keys.fault("tiers", {"each tier must begin above the one before it"});
  }
}

/// A price that says too little must not pass for one that costs nothing.
void check_whole(Keys& keys, const PriceRow& row) {
  const bool has_rates = row.rates != Rates{} || !row.tiers.empty() || row.per_call > 0 || row.per_search > 0;
  if (row.free) {
    if (has_rates) keys.fault("free", {"what is free has no rates"});
    return;
  }
  // One that is there and not readable has its fault already.
  const bool input = row.rates.input || keys.given("input"), output = row.rates.output || keys.given("output");
  if ((input && output) || (!input && !output && row.per_call > 0)) return;
  keys.fault(input ? "output" : "input",
             {"a price needs input and output, or per_call, or free: true", "write 0 for what costs nothing"});
}

std::optional<Problem> check_source(std::string_view source) {
  if (source.empty() || source.size() > longest_source) return Problem{"a source is 1 to 256 bytes of text"};
  return std::nullopt;
}

void describe_row(Keys& keys, PriceRow& row, Need source) {
  keys.key("source", "where the price was read, and when", text(row.source, check_source), source);
  keys.key(
      "valid", "when it holds; among rows that do, the one that began last counts",
      Block{[&row](Keys& inside) { describe(inside, ValidTable{row}); }, [&row] { return row.from || row.until; }});
  keys.key("free", "it costs nothing, and that is known", flag(row.free));
  describe_rates(keys, row.rates);
  keys.key("tiers", "other rates for longer prompts, the shortest first", list_of(row.tiers, [](PriceTier& tier) {
             return Block{[&tier](Keys& inside) { describe(inside, TierTable{tier}); }};
           }));
  keys.key("per_call", "USD for each call", dollars(row.per_call, 1, false));
  keys.key("per_1000_searches", "USD for 1000 of the provider's own searches", dollars(row.per_search, 1000, false));
  keys.key("service_tiers", "what part of the price it is, by the class of service that the provider has given",
           Block{[&row](Keys& inside) { describe(inside, ServiceTable{row.service_tiers}); },
                 [&row] { return row.service_tiers != PriceRow().service_tiers; }});
  keys.key("discount", "off everything", millionths(row.factor, policy::whole_factor, true));
  check_tiers(keys, row);
  check_whole(keys, row);
}

Scalar alias(PriceAlias& name) {
  return {{{"type", "string"}, {"pattern", name_pattern(Star::allowed_last)}},
          [&name](const std::string& text, const Place& place) {
            auto problem = check_name(text, Star::allowed_last);
            name = {text, place.spot};
            return problem;
          },
          [&name] { return Json(name.name); }};
}

std::string row_id(const std::string& provider, const std::string& model, const PriceRow& row) {
  std::string id = provider + "/" + model;
  if (!row.from) return id;
  const std::string begin = show_instant(*row.from);
  constexpr std::string_view midnight = "T00:00:00Z";
  return id + "@" + (begin.ends_with(midnight) ? begin.substr(0, begin.size() - midnight.size()) : begin);
}

std::string place_of(const Spot& spot) {
  return spot.file + ":" + std::to_string(spot.line) + ":" + std::to_string(spot.column);
}

/// Each name of a provider once, whether it is a model's own or a further one.
void check_names(const PriceList& list, Report& report) {
  std::map<std::string_view, const Spot*> seen;
  for (const PriceEntry& entry : list.models) seen.emplace(entry.model, &entry.spot);
  for (const PriceEntry& entry : list.models) {
    for (const PriceAlias& name : entry.names) {
      const auto [known, added] = seen.emplace(name.name, &name.spot);
      if (!added) report.fault(name.spot, {"this name already has a price at " + place_of(*known->second)});
    }
  }
}

void check_begins(const PriceEntry& entry, Report& report) {
  for (std::size_t i = 1; i < entry.rows.size(); ++i) {
    const auto same = [&](const PriceRow& other) { return other.from == entry.rows[i].from; };
    if (std::any_of(entry.rows.begin(), entry.rows.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      report.fault(entry.spot, {"two rows begin at the same time", "give one of them another valid: {from: ...}"});
      return;
    }
  }
}

}  // namespace

// Not in the unnamed namespace: entries_of() and block_of() find them by their arguments.
void describe(Keys& keys, PriceRow& row) { describe_row(keys, row, Need::optional); }

static void describe(Keys& keys, PriceEntry& entry) {
  keys.key("names", "further names of the same model; a \"*\" at the end stands for any rest",
           list_of(entry.names, alias));
  if (!keys.given("rows")) return describe_row(keys, entry.single, Need::required);
  const auto row_block = [](PriceRow& row) {
    return Block{[&row](Keys& inside) { describe_row(inside, row, Need::required); }};
  };
  keys.key("rows", "the long form: a row for each time", list_of(entry.rows, row_block, 1));
  keys.refuse({"source", "valid", "free", "input", "cached_input", "cache_write", "cache_write_long", "output", "tiers",
               "service_tiers", "discount", "per_call", "per_1000_searches"},
              "a model has either rows or the keys of one, not both");
}

static void describe(Keys& keys, PriceFile& file) {
  keys.key("version", "of this file's form", count(file.version, {1, 1}), Need::required);
  keys.key("providers", "models by the provider that takes the price",
           Dictionary{name_pattern(Star::refused),
                      [&file](const std::string& name, const Spot& spot) -> Parsed<Value> {
                        if (auto problem = check_name(name, Star::refused)) return *problem;
                        PriceList& list = file.lists.emplace_back(PriceList{name, {}, spot});
                        return Value(entries_of(list.models, Star::allowed_last,
                                                [](PriceEntry& entry) -> std::string& { return entry.model; }));
                      },
                      [] { return std::vector<std::pair<std::string, Value>>(); }},
           Need::required);
  keys.ignore("x-");
}

Block price_file_of(PriceFile& file) {
  return {[&file](Keys& keys) { describe(keys, file); }};
}

void check_prices(const PriceFile& file, Report& report) {
  for (const PriceList& list : file.lists) {
    check_names(list, report);
    for (const PriceEntry& entry : list.models) check_begins(entry, report);
  }
}

void fill(policy::PriceBook& book, PriceFile file) {
  for (PriceList& list : file.lists) {
    for (PriceEntry& entry : list.models) {
      if (entry.rows.empty()) entry.rows.push_back(std::move(entry.single));
      for (PriceRow& row : entry.rows) row.id = row_id(list.provider, entry.model, row);
      const policy::Price price(std::move(entry.rows));
      for (const PriceAlias& name : entry.names) book.add(list.provider, name.name, price);
      book.add(list.provider, entry.model, price);
    }
  }
}

}  // namespace tollgate::config
