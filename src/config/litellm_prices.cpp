// LiteLLM's price map, made into rows of ours. It has one flat object a model, USD per token, and says tiers and
// service tiers in the names of its fields. What a row of ours cannot say is told, and a model of which a rate cannot
// be carried over exactly is left out: a wrong price is worse than none.
#include "tollgate/config/price_import.hpp"
#include "tollgate/policy/price_book.hpp"

#include "config/exact_number.hpp"
#include "config/value.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace tollgate::config {

namespace {

__extension__ typedef __int128 Wide;

struct RateName {
  std::string_view theirs, ours;
};
constexpr std::array<RateName, 10> rate_names{{{"input_cost_per_token", "input"},
                                               {"cache_read_input_token_cost", "cached_input"},
                                               {"cache_creation_input_token_cost", "cache_write"},
                                               {"cache_creation_input_token_cost_above_1hr", "cache_write_long"},
                                               {"input_cost_per_audio_token", "audio_input"},
                                               {"input_cost_per_image_token", "image_input"},
                                               {"output_cost_per_token", "output"},
                                               {"output_cost_per_reasoning_token", "reasoning"},
                                               {"output_cost_per_audio_token", "audio_output"},
                                               {"output_cost_per_image_token", "image_output"}}};
constexpr std::size_t input_rate = 0, output_rate = 6;
constexpr std::array<RateName, 3> service_names{{{"_batches", "batch"}, {"_flex", "flex"}, {"_priority", "priority"}}};

/// Nano-dollars per million tokens, by rate_names.
using RateList = std::array<std::optional<std::int64_t>, rate_names.size()>;

/// "input_cost_per_token_above_200k_tokens_priority", taken apart.
struct Field {
  std::size_t rate = 0;
  std::uint64_t above = 0;   ///< 0: in the row itself
  std::string_view service;  ///< ours; empty: standard
};

std::optional<Field> field_of(std::string_view name) {
  Field field;
  for (const RateName& service : service_names) {
    if (!name.ends_with(service.theirs)) continue;
    name.remove_suffix(service.theirs.size());
    field.service = service.ours;
    break;
  }
  constexpr std::string_view begin = "_above_", end = "k_tokens";
  if (const auto at = name.rfind(begin); at != name.npos && name.ends_with(end)) {
    const auto digits = name.substr(at + begin.size(), name.size() - at - begin.size() - end.size());
    const auto thousands = exactly(digits, 3);
    if (!thousands || *thousands == 0) return std::nullopt;
    field.above = static_cast<std::uint64_t>(*thousands);
    name = name.substr(0, at);
  }
  const auto found = std::ranges::find(rate_names, name, &RateName::theirs);
  if (found == rate_names.end()) return std::nullopt;
  field.rate = static_cast<std::size_t>(found - rate_names.begin());
  return field;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }

std::string text_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found == object.end() ? "" : text_of(*found);
}

/// One model on its way.
class ModelImport {
 public:
  ModelImport(const Json& given, std::vector<std::string>& findings, std::string label)
      : given_(given), findings_(findings), label_(std::move(label)) {}

  /// The row, as YAML between braces; empty: it cannot be carried over.
  std::string row() {
    take_ranges();
    for (const auto& [name, value] : given_.items()) take(name, value);
    for (const RateName& service : service_names) take_service(service.ours);
    complete();
    return good_ ? text() : "";
  }

 private:
  void find(const std::string& what) { findings_.push_back(label_ + ": " + what); }
  void give_up(const std::string& why) {
    if (good_) find(why + "; left out");
    good_ = false;
  }

  std::optional<std::int64_t> amount(const std::string& name, const Json& value, int shift) {
    const std::string number = text_of(value);
    const auto scaled = exactly(number, shift);
    if (!scaled || *scaled > policy::most_rate * (shift == per_thousand ? 1000 : 1)) {
      give_up(name + " is no amount that a row can hold exactly: '" + printable(number) + "'");
      return std::nullopt;
    }
    return scaled;
  }

  void take(const std::string& name, const Json& value) {
    if (value.is_null() || value.is_boolean()) return;
    if (const auto field = field_of(name)) return take_rate(name, *field, value);
    if (name == "input_cost_per_request" || name == "input_cost_per_query") {
      if (const auto fee = amount(name, value, per_unit)) per_call_ += *fee;
    } else if (name == "search_context_cost_per_query") {
      take_searches(value);
    } else if (name == "provider_specific_entry" && value.is_object()) {
      for (const auto& [key, factor] : value.items()) take_factor(key, factor);
    } else if (name == "off_peak_pricing") {
      find("off_peak_pricing: a row cannot name hours of the day");
    } else if (name.starts_with("regional_processing_uplift")) {
      find(name + ": a row cannot name regions");
    } else if (name.find("cost") != name.npos && !value.is_array() && exactly(text_of(value), per_unit) != 0) {
      find(name + " is in a unit that a row does not have");
    }
  }

  void take_rate(const std::string& name, const Field& field, const Json& value) {
    const auto rate = amount(name, value, per_token);
    if (!rate) return;
    RateList& rates = field.service.empty() ? tiers_[field.above] : services_[{field.service, field.above}];
    rates[field.rate] = rate;
  }

  /// Lists of ranges, not always in order. The first one is the row itself.
  void take_ranges() {
    const auto ranges = given_.find("tiered_pricing");
    if (ranges == given_.end() || !ranges->is_array()) return;
    for (const Json& range : *ranges) {
      const bool has_bounds = range.is_object() && range.contains("range") && range["range"].is_array();
      const auto above = has_bounds && !range["range"].empty() ? exactly(text_of(range["range"][0]), 0)
                                                               : std::optional<std::int64_t>();
      if (!above) return give_up("tiered_pricing has a tier without a range");
      for (const auto& [name, value] : range.items()) {
        const auto field = field_of(name);
        if (field && field->above == 0 && field->service.empty() && !value.is_null())
          take_rate(name, {field->rate, static_cast<std::uint64_t>(*above), {}}, value);
      }
    }
  }

  void take_searches(const Json& value) {
    std::set<std::int64_t> prices;
    if (value.is_object()) {
      for (const auto& [size, price] : value.items()) {
        if (const auto scaled =
                price.is_null() ? std::nullopt : amount("search_context_cost_per_query", price, per_thousand))
          prices.insert(*scaled);
      }
    } else if (const auto scaled = amount("search_context_cost_per_query", value, per_thousand)) {
      prices.insert(*scaled);
    }
    if (prices.empty()) return;
    if (prices.size() > 1) find("searches differ by the size of their context: the dearest is taken");
    per_thousand_searches_ = *prices.rbegin();
  }

  void take_factor(const std::string& key, const Json& factor) {
    if (factor.is_object() || factor.is_null()) return;
    std::string name = key;
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const auto millionths = exactly(text_of(factor), 6);
    if (name == "fast" && millionths && *millionths <= policy::most_service_factor)
      factors_["fast"] = *millionths;
    else
      find("provider_specific_entry." + printable(key) + ": a row has no such factor");
  }

  /// A service tier has one factor here, and there a rate for each class.
  void take_service(std::string_view service) {
    std::set<std::int64_t> factors;
    for (const auto& [key, rates] : services_) {
      if (key.first != service) continue;
      for (std::size_t i = 0; i < rates.size(); ++i) {
        const std::int64_t list = list_rate(key.second, i).value_or(0);
        if (!rates[i] || (list == 0 && *rates[i] == 0)) continue;
        const Wide product = Wide{*rates[i]} * policy::whole_factor;
        const bool exact = list > 0 && product % list == 0 && product / list <= policy::most_service_factor;
        factors.insert(exact ? static_cast<std::int64_t>(product / list) : -1);
      }
    }
    if (factors.empty()) return;
    if (factors.size() == 1 && *factors.begin() >= 0)
      factors_[std::string(service)] = *factors.begin();
    else
      find("its " + std::string(service) + " prices are not one share of its list prices");
  }

  std::optional<std::int64_t> list_rate(std::uint64_t above, std::size_t rate) const {
    const auto tier = tiers_.find(above);
    if (tier != tiers_.end() && tier->second[rate]) return tier->second[rate];
    const auto row = tiers_.find(0);
    return row == tiers_.end() ? std::nullopt : row->second[rate];
  }

  void complete() {
    RateList& rates = tiers_[0];
    const bool any = std::ranges::any_of(rates, [](const auto& rate) { return rate.has_value(); });
    if (!any && per_call_ == 0) return give_up("it has no price by tokens or by call");
    if (!any) return;
    const std::string mode = text_of(given_, "mode");
    const bool answers_nothing = mode == "embedding" || mode == "moderation" || mode == "rerank" || mode == "search";
    if (!rates[output_rate] && answers_nothing) rates[output_rate] = 0;
    if (!rates[input_rate] || !rates[output_rate]) give_up("it has a price for input or for output only");
  }

  bool is_free() const {
    const auto nothing = [](const auto& tier) {
      return std::ranges::all_of(tier.second, [](const auto& rate) { return rate.value_or(0) == 0; });
    };
    return per_call_ == 0 && per_thousand_searches_ == 0 && std::ranges::all_of(tiers_, nothing);
  }

  static std::string dollars(std::int64_t nanos) { return std::string(MoneyText(Money{nanos}).text()); }

  static std::string text(const RateList& rates) {
    std::string text;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      if (rates[i]) text += ", " + std::string(rate_names[i].ours) + ": " + dollars(*rates[i]);
    }
    return text;
  }

  std::string text() const {
    std::string source = text_of(given_, "source");
    if (source.empty() || source.size() > 200 || has_control(source)) source = "its price map";
    const std::string written =
        "source: " + Json("LiteLLM: " + source).dump(-1, ' ', true, Json::error_handler_t::replace);
    if (is_free()) return "free: true, " + written;
    std::string line = text(tiers_.at(0));
    line.erase(0, line.empty() ? 0 : 2);
    std::string longer;
    for (const auto& [above, rates] : tiers_) {
      if (above == 0) continue;
      const bool inclusive = text_of(given_, "litellm_provider") == "xai";
      longer += (longer.empty() ? "{" : ", {") + std::string(inclusive ? "from: " : "above: ") + std::to_string(above) +
                text(rates) + "}";
    }
    if (!longer.empty()) line += ", tiers: [" + longer + "]";
    if (per_call_ > 0) line += (line.empty() ? "per_call: " : ", per_call: ") + dollars(per_call_);
    if (per_thousand_searches_ > 0) line += ", per_1000_searches: " + dollars(per_thousand_searches_);
    std::string factors;
    for (const auto& [name, factor] : factors_)
      factors += (factors.empty() ? "" : ", ") + name + ": " + show_millionths(factor);
    if (!factors.empty()) line += ", service_tiers: {" + factors + "}";
    return line + ", " + written;
  }

  static constexpr int per_unit = 9, per_thousand = 12, per_token = 15;  ///< powers of ten from dollars to what is kept

  const Json& given_;
  std::vector<std::string>& findings_;
  std::string label_;
  std::map<std::uint64_t, RateList> tiers_;  ///< by the length that is exceeded
  std::map<std::pair<std::string_view, std::uint64_t>, RateList> services_;
  std::map<std::string, std::int64_t> factors_;  ///< in millionths
  std::int64_t per_call_ = 0, per_thousand_searches_ = 0;
  bool good_ = true;
};

using Rows = std::map<std::string, std::map<std::string, std::string>>;  ///< by provider and model

void import_model(const std::string& key, const Json& given, Rows& rows, std::vector<std::string>& findings) {
  const std::string provider = text_of(given, "litellm_provider");
  const bool prefixed = key.starts_with(provider + "/");
  const std::string model = prefixed ? key.substr(provider.size() + 1) : key;
  const std::string label = printable(provider + "/" + model);
  if (provider.empty() || check_name(provider, Star::refused) || check_name(model, Star::refused)) {
    findings.push_back(label + ": a name that prices cannot have; left out");
    return;
  }
  std::string row = ModelImport(given, findings, label).row();
  if (row.empty()) return;
  // The provider's names of fine-tuned models go on after the model's own.
  if (const std::string tuned = model + ":*"; model.starts_with("ft:") && !check_name(tuned, Star::allowed_last))
    row.insert(0, "names: [\"" + tuned + "\"], ");
  const auto [known, added] = rows[provider].emplace(model, row);
  if (!added && known->second != row) findings.push_back(label + ": two prices; the first one is taken");
}

constexpr std::string_view heading =
    "# From LiteLLM's price map, by: tollgate prices import. USD per million tokens.\n"
    "# It has no dates: where a price changes, make it rows with valid: {from: ...}.\n"
    "version: 1\n"
    "providers:\n";

}  // namespace

Result<ImportedPrices> import_litellm_prices(std::string_view json, const std::vector<std::string>& providers) {
  const Json map = parse_with_exact_numbers(json);
  if (!map.is_object())
    return Failure{.kind = FailureKind::bad_request, .message = "this is no JSON object with models by name"};
  ImportedPrices imported;
  Rows rows;
  for (const auto& [key, given] : map.items()) {
    if (key == "sample_spec" || !given.is_object()) continue;
    const std::string provider = text_of(given, "litellm_provider");
    if (!providers.empty() && std::ranges::find(providers, provider) == providers.end()) continue;
    import_model(key, given, rows, imported.findings);
  }
  imported.yaml = heading;
  for (const auto& [provider, models] : rows) {
    imported.yaml += "  \"" + provider + "\":\n";
    for (const auto& [model, row] : models) imported.yaml += "    \"" + model + "\": {" + row + "}\n";
    imported.models += models.size();
  }
  if (rows.empty()) imported.yaml.insert(imported.yaml.size() - 1, " {}");
  return imported;
}

}  // namespace tollgate::config
