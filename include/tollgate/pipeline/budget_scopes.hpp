#pragma once
// The budgets of one configuration, ready for its requests, and all of them as operators see them.
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/pipeline/live_state.hpp"
#include "tollgate/pipeline/money_figures.hpp"
#include "tollgate/policy/budget_book.hpp"
#include "tollgate/policy/end_user_budgets.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::pipeline {

/// In the order of the snapshot's lists; null where there are none. A key's own are with the key (policy::KnownKey).
struct BudgetScopes {
  std::vector<std::shared_ptr<const policy::BudgetList>> groups, tenants, routes, models;
  std::vector<policy::EndUserBudgets::Settings> end_users;  ///< of each tenant, for LiveState::end_user_budgets
  bool for_all = false;  ///< some route or model has some, which open callers meet too
  LiveState* live = nullptr;
};

/// Puts the configuration's budgets in force at once. One that was there keeps what it has counted.
std::shared_ptr<const BudgetScopes> budget_scopes(const config::Snapshot& snapshot, LiveState& live, SystemTime now);

/// Whose a budget of the configuration is. Views into the snapshot, but for `owner`.
struct NamedBudget {
  policy::ScopeKind kind{};
  std::string owner;        ///< "tenant/key" for a key's
  std::string_view tenant;  ///< empty for groups, routes and models
  const policy::BudgetSettings* settings = nullptr;
  /// "tenant/acme/monthly": what operators call it. Its id is made of it.
  std::string path() const { return policy::budget_path(kind, owner, settings->name); }
  std::uint64_t id() const { return policy::budget_id(kind, owner, settings->name); }
};
/// All of a configuration, each once, but for those of end users, of whom there may be any number.
std::vector<NamedBudget> budgets_in(const config::Snapshot& snapshot);

/// For metrics. `budget` is the name for a tenant's own, "key/name" for a key's, and the path for all others.
std::vector<BudgetFigures> budget_figures(const config::Snapshot& snapshot, const LiveState& live, SystemTime now);

}  // namespace tollgate::pipeline
