#include "tollgate/policy/price_book.hpp"
// The arithmetic of prices. Everything is added up in millionths of a nano-dollar and divided once; a million tokens at
// a dollar and one token at a billionth of it come out exact alike.

#include <algorithm>
#include <utility>

namespace tollgate::policy {

using protocol::Usage;

namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr std::uint64_t per_million = 1'000'000;
constexpr std::uint64_t most_count = ~std::uint64_t{0};
/// A sum above this is past most_per_attempt whatever the factors of a list are; below it no product of theirs
/// overflows.
constexpr Wide most_sum = Wide{1} << 80;

std::uint64_t rate_of(const std::optional<std::int64_t>& own, std::uint64_t otherwise) {
  return own ? static_cast<std::uint64_t>(*own) : otherwise;
}
std::uint64_t rate_of(const std::optional<std::int64_t>& own) { return rate_of(own, 0); }

Wide product(std::uint64_t rate, std::uint64_t count) { return Wide{rate} * count; }

/// What remains of a whole: nothing, where its parts are more.
std::uint64_t without(std::uint64_t whole, std::uint64_t part) { return whole - std::min(whole, part); }

/// Most classes do not occur in most calls, and a look at their counts is cheaper than their products.
Wide prompt_sum(const Rates& rates, const Usage& usage) {
  const std::uint64_t input = rate_of(rates.input);
  std::uint64_t rest = without(usage.input, usage.cached_input);
  Wide sum = 0;
  if (usage.cached_input > 0) sum = product(rate_of(rates.cached_input, input), usage.cached_input);
  if ((usage.cache_write | usage.cache_write_long | usage.audio_input | usage.image_input) > 0) {
    rest = without(without(rest, usage.cache_write), usage.cache_write_long);
    rest = without(without(rest, usage.audio_input), usage.image_input);
    const std::uint64_t written = rate_of(rates.cache_write, input);
    sum += product(written, usage.cache_write);
    sum += product(rate_of(rates.cache_write_long, written), usage.cache_write_long);
    sum += product(rate_of(rates.audio_input, input), usage.audio_input);
    sum += product(rate_of(rates.image_input, input), usage.image_input);
  }
  return sum + product(input, rest);
}

Wide output_sum(const Rates& rates, const Usage& usage) {
  const std::uint64_t output = rate_of(rates.output);
  std::uint64_t rest = without(usage.output, usage.reasoning);
  Wide sum = 0;
  if (usage.reasoning > 0) sum = product(rate_of(rates.reasoning, output), usage.reasoning);
  if ((usage.audio_output | usage.image_output) > 0) {
    rest = without(without(rest, usage.audio_output), usage.image_output);
    sum += product(rate_of(rates.audio_output, output), usage.audio_output);
    sum += product(rate_of(rates.image_output, output), usage.image_output);
  }
  return sum + product(output, rest);
}

/// The tokens of a prompt, those that are in no class too.
Wide size_of(const Usage& usage) {
  const Wide parts =
      Wide{usage.cached_input} + usage.cache_write + usage.cache_write_long + usage.audio_input + usage.image_input;
  return std::max(parts, Wide{usage.input});
}

/// What is left of a prompt of which pieces are taken from its beginning, in the order of PriceTier.
class Pieces {
 public:
  explicit Pieces(const Usage& usage) : left_(usage), size_(size_of(usage)) {}

  Usage first(Wide count) {
    Usage piece;
    Wide taken = std::min(count, size_);
    size_ -= taken;
    piece.input = static_cast<std::uint64_t>(std::min(taken, Wide{most_count}));
    for (std::uint64_t Usage::*part : {&Usage::cached_input, &Usage::cache_write_long, &Usage::cache_write,
                                       &Usage::audio_input, &Usage::image_input}) {
      piece.*part = static_cast<std::uint64_t>(std::min(taken, Wide{left_.*part}));
      left_.*part -= piece.*part;
      taken -= piece.*part;
    }
    return piece;
  }
  Usage rest() { return first(size_); }

 private:
  Usage left_;
  Wide size_;
};

/// A tier's rates, whole: what it leaves open is the row's.
Rates over(const Rates& tier, const Rates& row) {
  const auto pick = [](const auto& own, const auto& other) { return own ? own : other; };
  return {pick(tier.input, row.input),
          pick(tier.cached_input, row.cached_input),
          pick(tier.cache_write, row.cache_write),
          pick(tier.cache_write_long, row.cache_write_long),
          pick(tier.audio_input, row.audio_input),
          pick(tier.image_input, row.image_input),
          pick(tier.output, row.output),
          pick(tier.reasoning, row.reasoning),
          pick(tier.audio_output, row.audio_output),
          pick(tier.image_output, row.image_output)};
}

/// The longest prompt that a tier does not reach.
std::uint64_t below(const PriceTier& tier) {
  return tier.inclusive && tier.threshold > 0 ? tier.threshold - 1 : tier.threshold;
}

bool is_marginal(const PriceRow& row) { return row.tiers.front().marginal; }

Wide marginal_sum(const PriceRow& row, const Usage& usage) {
  Pieces pieces(usage);
  Wide sum = output_sum(row.rates, usage);
  std::uint64_t done = 0;
  Rates rates = row.rates;
  for (const PriceTier& tier : row.tiers) {
    sum += prompt_sum(rates, pieces.first(below(tier) - done));
    done = below(tier);
    rates = over(tier.rates, row.rates);
  }
  return sum + prompt_sum(rates, pieces.rest());
}

Wide tiered_sum(const PriceRow& row, const Usage& usage) {
  if (is_marginal(row)) return marginal_sum(row, usage);
  const PriceTier* reached = nullptr;
  for (const PriceTier& tier : row.tiers) {
    if (size_of(usage) > below(tier)) reached = &tier;
  }
  const Rates rates = reached == nullptr ? row.rates : over(reached->rates, row.rates);
  return prompt_sum(rates, usage) + output_sum(rates, usage);
}

/// `sum` with the factor of its service tier, and the discount over it and the searches. One rounding.
Money rounded(const PriceRow& row, Wide sum, std::int64_t service_factor, std::uint64_t searches) {
  const Wide apart = product(static_cast<std::uint64_t>(row.per_search), searches);
  Wide nanos = 0;
  if (service_factor == whole_factor && row.factor == whole_factor) {
    const Wide whole = sum + apart + per_million / 2;
    // Nearly always: and then the division by a constant is a multiplication.
    nanos = (whole >> 64) == 0 ? static_cast<std::uint64_t>(whole) / per_million : whole / per_million;
  } else {
    if (sum > most_sum || apart > most_sum) return most_per_attempt;
    constexpr Wide divisor = Wide{per_million} * per_million * per_million;
    const Wide factored = sum * static_cast<std::uint64_t>(service_factor) + apart * per_million;
    nanos = (factored * static_cast<std::uint64_t>(row.factor) + divisor / 2) / divisor;
  }
  const auto most = static_cast<std::uint64_t>(most_per_attempt.nanos);
  return nanos < most ? Money{static_cast<std::int64_t>(nanos)} : most_per_attempt;
}

Wide fee_of(const PriceRow& row) { return product(static_cast<std::uint64_t>(row.per_call), per_million); }

std::uint64_t dearest_input(const Rates& rates) {
  const std::uint64_t input = rate_of(rates.input), written = rate_of(rates.cache_write, input);
  return std::max({input, written, rate_of(rates.cached_input, input), rate_of(rates.cache_write_long, written),
                   rate_of(rates.audio_input, input), rate_of(rates.image_input, input)});
}

std::uint64_t dearest_output(const Rates& rates) {
  const std::uint64_t output = rate_of(rates.output);
  return std::max({output, rate_of(rates.reasoning, output), rate_of(rates.audio_output, output),
                   rate_of(rates.image_output, output)});
}

Dearest dearest_of(const PriceRow& row) {
  return {dearest_input(row.rates), dearest_output(row.rates),
          *std::max_element(row.service_tiers.begin(), row.service_tiers.end())};
}

Wide dearest_marginal(const PriceRow& row, std::uint64_t input, std::uint64_t output) {
  Wide sum = product(dearest_output(row.rates), output);
  std::uint64_t rate = dearest_input(row.rates), done = 0;
  for (const PriceTier& tier : row.tiers) {
    const std::uint64_t here = std::min(input, below(tier));
    sum += product(rate, here - done);
    done = here;
    rate = dearest_input(over(tier.rates, row.rates));
  }
  return sum + product(rate, input - done);
}

/// Rates need not rise with the prompt, so each tier that a prompt of at most that length may be in is asked, with the
/// longest prompt that is in it.
Wide dearest_sum(const PriceRow& row, const Dearest& own, std::uint64_t input, std::uint64_t output) {
  if (row.tiers.empty()) return product(own.input, input) + product(own.output, output);
  if (is_marginal(row)) return dearest_marginal(row, input, output);
  Wide dearest = 0;
  const auto ask = [&](const Rates& rates, std::uint64_t longest) {
    dearest = std::max(
        dearest, product(dearest_input(rates), std::min(input, longest)) + product(dearest_output(rates), output));
  };
  ask(row.rates, below(row.tiers.front()));
  for (std::size_t i = 0; i < row.tiers.size() && input > below(row.tiers[i]); ++i) {
    const bool last = i + 1 == row.tiers.size();
    ask(over(row.tiers[i].rates, row.rates), last ? input : below(row.tiers[i + 1]));
  }
  return dearest;
}

}  // namespace

Money cost_of(const PriceRow& row, const Usage& usage) {
  if (row.free) return {};
  const Wide tokens =
      row.tiers.empty() ? prompt_sum(row.rates, usage) + output_sum(row.rates, usage) : tiered_sum(row, usage);
  return rounded(row, tokens + fee_of(row), row.service_tiers[static_cast<std::size_t>(usage.tier)], usage.searches);
}

Money worst_case(const PriceRow& row, std::uint64_t input, std::uint64_t output, std::uint64_t searches) {
  if (row.free) return {};
  const Dearest dearest = row.dearest ? *row.dearest : dearest_of(row);
  return rounded(row, dearest_sum(row, dearest, input, output) + fee_of(row), dearest.service, searches);
}

Price::Price(std::vector<PriceRow> rows) : rows_(std::move(rows)) {
  std::stable_sort(rows_.begin(), rows_.end(),
                   [](const PriceRow& left, const PriceRow& right) { return left.from < right.from; });
  for (PriceRow& row : rows_) row.dearest = dearest_of(row);
}

const PriceRow* Price::at(SystemTime when) const {
  for (std::size_t i = rows_.size(); i-- > 0;) {
    const PriceRow& row = rows_[i];
    if ((!row.from || *row.from <= when) && (!row.until || when < *row.until)) return &row;
  }
  return nullptr;
}

void PriceBook::add(std::string provider, std::string model, Price price) {
  Models& models = providers_[std::move(provider)];
  if (!model.ends_with('*')) {
    models.names.emplace(std::move(model), std::move(price));
    return;
  }
  model.pop_back();
  models.prefixes.emplace(std::move(model), std::move(price));
}

const Price* PriceBook::find(std::string_view provider, std::string_view model) const {
  const auto models = providers_.find(provider);
  if (models == providers_.end()) return nullptr;
  if (const auto name = models->second.names.find(model); name != models->second.names.end()) return &name->second;
  for (const auto& [prefix, price] : models->second.prefixes) {
    if (model.starts_with(prefix)) return &price;
  }
  return nullptr;
}

}  // namespace tollgate::policy
