// What was used and what it has cost, for operators. The query runs on the desk's own thread; what is here reads the
// parameters and shapes the answer.
#include "tollgate/base/instant.hpp"
#include "tollgate/io/usage_desk.hpp"
#include "tollgate/server/usage_json.hpp"

#include "handlers.hpp"
#include "schema.hpp"

namespace tollgate::server {

namespace admin {

namespace {

using io::Measure;
using io::UsageSums;

struct Named {
  const char* name;
  Measure measure;
};

constexpr std::array token_classes{Named{"input", Measure::input_tokens},
                                   Named{"cached_input", Measure::cached_input_tokens},
                                   Named{"cache_write", Measure::cache_write_tokens},
                                   Named{"cache_write_long", Measure::cache_write_long_tokens},
                                   Named{"audio_input", Measure::audio_input_tokens},
                                   Named{"image_input", Measure::image_input_tokens},
                                   Named{"output", Measure::output_tokens},
                                   Named{"reasoning", Measure::reasoning_tokens},
                                   Named{"audio_output", Measure::audio_output_tokens},
                                   Named{"image_output", Measure::image_output_tokens}};
constexpr std::array waste_reasons{Named{"retry", Measure::wasted_retry}, Named{"fallback", Measure::wasted_fallback},
                                   Named{"hedge", Measure::wasted_hedge}, Named{"truncated", Measure::wasted_truncated},
                                   Named{"abandoned", Measure::wasted_abandoned}};

std::string dollars(std::int64_t nanos) { return std::string(MoneyText(Money{nanos}).text()); }

Json view_of(const UsageSums& sums) {
  Json tokens = Json::object(), wasted = Json::object();
  for (const Named& one : token_classes) tokens[one.name] = sums[one.measure];
  std::int64_t all_wasted = 0;
  for (const Named& one : waste_reasons) {
    all_wasted = io::saturating_sum(all_wasted, sums[one.measure]);
    wasted[one.name] = dollars(sums[one.measure]);
  }
  wasted["total"] = dollars(all_wasted);
  return {{"requests", sums[Measure::requests]},
          {"attempts", sums[Measure::attempts]},
          {"tokens", std::move(tokens)},
          {"searches", sums[Measure::searches]},
          {"cost_usd", dollars(sums[Measure::cost])},
          {"wasted_usd", std::move(wasted)},
          {"unpriced_attempts", sums[Measure::unpriced]},
          {"estimated_attempts", sums[Measure::estimated]},
          {"estimated_usd", dollars(sums[Measure::estimated_cost])},
          {"recovered_attempts", sums[Measure::recovered]},
          {"recovered_usd", dollars(sums[Measure::recovered_cost])},
          {"saturated", sums.saturated()}};
}

Json view_of(const io::UsageReport& report) {
  Json by = Json::array(), data = Json::array();
  for (const io::UsageDimension dimension : report.by) by.push_back(name_of(dimension));
  for (const io::UsageRow& row : report.rows) {
    Json group = Json::object();
    for (std::size_t i = 0; i < report.by.size(); ++i) group[std::string(name_of(report.by[i]))] = row.group[i];
    Json one{{"group", std::move(group)}};
    one.update(view_of(row.sums));
    data.push_back(std::move(one));
  }
  return {{"since", show_instant(report.since)},
          {"until", show_instant(report.until)},
          {"by", std::move(by)},
          {"data", std::move(data)},
          {"totals", view_of(report.totals)},
          {"truncated", report.truncated},
          {"read", report.from_rows ? "rows" : "sums"}};
}

Json amount(std::string_view meaning) { return scalar_of("string", meaning); }
Json count(std::string_view meaning) { return scalar_of("integer", meaning); }

Json sums_properties() {
  Json tokens = Json::object(), wasted = Json::object();
  for (const Named& one : token_classes) tokens[one.name] = count("");
  for (const Named& one : waste_reasons) wasted[one.name] = amount("");
  wasted["total"] = amount("All of these");
  return {{"requests", count("That had at least one attempt")},
          {"attempts", count("At providers")},
          {"tokens", object_of(std::move(tokens), "Of all attempts, by class; input and output are whole")},
          {"searches", count("Calls of a server-side search")},
          {"cost_usd", amount("Dollars, exactly")},
          {"wasted_usd", object_of(std::move(wasted), "Of that, what brought no answer, by its reason")},
          {"unpriced_attempts", count("Without a price; they are in no amount")},
          {"estimated_attempts", count("Whose provider did not say what it has counted")},
          {"estimated_usd", amount("What those cost")},
          {"recovered_attempts", count("Whose process ended before they were settled")},
          {"recovered_usd", amount("What those cost")},
          {"saturated", scalar_of("boolean", "Some sum is too large for 64 bits, and at least what it says")}};
}

}  // namespace

void read_usage(Context& context, const ExchangePointer& exchange) {
  io::UsageDesk* const desk = context.parts().usage;
  if (!desk) return exchange->refuse(no_storage());
  const auto word = [&exchange](std::string_view name) { return exchange->query.text(name).value_or(std::string()); };
  const std::string by = word("by"), since = word("since"), until = word("until"), where = word("where");
  auto query = io::parse_usage_query({by, since, until, where}, exchange->now);
  if (!query) return exchange->refuse(query.error());
  query->most_rows = exchange->query.number("limit", query->most_rows);
  desk->ask(std::move(*query), context.later<io::UsageReport>([exchange](const Result<io::UsageReport>& report) {
    if (report) return exchange->reply(view_of(*report));
    exchange->refuse(report.error().code.empty() ? store_unavailable() : report.error());
  }));
}

Json usage_sums_schema() { return object_of(sums_properties(), "What was used and what it has cost"); }

Json usage_row_schema() {
  Json group{{"type", "object"},
             {"description", "By each member of `by`; an empty text where there was none"},
             {"additionalProperties", {{"type", "string"}}}};
  Json properties{{"group", std::move(group)}};
  properties.update(sums_properties());
  return object_of(std::move(properties), "One group");
}

Json usage_schema() {
  return object_of({{"since", scalar_of("string", "From when on; whole UTC days, or hours where it is by hour")},
                    {"until", scalar_of("string", "Until then, exclusive")},
                    {"by", list_of(scalar_of("string", ""))},
                    {"data", list_of(reference("UsageRow"), "The dearest first; by time where it is by day or hour")},
                    {"totals", reference("UsageSums")},
                    {"truncated", scalar_of("boolean", "There are more groups than these; the totals are of all")},
                    {"read", scalar_of("string", "sums, or rows where no sums are kept for such a question")}},
                   "A report of usage and cost");
}

}  // namespace admin

std::string usage_json(const io::UsageReport& report) { return admin::to_text(admin::view_of(report)); }

}  // namespace tollgate::server
