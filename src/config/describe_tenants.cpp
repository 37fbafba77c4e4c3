// The tables of groups, tenants and their keys: every key, its bounds and its meaning. What they name is only
// remembered here; it is looked up when all files are read.
#include "config/addresses.hpp"
#include "config/bounds.hpp"
#include "config/document.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <array>

namespace tollgate::config {

namespace {

constexpr Bounds<Millis> bursts{std::chrono::seconds(1), std::chrono::hours(1)};
constexpr std::size_t shortest_secret = 20;

struct LimitsTable {
  policy::Limits& limits;
};

Scalar basis(policy::TokenBasis& value) {
  using policy::TokenBasis;
  static constexpr std::array all{TokenBasis::total, TokenBasis::input, TokenBasis::output};
  return choice(
      {"total", "input", "output"}, [&value](std::size_t index) { value = all[index]; },
      [&value] { return static_cast<std::size_t>(value); });
}

void describe(Keys& keys, const LimitsTable& table) {
  policy::Limits& limits = table.limits;
  keys.key("requests_per_minute", "requests admitted in a minute", count(limits.requests_per_minute, some_per_minute));
  keys.key("tokens_per_minute", "tokens used in a minute: an estimate first, then what the provider reports",
           count(limits.tokens_per_minute, some_per_minute));
  keys.key("concurrency", "requests in flight at one time", count(limits.concurrency, {1, 1'000'000}));
  keys.key("count", "which tokens count: total, input or output", basis(limits.basis));
  keys.key("count_cached", "whether input that the provider had cached counts", flag(limits.count_cached));
  keys.key("burst", "how much of a rate may be used at once, in time's worth of it", duration(limits.burst, bursts));
}

Scalar digest_text(KeyEntry& entry) {
  return {{{"type", "string"}, {"pattern", "^[0-9a-fA-F]{64}$"}},
          [&entry](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto digest = digest_from_hex(text);
            if (!digest) return Problem{"expected the 64 hex digits of a SHA-256"};
            entry.digest = *digest;
            entry.has_digest = true;
            return std::nullopt;
          },
          [&entry] { return entry.has_digest ? Json(to_hex(entry.digest)) : Json(); },
          true};
}

Scalar address(std::string& network) { return text(network, check_network); }

Scalar priority(policy::Priority& value) {
  return choice(
      {"low", "normal", "high"}, [&value](std::size_t index) { value = static_cast<policy::Priority>(index); },
      [&value] { return static_cast<std::size_t>(value); });
}

struct NamesTable {
  std::vector<Name>&routes, &models;
};

void describe(Keys& keys, const NamesTable& names) {
  const auto pattern = [](Name& name) { return name_of(name, Star::allowed_last); };
  keys.key("routes", "names of routes; a \"*\" at the end stands for any rest", list_of(names.routes, pattern));
  keys.key("models", "names of models; a \"*\" at the end stands for any rest", list_of(names.models, pattern));
}

void describe_rights(Keys& keys, RightsEntry& rights) {
  keys.key("allow", "what may be called, and nothing else; a route allows whatever it dispatches to",
           Block{[&rights](Keys& inside) {
                   rights.has_allow = true;
                   describe(inside, NamesTable{rights.allowed_routes, rights.allowed_models});
                 },
                 [&rights] { return rights.has_allow; }});
  keys.key("deny", "what may not be called, whatever is allowed",
           Block{[&rights](Keys& inside) {
                   describe(inside, NamesTable{rights.denied_routes, rights.denied_models});
                 },
                 [&rights] { return !rights.denied_routes.empty() || !rights.denied_models.empty(); }});
}

/// Text for reports and for telling tenants apart: no control bytes, no quotes.
std::optional<Problem> check_tag(std::string_view value) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  if (!value.empty() && value.size() <= 128 && std::all_of(value.begin(), value.end(), plain)) return std::nullopt;
  return Problem{"a tag's value is 1 to 128 bytes of visible ASCII without quotes and backslashes"};
}

Dictionary tags_of(std::vector<std::pair<std::string, std::string>>& tags) {
  const auto value = [](std::string& tag) { return text(tag, check_tag); };
  return {name_pattern(Star::refused),
          [&tags, value](const std::string& name, const Spot&) -> Parsed<Value> {
            if (auto problem = check_name(name, Star::refused)) return *problem;
            return Value(value(tags.emplace_back(name, "").second));
          },
          [&tags, value] {
            std::vector<std::pair<std::string, Value>> values;
            for (auto& [name, tag] : tags) values.emplace_back(name, value(tag));
            return values;
          }};
}

Value own_credentials(std::vector<Credential>& credentials) {
  return list_of(
      credentials, [](Credential& credential) { return block_of(credential); }, 1);
}

/// Either the word `client`, or lists of credentials by provider.
Dictionary credentials_of(TenantEntry& entry) {
  Scalar client = choice(
      {"client"}, [&entry](std::size_t) { entry.tenant.passes_credentials = true; }, [] { return std::size_t{0}; });
  client.secret = true;
  client.show = [&entry] { return entry.tenant.passes_credentials ? Json("client") : Json(); };
  return {name_pattern(Star::refused),
          [&entry](const std::string& name, const Spot& spot) -> Parsed<Value> {
            if (auto problem = check_name(name, Star::refused)) return *problem;
            CredentialsEntry& of_provider = entry.credentials.emplace_back();
            of_provider.provider = {name, spot};
            return own_credentials(of_provider.credentials);
          },
          [&entry] {
            std::vector<std::pair<std::string, Value>> values;
            for (CredentialsEntry& of_provider : entry.credentials)
              values.emplace_back(of_provider.provider.text, own_credentials(of_provider.credentials));
            return values;
          },
          "x", std::move(client)};
}

std::optional<Problem> check_key_name(std::string_view name) {
  if (name.find('/') != name.npos) return Problem{"a key's name holds no slash"};
  return check_name(name, Star::refused);
}

void check_key(Keys& keys, const KeyEntry& entry) {
  const bool has_secret = keys.given("secret"), has_digest = keys.given("sha256");
  if (has_secret && has_digest) keys.fault("sha256", {"a key has either a secret or its sha256, not both"});
  if (!has_secret && !has_digest)
    keys.fault("secret", {"a key needs a secret or its sha256", "make one with: tollgate keys create"});
  if (has_secret && !entry.secret.empty() && entry.secret.reveal().size() < shortest_secret)
    keys.fault("secret", {"a key that can be guessed is none: at least 20 characters",
                          "make one with: tollgate keys create; or carry a shorter one over by its sha256"});
}

}  // namespace

// Not in the unnamed namespace: block_of() finds them by their arguments.
static void describe(Keys& keys, KeyEntry& entry) {
  policy::KeySettings& settings = entry.key.settings;
  keys.key("name", "what logs and reports call this key", text(entry.key.name, check_key_name), Need::required);
  keys.key("secret", "the key as clients send it, best by reference", placed(secret(entry.secret, false), entry.spot));
  keys.key("sha256", "or the hex SHA-256 of a key that only its holder knows", placed(digest_text(entry), entry.spot));
  keys.key("expires", "when it ends, in UTC", instant(entry.key.expires));
  keys.key("addresses", "IPs and networks that it may come from; none: any", list_of(settings.addresses, address));
  describe_rights(keys, entry.rights);
  keys.key("limits", "what it may use, beside its tenant's limits", limits_of(settings.limits));
  describe_budgets(keys, entry.budgets);
  keys.key("may_delegate", "its requests may name an end user, whose limits and budgets then apply",
           flag(settings.may_delegate));
  keys.key("max_priority", "highest priority that its requests may ask for", priority(settings.max_priority));
  keys.key("cache", "whether its requests may be answered from the cache", flag(settings.may_use_cache));
  keys.key("max_timeout", "longest deadline of its requests", duration(settings.max_timeout, some_time));
  check_key(keys, entry);
}

Block limits_of(policy::Limits& limits) {
  return {[&limits](Keys& inside) { describe(inside, LimitsTable{limits}); }, [&limits] { return limits.any(); }};
}

void describe(Keys& keys, GroupEntry& entry) {
  keys.key("limits", "what its tenants together may use", limits_of(entry.group.limits));
  describe_budgets(keys, entry.budgets);
}

void describe(Keys& keys, TenantEntry& entry) {
  keys.key("group", "the group whose limits it shares", name_of(entry.group, Star::refused));
  keys.key("tags", "for reports", tags_of(entry.tenant.tags));
  keys.key("keys", "its API keys; more can be made by tollgate keys create",
           list_of(entry.keys, [](KeyEntry& key) { return block_of(key); }));
  describe_rights(keys, entry.rights);
  keys.key("credentials", "its own provider credentials, by provider; or client: the caller's own is passed on",
           credentials_of(entry));
  keys.key("limits", "what its keys together may use", limits_of(entry.tenant.limits));
  keys.key("end_user_limits", "what each end user may use that a key with may_delegate names",
           limits_of(entry.tenant.end_user_limits));
  describe_budgets(keys, entry.budgets);
  describe_budgets(keys, entry.end_user_budgets, "end_user_budgets",
                   "how much each end user may spend that a key with may_delegate names");
}

Dictionary groups_of(Document& document) {
  return entries_of(document.groups, Star::refused, [](GroupEntry& entry) -> std::string& { return entry.group.name; });
}

Dictionary tenants_of(Document& document) {
  return entries_of(document.tenants, Star::refused,
                    [](TenantEntry& entry) -> std::string& { return entry.tenant.name; });
}

}  // namespace tollgate::config
