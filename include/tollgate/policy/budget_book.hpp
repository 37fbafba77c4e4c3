#pragma once
// Where budgets live, so that a reload finds them as they were; and what is known of those that are not there yet.
#include "tollgate/policy/budget_hold.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tollgate::policy {

/// Budgets by id, with the grants and opening balances of all ids, also of such as no configuration names now. Any
/// thread; meant for a reload, a new key and a new end user, not for every request.
class BudgetBook {
 public:
  BudgetBook() : bell_(std::make_shared<BudgetBell>()) {}

  /// Who is told of thresholds; null: nobody. Told to a listener before that no more, once this returns.
  void connect(BudgetEvents* listener) { bell_->connect(listener); }

  /// The budgets of one owner, found again by their names and configured, or made. One whose window or zone has changed
  /// begins at 0; calls in flight end in the old one. Null: there are none.
  std::shared_ptr<const BudgetList> list(ScopeKind kind, std::string_view owner,
                                         std::span<const BudgetSettings> settings, SystemTime now);
  /// Null: there is none.
  std::shared_ptr<Budget> find(std::uint64_t id) const;

  /// What was spent before this process in the window that begins at `window` (Unix seconds). Once for each.
  void prime(std::uint64_t id, std::int64_t window, Money spent, SystemTime now);
  /// More until then, at once. Whoever calls it keeps it over a restart. Grants that are over are forgotten.
  void grant(std::uint64_t id, Grant grant, SystemTime now);
  std::vector<Grant> grants(std::uint64_t id, SystemTime now) const;

  /// Forgets what nobody holds and what is at rest: nothing is forgiven by it. Returns how many went.
  std::size_t sweep(SystemTime now);
  std::size_t size() const;

  /// For a table of its own (EndUserBudgets): a budget with its opening balance, which this book does not keep.
  std::shared_ptr<Budget> make(ScopeKind kind, std::string_view owner, const BudgetSettings& settings, SystemTime now);

 private:
  using Balances = std::map<std::int64_t, Money>;  // by the begin of a window

  std::shared_ptr<Budget> make_locked(ScopeKind kind, std::string_view owner, const BudgetSettings& settings,
                                      SystemTime now);

  const std::shared_ptr<BudgetBell> bell_;
  mutable std::mutex mutex_;  ///< over all below; taken before the lock of a budget
  std::unordered_map<std::uint64_t, std::shared_ptr<Budget>> budgets_;
  std::unordered_map<std::uint64_t, Balances> opening_;  ///< of budgets that are not made yet
  std::unordered_map<std::uint64_t, std::vector<Grant>> grants_;
};

}  // namespace tollgate::policy
