#include "tollgate/pipeline/budget_scopes.hpp"

#include <algorithm>

namespace tollgate::pipeline {

using policy::ScopeKind;

std::shared_ptr<const BudgetScopes> budget_scopes(const config::Snapshot& snapshot, LiveState& live, SystemTime now) {
  auto scopes = std::make_shared<BudgetScopes>();
  scopes->live = &live;
  const auto fill = [&](auto& into, const auto& items, ScopeKind kind) {
    for (const auto& item : items) into.push_back(live.budgets.list(kind, item.name, item.budgets, now));
  };
  fill(scopes->groups, snapshot.groups, ScopeKind::group);
  fill(scopes->tenants, snapshot.tenants, ScopeKind::tenant);
  fill(scopes->routes, snapshot.routes, ScopeKind::route);
  fill(scopes->models, snapshot.models, ScopeKind::model);
  for (const config::Tenant& tenant : snapshot.tenants) {
    const auto& budgets = tenant.end_user_budgets;
    scopes->end_users.push_back(budgets.empty() ? nullptr
                                                : std::make_shared<const std::vector<policy::BudgetSettings>>(budgets));
  }
  const auto there = [](const auto& list) { return list != nullptr; };
  scopes->for_all = std::any_of(scopes->routes.begin(), scopes->routes.end(), there) ||
                    std::any_of(scopes->models.begin(), scopes->models.end(), there);
  return scopes;
}

std::vector<NamedBudget> budgets_in(const config::Snapshot& snapshot) {
  std::vector<NamedBudget> all;
  const auto add = [&all](ScopeKind kind, const std::string& owner, std::string_view tenant, const auto& budgets) {
    for (const policy::BudgetSettings& settings : budgets) all.push_back({kind, owner, tenant, &settings});
  };
  for (const config::Group& group : snapshot.groups) add(ScopeKind::group, group.name, {}, group.budgets);
  for (const config::Tenant& tenant : snapshot.tenants) {
    add(ScopeKind::tenant, tenant.name, tenant.name, tenant.budgets);
    for (auto key = tenant.keys.begin(); key != tenant.keys.end(); ++key) {
      // Two keys of one name have the same budgets.
      const bool again =
          std::any_of(tenant.keys.begin(), key, [&](const policy::Key& other) { return other.name == key->name; });
      if (!again) add(ScopeKind::key, budget_owner(*key), tenant.name, key->settings.budgets);
    }
  }
  for (const config::Route& route : snapshot.routes) add(ScopeKind::route, route.name, {}, route.budgets);
  for (const config::Model& model : snapshot.models) add(ScopeKind::model, model.name, {}, model.budgets);
  return all;
}

std::vector<BudgetFigures> budget_figures(const config::Snapshot& snapshot, const LiveState& live, SystemTime now) {
  std::vector<BudgetFigures> figures;
  for (const NamedBudget& named : budgets_in(snapshot)) {
    const auto budget = live.budgets.find(named.id());
    if (!budget) continue;
    const policy::BudgetStanding standing = budget->standing(now);
    std::string name = named.tenant.empty() ? named.path() : named.settings->name;
    if (named.kind == ScopeKind::key) name = named.owner.substr(named.tenant.size() + 1) + "/" + name;
    figures.push_back({.tenant = std::string(named.tenant),
                       .budget = std::move(name),
                       .limit = standing.limit,
                       .spent = standing.spent,
                       .reserved = standing.held,
                       .overshoot = standing.overshoot_ever});
  }
  return figures;
}

}  // namespace tollgate::pipeline
