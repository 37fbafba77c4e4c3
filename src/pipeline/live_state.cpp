#include "tollgate/pipeline/live_state.hpp"

#include <algorithm>

namespace tollgate::pipeline {

using policy::ScopeKind;

std::shared_ptr<const LimitScopes> limit_scopes(const config::Snapshot& snapshot, LiveState& live, SteadyTime now) {
  auto scopes = std::make_shared<LimitScopes>();
  scopes->live = &live;
  const auto fill = [&](auto& into, const auto& items, ScopeKind kind) {
    for (const auto& item : items)
      into.push_back(item.limits.any() ? live.limits.scope(kind, item.name, item.limits, now) : nullptr);
  };
  fill(scopes->groups, snapshot.groups, ScopeKind::group);
  fill(scopes->tenants, snapshot.tenants, ScopeKind::tenant);
  fill(scopes->routes, snapshot.routes, ScopeKind::route);
  fill(scopes->models, snapshot.models, ScopeKind::model);
  const auto limited = [](const auto& scope) { return scope != nullptr; };
  scopes->for_all = std::any_of(scopes->routes.begin(), scopes->routes.end(), limited) ||
                    std::any_of(scopes->models.begin(), scopes->models.end(), limited);
  return scopes;
}

std::shared_ptr<const policy::KnownKey> known_key(policy::Key key, LiveState& live, SteadyTime now, SystemTime wall) {
  auto known = std::make_shared<policy::KnownKey>();
  known->networks = policy::parse_networks(key.settings.addresses);
  if (key.settings.limits.any()) known->limits = live.limits.scope(ScopeKind::key, key.id, key.settings.limits, now);
  known->budgets = live.budgets.list(ScopeKind::key, budget_owner(key), key.settings.budgets, wall);
  known->key = std::move(key);
  return known;
}

std::string budget_owner(const policy::Key& key) { return key.tenant + "/" + key.name; }

}  // namespace tollgate::pipeline
