// One table for each way: a setting that is written here and not read, or read and not told in the schema, fails the
// test that sends random settings through all three. Bounds and words are those of the file's own keys.
#include "key_settings.hpp"

#include "tollgate/policy/network.hpp"

#include "schema.hpp"

#include <algorithm>
#include <cctype>

namespace tollgate::server::admin {

namespace {

constexpr std::uint64_t most_per_minute = 1'000'000'000;
constexpr std::uint64_t most_in_flight = 1'000'000;
constexpr Times bursts{std::chrono::seconds(1), std::chrono::hours(1)};
constexpr Times timeouts{Millis(1), std::chrono::hours(24)};
constexpr std::size_t longest_name = 128;

const std::vector<std::string>& priorities() {
  static const std::vector<std::string> words{"low", "normal", "high"};
  return words;
}

const std::vector<std::string>& token_bases() {
  static const std::vector<std::string> words{"total", "input", "output"};
  return words;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

bool all_of(std::string_view name, std::string_view others) {
  return std::all_of(name.begin(), name.end(), [others](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || others.find(c) != others.npos;
  });
}

std::optional<std::string> check_pattern(std::string_view name) {
  const std::size_t star = name.find('*');
  const bool good = !name.empty() && name.size() <= longest_name && all_of(name, "._:/@-*") &&
                    (star == name.npos || star + 1 == name.size());
  if (good) return std::nullopt;
  return "expected a name of 1 to 128 letters, digits and . _ : / @ -, with a '*' at its end at most";
}

std::optional<std::string> check_address(std::string_view text) {
  if (policy::Network::parse(text)) return std::nullopt;
  return "expected an IP address or a network such as 10.0.0.0/8 or ::1";
}

Json names_json(const policy::Names& names) { return {{"routes", names.routes}, {"models", names.models}}; }

void read_names(const Json& value, const std::string& path, policy::Names& names, Fault& fault) {
  Members members(value, path, fault);
  read_texts(members, "routes", names.routes, check_pattern);
  read_texts(members, "models", names.models, check_pattern);
  members.refuse_others();
}

void read_limits(const Json& value, const std::string& path, policy::Limits& limits, Fault& fault) {
  Members members(value, path, fault);
  read_count(members, "requests_per_minute", limits.requests_per_minute, most_per_minute);
  read_count(members, "tokens_per_minute", limits.tokens_per_minute, most_per_minute);
  read_count(members, "concurrency", limits.concurrency, most_in_flight);
  if (const auto basis = read_choice(members, "count", token_bases()))
    limits.basis = static_cast<policy::TokenBasis>(*basis);
  read_flag(members, "count_cached", limits.count_cached);
  read_time(members, "burst", limits.burst, bursts);
  members.refuse_others();
}

void read_rights(Members& members, policy::Rights& rights) {
  const Json* allow = members.find("allow");
  if (allow && !allow->is_null())
    read_names(*allow, members.path_of("allow"), rights.allow.emplace(), members.faults());
  if (const Json* deny = members.find("deny"))
    read_names(*deny, members.path_of("deny"), rights.deny, members.faults());
}

template <class Known>
void check_each(const std::vector<std::string>& names, const std::string& path, std::string_view what, Known known,
                Fault& fault) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!names[i].ends_with('*') && !known(names[i]))
      fault.add(path + "[" + std::to_string(i) + "]",
                "no " + std::string(what) + " has this name; GET /admin/v1/config shows those that there are");
}

Json limit_schema(std::uint64_t most) { return {{"type", {"integer", "null"}}, {"minimum", 1}, {"maximum", most}}; }

}  // namespace

Json limits_json(const policy::Limits& limits) {
  return {{"requests_per_minute", or_null(limits.requests_per_minute)},
          {"tokens_per_minute", or_null(limits.tokens_per_minute)},
          {"concurrency", or_null(limits.concurrency)},
          {"count", token_bases()[static_cast<std::size_t>(limits.basis)]},
          {"count_cached", limits.count_cached},
          {"burst", show_time(limits.burst)}};
}

Json rights_json(const policy::Rights& rights) {
  return {{"allow", rights.allow ? names_json(*rights.allow) : Json()}, {"deny", names_json(rights.deny)}};
}

Json settings_json(const policy::KeySettings& settings) {
  Json json{{"addresses", settings.addresses}};
  json.update(rights_json(settings.rights));
  json["limits"] = limits_json(settings.limits);
  json["may_delegate"] = settings.may_delegate;
  json["max_priority"] = priorities()[static_cast<std::size_t>(settings.max_priority)];
  json["cache"] = settings.may_use_cache;
  json["max_timeout"] = settings.max_timeout ? Json(show_time(*settings.max_timeout)) : Json();
  return json;
}

void read_settings(Members& members, policy::KeySettings& settings) {
  read_texts(members, "addresses", settings.addresses, check_address);
  read_rights(members, settings.rights);
  if (const Json* limits = members.find("limits"))
    read_limits(*limits, members.path_of("limits"), settings.limits, members.faults());
  read_flag(members, "may_delegate", settings.may_delegate);
  if (const auto priority = read_choice(members, "max_priority", priorities()))
    settings.max_priority = static_cast<policy::Priority>(*priority);
  read_flag(members, "cache", settings.may_use_cache);
  read_time(members, "max_timeout", settings.max_timeout, timeouts);
}

void check_names(const config::Snapshot& snapshot, const policy::Rights& rights, Fault& fault) {
  const auto is_route = [&snapshot](const std::string& name) {
    return std::any_of(snapshot.routes.begin(), snapshot.routes.end(),
                       [&name](const config::Route& route) { return route.name == name; });
  };
  const auto is_model = [&snapshot](const std::string& name) {
    if (snapshot.model_by_name.contains(name)) return true;
    const config::Resolution resolution = snapshot.resolve(name);
    return resolution.model && !resolution.route;
  };
  const auto check = [&](const policy::Names& names, const std::string& path) {
    check_each(names.routes, path + ".routes", "route", is_route, fault);
    check_each(names.models, path + ".models", "model", is_model, fault);
  };
  if (rights.allow) check(*rights.allow, "allow");
  check(rights.deny, "deny");
}

std::optional<std::string> check_key_name(std::string_view name) {
  if (!name.empty() && name.size() <= longest_name && all_of(name, "._:@-")) return std::nullopt;
  return "expected a name of 1 to 128 letters, digits and . _ : @ -";
}

Json names_schema() {
  const Json names = list_of({{"type", "string"}});
  return object_of({{"routes", names}, {"models", names}},
                   "Names of routes and of models; a * at the end stands for any rest");
}

Json limits_schema() {
  return object_of({{"requests_per_minute", limit_schema(most_per_minute)},
                    {"tokens_per_minute", limit_schema(most_per_minute)},
                    {"concurrency", limit_schema(most_in_flight)},
                    {"count", {{"type", "string"}, {"enum", token_bases()}}},
                    {"count_cached", {{"type", "boolean"}}},
                    {"burst", {{"type", "string"}, {"description", "A duration from 1s to 1h"}}}},
                   "What may be used; null: not limited");
}

Json settings_schema() {
  return object_of({{"addresses", list_of({{"type", "string"}}, "IPs and networks that it may come from; none: any")},
                    {"allow", or_null_of(reference("Names"), "What may be called; null: everything")},
                    {"deny", reference("Names")},
                    {"limits", reference("Limits")},
                    {"may_delegate", {{"type", "boolean"}, {"description", "Its requests may name an end user"}}},
                    {"max_priority", {{"type", "string"}, {"enum", priorities()}}},
                    {"cache", {{"type", "boolean"}, {"description", "Its requests may be answered from the cache"}}},
                    {"max_timeout",
                     {{"type", {"string", "null"}}, {"description", "Longest deadline, a duration from 1ms to 24h"}}}},
                   "What the holder of a key may do, beyond what its tenant may");
}

std::string key_settings_text(const policy::KeySettings& settings) { return to_text(settings_json(settings)); }

Result<policy::KeySettings> key_settings_from(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return json.error();
  Fault fault;
  Members members(*json, {}, fault);
  policy::KeySettings settings;
  read_settings(members, settings);
  members.refuse_others();
  if (fault) return fault.failure();
  return settings;
}

}  // namespace tollgate::server::admin
