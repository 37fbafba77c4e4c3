#pragma once
// Budgets of end users, of whom a client may name any number: a table of bounded size in front of Budget, as
// end_users.hpp is for limits.
#include "tollgate/policy/budget_book.hpp"
#include "tollgate/policy/end_user_table.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::policy {

/// Lists of budgets by tenant and end user. Any thread.
class EndUserBudgets {
 public:
  using Settings = std::shared_ptr<const std::vector<BudgetSettings>>;

  /// Holds at most `capacity` end users, and one more list per tenant for its overflow. The book gives opening balances
  /// and has to outlive this.
  EndUserBudgets(std::size_t capacity, BudgetBook& book) : book_(book), entries_(capacity) {}

  /// The budgets of an end user, known by a hash of its name; made, or found and configured anew where `settings` is
  /// another list than last time. Their owner is "tenant/0123456789abcdef". Null: `settings` is null or empty.
  ///
  /// Where the table is full, one takes the place of another that nobody holds and that has spent nothing in a window
  /// that is not over. Where none of a few is such, this end user shares the tenant's one overflow list, "tenant/*",
  /// with all others of whom that is true: made-up names gain a tenant nothing beyond the table.
  std::shared_ptr<const BudgetList> list(std::string_view tenant, std::uint64_t end_user, const Settings& settings,
                                         SystemTime now);

  std::size_t size() const { return entries_.size(); }  ///< without the overflows

 private:
  struct Entry {
    std::shared_ptr<const BudgetList> list;
    Settings settings;  ///< that `list` was made by
  };

  void configure(Entry& entry, const std::string& owner, const Settings& settings, SystemTime now);
  std::shared_ptr<const BudgetList> overflow(std::string_view tenant, const Settings& settings, SystemTime now);

  BudgetBook& book_;
  EndUserTable<Entry> entries_;
  std::mutex overflow_mutex_;
  std::map<std::string, Entry, std::less<>> overflows_;  ///< as many as tenants at most
};

}  // namespace tollgate::policy
