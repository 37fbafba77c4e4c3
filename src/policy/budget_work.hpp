#pragma once
// What a hold does with each of its budgets. What is given a Budget needs its lock.
#include "tollgate/policy/budget_hold.hpp"

#include <optional>
#include <vector>

namespace tollgate::policy {

/// Saturates at what 64 bits reach.
Money to_money(ExactNanos nanos);

/// With whose bell it is told once no lock is held.
struct Told {
  std::shared_ptr<BudgetBell> bell;
  BudgetEvent event;
};
using News = std::vector<Told>;

enum class Room : std::uint8_t {
  enough,
  beyond,  ///< none, but it goes on
  held,    ///< none, because of calls in flight
  spent    ///< none
};

class BudgetWork {
 public:
  using Count = Budget::Count;

  static SmallLock& lock(const Budget& budget) { return budget.lock_; }
  static const BudgetSettings& settings(const Budget& budget) { return *budget.settings_; }
  static Count& count_at(Budget& budget, SystemTime now) {
    if (now < budget.limit_from_ || now >= budget.limit_until_) budget.refresh_limit(now);
    return budget.count_at(now);
  }
  /// Null: that window is too long over to be counted.
  static Count* count_of(Budget& budget, std::int64_t window) {
    for (Count& count : budget.counts_) {
      if (count.key == window && count.window.end != SystemTime{}) return &count;
    }
    return nullptr;
  }
  static Room room(const Budget& budget, const Count& count, std::int64_t worst, bool downgraded) {
    if (worst == 0 || count.spent + count.held + worst <= limit(budget, downgraded)) return Room::enough;
    return why_none(budget, count, worst, downgraded);
  }
  static ExactNanos limit(const Budget& budget, bool downgraded) { return downgraded ? budget.stop_ : budget.limit_; }
  static Money left(Budget& budget, SystemTime now);

  /// Takes the locks of the chain, and leaves them to ring what there is to tell.
  static void reserve(BudgetHold& hold, const BudgetChain& chain, SystemTime now, bool downgraded,
                      std::optional<BudgetDenial>& denial, News& news);
  /// Of an open hold. Takes each lock itself, and rings. Nothing: it was not sent.
  static void end(BudgetHold& hold, std::optional<Money> actual, SystemTime now);
  static void post(Budget& budget, Count& count, std::int64_t actual, std::int64_t worst, SystemTime now, News& news) {
    count.spent += actual;
    if (actual > worst) note_overshoot(budget, count, actual - worst, now, news);
    if (count.spent >= count.next_alert || budget.settings_->forecast) note_news(budget, count, now, &news);
  }
  /// Not of a call that is dearer than the whole limit: that says nothing about the budget.
  static void note_refusal(const Budget& budget, Count& count, std::int64_t worst, SystemTime now, News& news);
  /// Marks as told what has become true. Null: tells nobody.
  static void note_news(const Budget& budget, Count& count, SystemTime now, News* news);
  static void ring(const News& news);

  static constexpr std::uint32_t bit_of(BudgetNews news) {
    return std::uint32_t{1} << (most_thresholds + static_cast<std::size_t>(news));
  }

 private:
  static Room why_none(const Budget& budget, const Count& count, std::int64_t worst, bool downgraded);
  static void note_overshoot(Budget& budget, Count& count, std::int64_t more, SystemTime now, News& news);
  static void note_thresholds(const Budget& budget, Count& count, SystemTime now, News* news);
  static void note_forecast(const Budget& budget, Count& count, SystemTime now, News* news);
  static BudgetEvent& add(const Budget& budget, const Count& count, BudgetNews what, SystemTime now, News& news);
};

}  // namespace tollgate::policy
