// Cross-checks of budgets: names that stand twice, models that nobody may be downgraded to, money that would be
// forgotten with every restart.
#include "config/assemble_budgets.hpp"

#include "config/words.hpp"

#include <algorithm>
#include <cmath>

namespace tollgate::config {

namespace {

using policy::BudgetSettings;
using policy::WhenSpent;

constexpr double millionths = 1'000'000;

class BudgetAssembler {
 public:
  BudgetAssembler(const Snapshot& snapshot, const std::vector<std::string>* alerts, Report& report)
      : snapshot_(snapshot), alerts_(alerts), report_(report) {}

  /// `rights`: of all who are meant by it, with whose they are.
  struct Caller {
    const Tenant& tenant;
    const policy::Rights* key = nullptr;
  };
  std::vector<BudgetSettings> take(std::vector<BudgetEntry>& entries, const std::vector<Caller>& callers,
                                   const Model* of = nullptr) {
    std::vector<BudgetSettings> budgets;
    for (BudgetEntry& entry : entries) {
      BudgetSettings& settings = entry.settings;
      const bool known = std::any_of(budgets.begin(), budgets.end(),
                                     [&](const BudgetSettings& other) { return other.name == settings.name; });
      if (known && !settings.name.empty()) report_.fault(entry.spot, {"there is a budget of this name already"});
      check_storage(entry);
      settings.stop_at = entry.stop_at;
      settings.alert_at.clear();
      for (const double share : entry.alert_at)
        settings.alert_at.push_back(static_cast<std::uint32_t>(std::lround(share * millionths)));
      std::sort(settings.alert_at.begin(), settings.alert_at.end());
      settings.alert_at.erase(std::unique(settings.alert_at.begin(), settings.alert_at.end()), settings.alert_at.end());
      if (settings.when_spent == WhenSpent::downgrade) check_model(entry.downgrade_to, callers, of);
      settings.downgrade_to = entry.downgrade_to.text;
      for (const Name& name : entry.notify) {
        check_alert(name);
        settings.notify.push_back(name.text);
      }
      budgets.push_back(std::move(settings));
    }
    return budgets;
  }

  /// Keys of one name, as a rotation has them, spend the same money.
  void check_namesakes(const Tenant& tenant, const std::vector<KeyEntry>& entries) {
    for (std::size_t i = 1; i < tenant.keys.size(); ++i) {
      const policy::Key& key = tenant.keys[i];
      const auto first = std::find_if(tenant.keys.begin(), tenant.keys.end(),
                                      [&key](const policy::Key& other) { return other.name == key.name; });
      if (first->settings.budgets != key.settings.budgets)
        report_.fault(entries[i].spot,
                      {"two keys of one name need the same budgets, since they spend from them together"});
    }
  }

 private:
  void check_storage(const BudgetEntry& entry) {
    if (!snapshot_.storage.path.empty() || entry.settings.is_volatile || entry.settings.when_spent == WhenSpent::shadow)
      return;
    report_.fault(entry.spot, {"without storage this budget would begin at 0 with every start of the gateway",
                               "write storage: {path: var/tollgate.db}; or volatile: true below the budget"});
  }

  void check_model(const Name& name, const std::vector<Caller>& callers, const Model* of) {
    if (name.text.empty() || name.unset) return;
    const Resolution resolution = snapshot_.resolve(name.text);
    if (!resolution.model || resolution.route) {
      std::vector<std::string> names;
      for (const Model& model : snapshot_.models) names.push_back(model.name);
      report_.fault(name.spot,
                    {"no model has this name, and no model with a '*' covers it", did_you_mean(name.text, names)});
      return;
    }
    if (resolution.model == of) {
      report_.fault(name.spot, {"this is the model whose money is spent then"});
      return;
    }
    for (const Caller& caller : callers) {
      const bool may = snapshot_.permits(caller.tenant.rights, resolution) &&
                       (caller.key == nullptr || snapshot_.permits(*caller.key, resolution));
      if (may) continue;
      report_.fault(name.spot, {(caller.key ? "this key of the tenant '" : "the tenant '") + caller.tenant.name +
                                    "' may not call this model",
                                "name it below allow.models"});
      return;
    }
  }

  /// Which alerts there are is not known before there are any.
  void check_alert(const Name& name) {
    if (alerts_ == nullptr || name.text.empty() || name.unset) return;
    if (std::find(alerts_->begin(), alerts_->end(), name.text) == alerts_->end())
      report_.fault(name.spot, {"no alert has this name", did_you_mean(name.text, *alerts_)});
  }

  const Snapshot& snapshot_;
  const std::vector<std::string>* alerts_;
  Report& report_;
};

/// The tenants of a group.
std::vector<BudgetAssembler::Caller> members(const Snapshot& snapshot, std::size_t group) {
  std::vector<BudgetAssembler::Caller> callers;
  for (const Tenant& tenant : snapshot.tenants) {
    if (tenant.group == group) callers.push_back({tenant});
  }
  return callers;
}

std::vector<BudgetEntry> entries_of(const std::vector<BudgetSettings>& budgets) {
  std::vector<BudgetEntry> entries;
  for (const BudgetSettings& settings : budgets) {
    BudgetEntry& entry = entries.emplace_back();
    entry.settings = settings;
    entry.stop_at = settings.stop_at;
    entry.alert_at.clear();
    for (const std::uint32_t share : settings.alert_at) entry.alert_at.push_back(share / millionths);
    entry.downgrade_to.text = settings.downgrade_to;
    for (const std::string& name : settings.notify) entry.notify.push_back({name});
  }
  return entries;
}

}  // namespace

// Everything of the snapshot is in the order of the document's entries (models that stand in for unresolved references
// come after them).
void assemble_budgets(Document& document, Snapshot& snapshot, Report& report) {
  BudgetAssembler assembler(snapshot, nullptr, report);
  for (std::size_t i = 0; i < document.groups.size(); ++i)
    snapshot.groups[i].budgets = assembler.take(document.groups[i].budgets, members(snapshot, i));
  for (std::size_t i = 0; i < document.models.size(); ++i)
    snapshot.models[i].budgets = assembler.take(document.models[i].budgets, {}, &snapshot.models[i]);
  for (std::size_t i = 0; i < document.routes.size(); ++i)
    snapshot.routes[i].budgets = assembler.take(document.routes[i].budgets, {});
  for (std::size_t i = 0; i < document.tenants.size(); ++i) {
    Tenant& tenant = snapshot.tenants[i];
    TenantEntry& entry = document.tenants[i];
    tenant.budgets = assembler.take(entry.budgets, {{tenant}});
    tenant.end_user_budgets = assembler.take(entry.end_user_budgets, {{tenant}});
    for (std::size_t j = 0; j < entry.keys.size(); ++j) {
      policy::KeySettings& key = tenant.keys[j].settings;
      key.budgets = assembler.take(entry.keys[j].budgets, {{tenant, &key.rights}});
    }
    assembler.check_namesakes(tenant, entry.keys);
  }
}

void add_budgets(const Snapshot& snapshot, Document& document) {
  for (std::size_t i = 0; i < document.groups.size(); ++i)
    document.groups[i].budgets = entries_of(snapshot.groups[i].budgets);
  for (std::size_t i = 0; i < document.models.size(); ++i)
    document.models[i].budgets = entries_of(snapshot.models[i].budgets);
  for (std::size_t i = 0; i < document.routes.size(); ++i)
    document.routes[i].budgets = entries_of(snapshot.routes[i].budgets);
  for (std::size_t i = 0; i < document.tenants.size(); ++i) {
    const Tenant& tenant = snapshot.tenants[i];
    document.tenants[i].budgets = entries_of(tenant.budgets);
    document.tenants[i].end_user_budgets = entries_of(tenant.end_user_budgets);
    for (std::size_t j = 0; j < tenant.keys.size(); ++j)
      document.tenants[i].keys[j].budgets = entries_of(tenant.keys[j].settings.budgets);
  }
}

}  // namespace tollgate::config
