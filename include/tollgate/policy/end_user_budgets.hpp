#pragma once
// Budgets of end users, of whom a client may name any number: a table of bounded size in front of Budget, as
// end_users.hpp is for limits.
#include "tollgate/policy/budget_book.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tollgate::policy {

/// Lists of budgets by tenant and end user. Any thread.
class EndUserBudgets {
 public:
  using Settings = std::shared_ptr<const std::vector<BudgetSettings>>;

  /// Holds at most `capacity` end users, and one more list per tenant for its overflow. The book gives opening balances
  /// and has to outlive this.
  EndUserBudgets(std::size_t capacity, BudgetBook& book);

  /// The budgets of an end user, known by a hash of its name; made, or found and configured anew where `settings` is
  /// another list than last time. Their owner is "tenant/0123456789abcdef". Null: `settings` is null or empty.
  ///
  /// Where the table is full, one takes the place of another that nobody holds and that has spent nothing in a window
  /// that is not over. Where none of a few is such, this end user shares the tenant's one overflow list, "tenant/*",
  /// with all others of whom that is true: made-up names gain a tenant nothing beyond the table.
  std::shared_ptr<const BudgetList> list(std::string_view tenant, std::uint64_t end_user, const Settings& settings,
                                         SystemTime now);

  std::size_t size() const;  ///< without the overflows

 private:
  struct Entry {
    std::shared_ptr<const BudgetList> list;
    Settings settings;  ///< that `list` was made by
  };
  struct Name {
    std::string tenant;
    std::uint64_t end_user = 0;
  };
  struct Sought {
    std::string_view tenant;
    std::uint64_t end_user = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Sought& sought) const;
    std::size_t operator()(const Name& name) const { return (*this)(Sought{name.tenant, name.end_user}); }
  };
  struct Same {
    using is_transparent = void;
    template <class One, class Other>
    bool operator()(const One& one, const Other& other) const {
      return one.end_user == other.end_user && one.tenant == other.tenant;
    }
  };
  using Entries = std::unordered_map<Name, Entry, Hash, Same>;
  struct Shard {
    mutable std::mutex mutex;  ///< over all below; taken before the locks of the book and of a budget
    Entries entries;
    std::size_t capacity = 0;
    std::vector<const Entries::value_type*> ring;  ///< all of `entries`, whose nodes never move
    std::size_t hand = 0;                          ///< where in the ring to look for room next
  };

  std::shared_ptr<const BudgetList> find(Shard& shard, const Sought& sought, const Settings& settings, SystemTime now);
  Entries::iterator find_at_rest(Shard& shard, SystemTime now) const;
  void configure(Entry& entry, const std::string& owner, const Settings& settings, SystemTime now);
  std::shared_ptr<const BudgetList> overflow(std::string_view tenant, const Settings& settings, SystemTime now);

  BudgetBook& book_;
  std::vector<Shard> shards_;
  std::mutex overflow_mutex_;
  std::map<std::string, Entry, std::less<>> overflows_;  ///< as many as tenants at most
};

}  // namespace tollgate::policy
