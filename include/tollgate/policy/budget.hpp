#pragma once
// How much of an amount is spent and how much of it is held for calls in flight. What a call takes of several budgets
// at once is budget_hold.hpp. reliability.md, section 6.7.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/base/small_lock.hpp"
#include "tollgate/policy/budget_events.hpp"
#include "tollgate/policy/budget_settings.hpp"
#include "tollgate/policy/limit_scope.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::policy {

__extension__ typedef __int128 ExactNanos;  ///< sums of money that no number of calls makes overflow

/// "tenant/acme/monthly": what people call a budget.
std::string budget_path(ScopeKind kind, std::string_view owner, std::string_view name);
/// Which budget: the first 8 bytes of the SHA-256 of its path, as a big-endian number.
std::uint64_t budget_id(std::string_view path);
std::uint64_t budget_id(ScopeKind kind, std::string_view owner, std::string_view name);

/// A budget as operators see it.
struct BudgetStanding {
  WindowSpan window;
  Money amount;            ///< as it is set
  Money limit;             ///< with all grants that hold now
  Money spent, held;       ///< in this window
  Money overshoot;         ///< what calls have cost beyond what was held for them
  Money overshoot_ever;    ///< the same, of all windows since the start of the process
  std::uint64_t beyond{};  ///< requests that went on without room: `alert`, `shadow`
};

/// One budget, shared by all workers, under a small lock of its own. Counts are by window: a call in flight over the
/// end of one is settled in the window in which it was reserved. Any thread.
class Budget {
 public:
  Budget(ScopeKind kind, std::string owner, const BudgetSettings& settings, std::shared_ptr<BudgetBell> bell = nullptr);
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  std::uint64_t id() const { return id_; }
  ScopeKind kind() const { return kind_; }
  const std::string& owner() const { return owner_; }
  const std::string& name() const { return name_; }

  /// Whether these settings may go on with the counts of this one: name, window and zone are the same.
  bool continues(const BudgetSettings& settings) const;
  /// Takes effect at once; what is counted stays. Only settings that it continues.
  void configure(const BudgetSettings& settings, SystemTime now);
  /// Adds what was spent before this process, if the window that begins at `window` (Unix seconds) is the one of now.
  /// What has been told of it before is not told again.
  void prime(std::int64_t window, Money spent, SystemTime now);
  /// All that there are now, instead of those before.
  void set_grants(std::vector<Grant> grants, SystemTime now);

  std::shared_ptr<const BudgetSettings> settings() const;
  BudgetStanding standing(SystemTime now) const;
  /// Nothing held, and nothing spent in a window that is not over: a new one would be no different.
  bool at_rest(SystemTime now) const;

 private:
  friend class BudgetWork;  // what holds do, several budgets in one step

  /// Of one window. `told` has a bit per threshold, then the other kinds of news.
  struct Count {
    WindowSpan window;
    std::int64_t key = 0;
    ExactNanos spent = 0, held = 0, overshoot = 0;
    std::uint64_t beyond = 0;
    std::uint32_t told = 0;
    ExactNanos next_alert = 0;  ///< what has to be spent before there is anything to tell of a threshold
  };

  Count& count_at(SystemTime now) {
    if (counts_[current_].window.contains(now)) return counts_[current_];
    return begin_window(now);
  }
  Count& begin_window(SystemTime now);
  const Count* known_count(SystemTime now) const;
  void refresh_limit(SystemTime now);
  void find_next_alert(Count& count) const;
  void forget_what_is_not_true(const BudgetSettings& before, ExactNanos limit_before);
  ExactNanos alert_amount(std::uint32_t threshold) const;

  const ScopeKind kind_;
  const std::string owner_, name_;
  const std::uint64_t id_;
  const std::shared_ptr<BudgetBell> bell_;
  mutable SmallLock lock_;  ///< over all below
  std::shared_ptr<const BudgetSettings> settings_;
  std::vector<Grant> grants_;
  /// Two, so that neither a clock that is set back nor a call over the end of a window loses a count.
  std::array<Count, 2> counts_;
  std::size_t current_ = 0;
  ExactNanos overshoot_ever_ = 0;
  // What holds from limit_from_ until limit_until_, when a grant ends.
  ExactNanos limit_ = 0, stop_ = 0;
  SystemTime limit_from_ = SystemTime::max(), limit_until_ = SystemTime::min();
};

}  // namespace tollgate::policy
