// Cross-checks of groups, tenants and keys: names that point at nothing, keys that two holders share, a gateway that
// would be open to the world.
#include "config/assemble_tenants.hpp"

#include "tollgate/policy/tags.hpp"

#include "config/words.hpp"

#include <algorithm>
#include <filesystem>

namespace tollgate::config {

namespace {

constexpr std::string_view usual_storage = "var/tollgate.db";
constexpr std::string_view usual_journal = "journal";  // beside the storage

class TenantAssembler {
 public:
  TenantAssembler(Snapshot& snapshot, Report& report) : snapshot_(snapshot), report_(report) {}

  void take(TenantEntry& entry) {
    Tenant& tenant = entry.tenant;
    find_group(tenant, entry.group);
    tenant.rights = take_rights(entry.rights);
    for (CredentialsEntry& credentials : entry.credentials) take_credentials(tenant, credentials);
    for (KeyEntry& key : entry.keys) take_key(tenant, key);
    tenant.tag_text = policy::tag_text(tenant.tags);
    snapshot_.tenant_by_name.emplace(tenant.name, snapshot_.tenants.size());
    snapshot_.tenants.push_back(std::move(tenant));
  }

 private:
  template <class Items>
  static std::vector<std::string> names_in(const Items& items) {
    std::vector<std::string> names;
    for (const auto& item : items) names.push_back(item.name);
    return names;
  }

  void find_group(Tenant& tenant, const Name& group) {
    if (group.text.empty() || group.unset) return;
    const auto found = std::find_if(snapshot_.groups.begin(), snapshot_.groups.end(),
                                    [&group](const Group& candidate) { return candidate.name == group.text; });
    if (found != snapshot_.groups.end())
      tenant.group = static_cast<std::size_t>(found - snapshot_.groups.begin());
    else
      report_.fault(group.spot, {"no group has this name", did_you_mean(group.text, names_in(snapshot_.groups))});
  }

  policy::Rights take_rights(const RightsEntry& entry) {
    policy::Rights rights;
    if (entry.has_allow) rights.allow = {routes_of(entry.allowed_routes), models_of(entry.allowed_models)};
    rights.deny = {routes_of(entry.denied_routes), models_of(entry.denied_models)};
    return rights;
  }

  std::vector<std::string> routes_of(const std::vector<Name>& names) {
    std::vector<std::string> texts;
    for (const Name& name : names) {
      texts.push_back(name.text);
      const bool known = std::any_of(snapshot_.routes.begin(), snapshot_.routes.end(),
                                     [&name](const Route& route) { return route.name == name.text; });
      if (!known && !is_open(name))
        report_.fault(name.spot, {"no route has this name", did_you_mean(name.text, names_in(snapshot_.routes))});
    }
    return texts;
  }

  std::vector<std::string> models_of(const std::vector<Name>& names) {
    std::vector<std::string> texts;
    for (const Name& name : names) {
      texts.push_back(name.text);
      if (is_open(name) || snapshot_.model_by_name.contains(name.text)) continue;
      const Resolution resolution = snapshot_.resolve(name.text);
      if (!resolution.model || resolution.route)
        report_.fault(name.spot, {"no model has this name, and no model with a '*' covers it",
                                  did_you_mean(name.text, names_in(snapshot_.models))});
    }
    return texts;
  }

  static bool is_open(const Name& name) { return name.text.empty() || name.unset || name.text.ends_with('*'); }

  void take_credentials(Tenant& tenant, CredentialsEntry& entry) {
    const auto& providers = snapshot_.providers;
    const auto found = std::find_if(providers.begin(), providers.end(), [&entry](const Provider& provider) {
      return provider.name == entry.provider.text;
    });
    if (found == providers.end()) {
      report_.fault(entry.provider.spot,
                    {"no provider has this name", did_you_mean(entry.provider.text, names_in(providers))});
    } else if (entry.credentials.size() > 1) {
      report_.fault(entry.provider.spot, {"a second credential is " + std::string(not_supported_yet)});
    } else if (!entry.credentials.empty()) {
      tenant.credentials.emplace_back(found - providers.begin(), std::move(entry.credentials.front()));
    }
  }

  void take_key(Tenant& tenant, KeyEntry& entry) {
    policy::Key& key = entry.key;
    key.tenant = tenant.name;
    key.id = tenant.name + "/" + key.name;
    key.managed_by_config = true;
    key.settings.rights = take_rights(entry.rights);
    if (!entry.has_digest) entry.digest = sha256(entry.secret.reveal());
    key.digest = entry.digest;
    const auto [known, added] = owners_.emplace(key.digest, key.id);
    // What could not be read, or stands for a reference that is not resolved, is no key that others could have too.
    const bool unread = !entry.has_digest && (entry.secret.empty() || entry.secret.reveal() == placeholder);
    if (!added && !unread) report_.fault(entry.spot, {"this is the key of '" + known->second + "' too"});
    const auto namesakes = std::count_if(tenant.keys.begin(), tenant.keys.end(),
                                         [&key](const policy::Key& other) { return other.name == key.name; });
    if (namesakes > 0) {
      key.id += "/" + std::to_string(namesakes + 1);
      if (namesakes > 1) report_.fault(entry.spot, {"a third key of one name; two are enough for a rotation"});
    }
    tenant.keys.push_back(std::move(key));
  }

  Snapshot& snapshot_;
  Report& report_;
  std::map<Digest, std::string> owners_;
};

void check_reach(const Document& document, const Snapshot& snapshot, Report& report) {
  const ServerSettings& server = snapshot.server;
  if (server.auth == Auth::keys && snapshot.tenants.empty())
    report.fault(document.auth_spot, {"there are no tenants whose keys could be asked for", "add tenants: {NAME: {}}"});
  if (server.auth == Auth::open && !snapshot.tenants.empty())
    report.fault(document.auth_spot, {"with auth: open nobody would need the tenants' keys", "remove one of the two"});
  if (server.auth == Auth::open || !snapshot.tenants.empty()) return;
  for (const ListenAddress& address : server.listen) {
    if (!address.loopback && !address.text.empty())
      report.fault(document.listen_spot,
                   {"'" + address.text + "' is reached from outside, and there are no tenants with keys",
                    "add tenants: {NAME: {}} and make a key with: tollgate keys create --tenant NAME --name KEY; or "
                    "say server.auth: open, and everybody who reaches the address spends the money"});
  }
}

}  // namespace

void assemble_tenants(Document& document, Snapshot& snapshot, Report& report) {
  for (GroupEntry& entry : document.groups) snapshot.groups.push_back(std::move(entry.group));
  for (AlertEntry& entry : document.alerts) snapshot.alerts.push_back(std::move(entry.channel));
  TenantAssembler assembler(snapshot, report);
  for (TenantEntry& entry : document.tenants) assembler.take(entry);
  snapshot.request_tags = document.request_tags;
  snapshot.budget_status = document.budget_status;
  if (document.storage.given || !snapshot.tenants.empty()) {
    const std::filesystem::path usual = std::filesystem::path(document.storage.folder) / usual_storage;
    snapshot.storage.path = document.storage.path.empty() ? usual.lexically_normal().string() : document.storage.path;
    snapshot.storage.retention = document.storage.retention;
  }
  snapshot.ledger = document.ledger;
  if (snapshot.ledger.journal.empty() && !snapshot.storage.path.empty()) {
    snapshot.ledger.journal = (std::filesystem::path(snapshot.storage.path).parent_path() / usual_journal).string();
  }
  snapshot.server.trusted_networks = policy::parse_networks(snapshot.server.trusted_proxies);
  check_reach(document, snapshot, report);
}

namespace {

std::vector<Name> names_of(const std::vector<std::string>& texts) {
  std::vector<Name> names;
  for (const std::string& text : texts) names.push_back({text});
  return names;
}

RightsEntry entry_of(const policy::Rights& rights) {
  RightsEntry entry;
  entry.has_allow = rights.allow.has_value();
  if (rights.allow) {
    entry.allowed_routes = names_of(rights.allow->routes);
    entry.allowed_models = names_of(rights.allow->models);
  }
  entry.denied_routes = names_of(rights.deny.routes);
  entry.denied_models = names_of(rights.deny.models);
  return entry;
}

}  // namespace

void add_tenants(const Snapshot& snapshot, Document& document) {
  document.storage.path = snapshot.storage.path;
  document.request_tags = snapshot.request_tags;
  document.budget_status = snapshot.budget_status;
  document.storage.retention = snapshot.storage.retention;
  document.ledger = snapshot.ledger;
  for (const Group& group : snapshot.groups) document.groups.push_back({group});
  for (const AlertChannel& channel : snapshot.alerts) document.alerts.push_back({channel});
  for (const Tenant& tenant : snapshot.tenants) {
    TenantEntry entry;
    entry.tenant = tenant;
    if (tenant.group) entry.group.text = snapshot.groups[*tenant.group].name;
    entry.rights = entry_of(tenant.rights);
    for (const auto& [provider, credential] : tenant.credentials)
      entry.credentials.push_back({{snapshot.providers[provider].name}, {credential}});
    for (const policy::Key& key : tenant.keys) {
      // Nobody learns a key from here, nor a digest to try keys against.
      KeyEntry shown;
      shown.key = key;
      shown.secret = Secret("shown as ***");
      shown.rights = entry_of(key.settings.rights);
      entry.keys.push_back(std::move(shown));
    }
    document.tenants.push_back(std::move(entry));
  }
}

}  // namespace tollgate::config
