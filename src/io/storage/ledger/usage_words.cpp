// Queries as people write them, in a command or in a URL: one parser for both, so that they mean the same and are
// refused in the same words.
#include "tollgate/base/instant.hpp"
#include "tollgate/io/usage.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::io {

namespace {

constexpr std::size_t most_filters = 32;
constexpr std::chrono::days usual_span{30};

Failure wrong(const char* part, std::string why) {
  Failure failure{FailureKind::bad_request, Source::client, std::string(part) + ": " + std::move(why)};
  failure.param = part;
  return failure;
}

std::optional<UsageDimension> dimension_named(std::string_view name) {
  for (std::size_t i = 0; i < usage_dimensions; ++i)
    if (name == name_of(static_cast<UsageDimension>(i))) return static_cast<UsageDimension>(i);
  return std::nullopt;
}

Failure unknown(const char* part, std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < usage_dimensions; ++i)
    known.append(known.empty() ? "" : ", ").append(name_of(static_cast<UsageDimension>(i)));
  return wrong(part, "'" + std::string(name.substr(0, 64)) + "' is nothing to go by; there are " + known);
}

std::string_view next_part(std::string_view& rest) {
  const std::string_view part = rest.substr(0, rest.find(','));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return part;
}

Result<std::vector<UsageDimension>> parse_by(std::string_view text) {
  std::vector<UsageDimension> by;
  while (!text.empty()) {
    const std::string_view name = next_part(text);
    const auto dimension = dimension_named(name);
    if (!dimension) return unknown("by", name);
    if (std::find(by.begin(), by.end(), *dimension) != by.end())
      return wrong("by", "'" + std::string(name) + "' is there twice");
    by.push_back(*dimension);
  }
  return by;
}

/// How long ago: "7d", "12h".
std::optional<std::chrono::hours> span_of(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::int64_t most = 100'000;
  if (error != std::errc{} || count < 1 || count > most) return std::nullopt;
  if (unit == "d") return std::chrono::days(count);
  if (unit == "h") return std::chrono::hours(count);
  return std::nullopt;
}

Result<SystemTime> parse_time(const char* part, std::string_view text, SystemTime now, SystemTime otherwise) {
  if (text.empty()) return otherwise;
  if (const auto span = span_of(text)) return now - *span;
  if (const auto instant = parse_instant(text)) return *instant;
  return wrong(part, "'" + std::string(text.substr(0, 64)) +
                         "' is neither a span back from now such as 7d or 12h nor a UTC date such as 2026-11-01 or "
                         "2026-11-01T16:00:00Z");
}

bool is_user(std::string_view text) {
  return text.empty() || (text.size() == 16 && text.find_first_not_of("0123456789abcdef") == text.npos);
}

using Filters = std::vector<std::pair<UsageDimension, std::string>>;

Result<Filters> parse_where(std::string_view text) {
  Filters where;
  while (!text.empty()) {
    const std::string_view part = next_part(text);
    const std::size_t equals = part.find('=');
    if (equals == part.npos) return wrong("where", "'" + std::string(part.substr(0, 64)) + "' is no NAME=VALUE");
    const auto dimension = dimension_named(part.substr(0, equals));
    if (!dimension) return unknown("where", part.substr(0, equals));
    if (*dimension == UsageDimension::day || *dimension == UsageDimension::hour)
      return wrong("where", "a time is given by since and until");
    const std::string value(part.substr(equals + 1));
    if (*dimension == UsageDimension::user && !is_user(value))
      return wrong("where", "a user is 16 hex digits, as a report by user shows it");
    if (std::any_of(where.begin(), where.end(), [&](const auto& one) { return one.first == *dimension; }))
      return wrong("where", "'" + std::string(name_of(*dimension)) + "' is there twice");
    if (where.size() >= most_filters) return wrong("where", "too many filters");
    where.emplace_back(*dimension, value);
  }
  return where;
}

}  // namespace

Result<UsageQuery> parse_usage_query(const UsageWords& words, SystemTime now) {
  UsageQuery query;
  auto by = parse_by(words.by);
  if (!by) return by.error();
  const auto since = parse_time("since", words.since, now, now - usual_span);
  if (!since) return since.error();
  const auto until = parse_time("until", words.until, now, now);
  if (!until) return until.error();
  if (*until <= *since) return wrong("until", "it is not after since");
  auto where = parse_where(words.where);
  if (!where) return where.error();
  query.by = std::move(*by);
  query.since = *since;
  query.until = *until;
  query.where = std::move(*where);
  return query;
}

}  // namespace tollgate::io
