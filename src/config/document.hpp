#pragma once
#include "tollgate/config/snapshot.hpp"

#include "config/price_entries.hpp"
#include "config/value.hpp"

#include <string>
#include <vector>

/// The file's own shape, between its text and the snapshot: names still point at things by name and know where they
/// stand, so that everything can be read before anything is joined, and all faults come at once.
namespace tollgate::config {

/// A name that points at something else in the file.
struct Name {
  std::string text;
  Spot spot{};
  bool unset = false;  ///< came out of an unresolved reference: points at nothing, and is not asked to
};

/// One of `budgets:`.
struct BudgetEntry {
  policy::BudgetSettings settings;  ///< without downgrade_to, alert_at and notify
  std::optional<Money> stop_at;
  std::vector<double> alert_at{0.5, 0.8, 1};
  Name downgrade_to;
  std::vector<Name> notify;
  Spot spot{};  ///< of its name
};

struct ProviderEntry {
  Provider provider;  ///< without prices
  Spot spot{};
  Name prices{};  ///< empty: those under its own name
};

struct TargetEntry {
  Name provider;
  std::string name;  ///< of the model at the provider; empty: as the model is called here
  double weight = 1;
};

struct ModelEntry {
  Model model;         ///< without its targets
  TargetEntry single;  ///< the short form: provider and name beside each other
  std::vector<TargetEntry> targets;
  std::vector<BudgetEntry> budgets{};
  Spot spot{};
};

/// Keys that a task has from its route, and a route from the defaults, where it does not have its own.
struct EffortEntry {
  std::optional<Millis> deadline, base, max;
  std::optional<std::uint64_t> attempts;
  std::optional<OnTimeout> on_timeout;
  std::optional<double> hedge_share;
  std::optional<Millis> hedge_after;
  std::optional<bool> affinity, asks_others_of_refused_content, ends_overrun, refuses_untranslated, repairs_output;
};

struct DispatchEntry {
  Name primary;  ///< empty: none given
  std::vector<Name> fallbacks;
  bool has_fallbacks = false;  ///< an empty list is one
  EffortEntry effort;
};

struct TaskEntry {
  std::string name;
  DispatchEntry dispatch;
  Spot spot{};
};

struct RouteEntry {
  Route route;  ///< without match, dispatch and tasks
  std::vector<Name> match;
  DispatchEntry dispatch;
  std::vector<TaskEntry> tasks;
  std::vector<BudgetEntry> budgets{};
  Spot spot{};
};

/// What may be called, by names that are looked up when everything is read.
struct RightsEntry {
  bool has_allow = false;
  std::vector<Name> allowed_routes, allowed_models, denied_routes, denied_models;
};

struct KeyEntry {
  policy::Key key;
  Secret secret;  ///< either the key's own text
  Digest digest{};
  bool has_digest = false;  ///< or its digest
  RightsEntry rights;
  std::vector<BudgetEntry> budgets{};
  Spot spot{};
};

/// A tenant's own credentials for one provider.
struct CredentialsEntry {
  Name provider;
  std::vector<Credential> credentials;
};

struct TenantEntry {
  Tenant tenant;  ///< without group, keys, rights and credentials
  Name group;
  std::vector<KeyEntry> keys;
  RightsEntry rights;
  std::vector<CredentialsEntry> credentials;
  std::vector<BudgetEntry> budgets{}, end_user_budgets{};
  Spot spot{};
};

struct AlertEntry {
  AlertChannel channel;
  Spot spot{};
};

struct GroupEntry {
  Group group;
  std::vector<BudgetEntry> budgets{};
  Spot spot{};
};

/// `storage:` as written.
struct StorageEntry {
  bool given = false;
  std::string path;    ///< absolute
  std::string folder;  ///< of the root file, for the default path
  Millis retention = StorageSettings().retention;
};

struct Document {
  Document();
  std::size_t version = 1;
  std::vector<Name> include;
  ServerSettings server;
  AdminSettings admin;
  MetricsSettings metrics;
  LogSettings log;
  EffortEntry defaults;
  std::vector<ProviderEntry> providers;
  std::vector<ModelEntry> models;
  std::vector<RouteEntry> routes;
  std::vector<GroupEntry> groups;
  std::vector<TenantEntry> tenants;
  std::vector<AlertEntry> alerts;
  StorageEntry storage;
  std::string price_file;
  PriceFile prices;            ///< what stands in it
  bool prices_unread = false;  ///< there is one, and it was not to be had
  OnUnpriced on_unpriced = OnUnpriced::reject;
  std::optional<policy::PriceRow> fallback_price;
  LedgerSettings ledger;
  std::vector<std::string> request_tags;
  std::uint16_t budget_status = 429;
  Spot listen_spot, auth_spot;  ///< server.listen and server.auth, judged when all files are read
};

/// An included file: it adds to the same document, but may hold named entries only: providers, models, routes, groups,
/// tenants, alerts.
struct Included {
  Document& document;
};

// The tables. describe_server.cpp
void describe(Keys& keys, Document& document);
void describe(Keys& keys, Included& included);
void describe(Keys& keys, ServerSettings& server);
void describe(Keys& keys, AdminSettings& admin);
void describe(Keys& keys, MetricsSettings& metrics);
void describe(Keys& keys, LogSettings& log);
// describe_alerts.cpp
Dictionary alerts_of(Document& document);
void describe(Keys& keys, AlertEntry& alert);
void describe(Keys& keys, LedgerSettings& ledger);
// describe_provider.cpp
Dictionary providers_of(Document& document);
void describe(Keys& keys, ProviderEntry& provider);
// describe_simulator.cpp
void describe(Keys& keys, SimulatorSettings& simulator);
// describe_models.cpp
Dictionary models_of(Document& document);
Dictionary routes_of(Document& document);
void describe(Keys& keys, ModelEntry& model);
void describe(Keys& keys, RouteEntry& route);

// describe_tenants.cpp
Dictionary groups_of(Document& document);
Dictionary tenants_of(Document& document);
void describe(Keys& keys, GroupEntry& group);
void describe(Keys& keys, TenantEntry& tenant);
/// A name that points at something else, held back with its place until everything is read.
Scalar name_of(Name& name, Star star);
/// `limits:` of a group, tenant, key, end user, route or model; left out when shown where none is set.
Block limits_of(policy::Limits& limits);
// describe_budgets.cpp
void describe(Keys& keys, BudgetEntry& budget);
/// `budgets:` of a group, tenant, key, route or model, or end users' under a key of their own.
void describe_budgets(Keys& keys, std::vector<BudgetEntry>& budgets, std::string_view key = "budgets",
                      std::string_view meaning = "how much may be spent, and over which time");
/// The scalar, which also keeps where it was read.
Scalar placed(Scalar scalar, Spot& spot);
// describe_provider.cpp
void describe(Keys& keys, Credential& credential);
void check_credentials(Keys& keys, std::string_view key, const std::vector<Credential>& credentials);

/// Keys of a task, a route and `defaults`.
void describe(Keys& keys, EffortEntry& effort);
void describe(Keys& keys, TaskEntry& task);
/// Keys of a route, and of `defaults`, that are not supported yet.
void refuse_later_route_keys(Keys& keys);

/// Named entries in the order of the file. Each name once, over all files.
template <class Entry, class NameOf>
Dictionary entries_of(std::vector<Entry>& entries, Star star, NameOf name_of) {
  return {name_pattern(star),
          [&entries, star, name_of](const std::string& name, const Spot& spot) -> Parsed<Value> {
            if (auto problem = check_name(name, star)) return *problem;
            for (Entry& entry : entries) {
              if (name_of(entry) == name)
                return Problem{"already defined at " + entry.spot.file + ":" + std::to_string(entry.spot.line) + ":" +
                               std::to_string(entry.spot.column)};
            }
            Entry& entry = entries.emplace_back();
            name_of(entry) = name;
            entry.spot = spot;
            return Value(Block{[&entry](Keys& keys) { describe(keys, entry); }});
          },
          [&entries, name_of] {
            std::vector<std::pair<std::string, Value>> values;
            for (Entry& entry : entries)
              values.emplace_back(name_of(entry), Block{[&entry](Keys& keys) { describe(keys, entry); }});
            return values;
          }};
}

}  // namespace tollgate::config
