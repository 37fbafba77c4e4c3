#pragma once
// What outlives a configuration: the levels of its limits and budgets, and how its targets fare. Shared by all workers.
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/pipeline/health.hpp"
#include "tollgate/policy/budget_book.hpp"
#include "tollgate/policy/end_user_budgets.hpp"
#include "tollgate/policy/end_users.hpp"
#include "tollgate/policy/key_table.hpp"
#include "tollgate/policy/limit_book.hpp"
#include "tollgate/policy/thought_store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tollgate::pipeline {

/// By name. Any thread.
struct LiveState {
  policy::LimitBook limits;
  HealthBook health;
  policy::EndUserScopes end_users{most_end_users};
  policy::BudgetBook budgets;
  policy::EndUserBudgets end_user_budgets{most_end_users, budgets};
  policy::ThoughtStore thoughts{most_thoughts};
  static constexpr std::size_t most_end_users = 100'000;
  static constexpr std::size_t most_thoughts = 32 * 1024 * 1024;  ///< bytes
};

/// The limits of one configuration, in the order of its lists; null where there are none.
struct LimitScopes {
  std::vector<std::shared_ptr<policy::LimitScope>> groups, tenants, routes, models;
  bool for_all = false;       ///< some route or model has limits, which open callers meet too
  LiveState* live = nullptr;  ///< for end users
};

/// Puts the configuration's amounts in force at once and gives its scopes. A scope that was there keeps what was used.
std::shared_ptr<const LimitScopes> limit_scopes(const config::Snapshot& snapshot, LiveState& live, SteadyTime now);

/// A key ready for its requests, with the scope of its own limits and its own budgets. `wall` is the time of `now`.
std::shared_ptr<const policy::KnownKey> known_key(policy::Key key, LiveState& live, SteadyTime now, SystemTime wall);

/// Whose a key's budgets are: two keys of one name, as a rotation has them, spend from the same ones.
std::string budget_owner(const policy::Key& key);

}  // namespace tollgate::pipeline
