#pragma once
// How many repeats one target may get, so that trying again cannot make an outage worse than it is.
#include "tollgate/base/clock.hpp"

#include <array>
#include <cstdint>
#include <mutex>

namespace tollgate::policy {

/// Out of bounds counts as the nearest bound.
struct RetryBudgetSettings {
  double ratio = 0.2;       ///< repeats per first arrival, to a thousandth; 0..10
  unsigned per_second = 3;  ///< repeats that no arrival has to pay for; up to 1,000,000
  Millis window{10'000};    ///< after which arrivals and repeats are forgotten, to a tenth; 10 ms..1 day
  bool operator==(const RetryBudgetSettings&) const = default;
};

/// Repeats on the *same* target: a request's first arrival there deposits, a repeat withdraws (Linkerd's and Tower's
/// TpsBudget; told in repeats: a first arrival brings `ratio`, a repeat takes 1). There are
///     tokens = per_second * window + deposits - withdrawals
/// over the window, in 10 slots. Besides, with it at most max(3, ratio * active) of what is active at the target
/// without it are repeats (Envoy's retry budget). All in whole thousandths of a repeat.
///
/// Any thread. A time before that of the latest deposit or withdrawal counts as that.
class RetryBudget {
 public:
  static constexpr std::uint64_t always_active = 3;  ///< repeats that may be under way however little else is

  explicit RetryBudget(const RetryBudgetSettings& settings);

  /// Takes effect at once. What was deposited and withdrawn stays, unless the window changes: then it is forgotten.
  void configure(const RetryBudgetSettings& settings);

  void arrived(SteadyTime now);  ///< a request is here for the first time; it is active until arrival_over()
  void arrival_over();           ///< once for each arrived()

  /// Whether it may be asked once more: taken from the budget then, and active until repeat_over().
  bool try_repeat(SteadyTime now);
  void repeat_over();  ///< once for each try_repeat() that was allowed; does not give back what it took

  std::uint64_t repeats_left(SteadyTime now) const;  ///< whole ones, by the tokens alone
  std::uint64_t active() const;                      ///< arrivals and repeats
  std::uint64_t active_repeats() const;
  std::uint64_t denied() const;  ///< of try_repeat(), ever

 private:
  struct Slot {
    std::int64_t tick = 0;
    std::int64_t balance = 0;  ///< thousandths of a repeat; below 0 where more was withdrawn
  };
  void set(const RetryBudgetSettings& settings);
  std::int64_t tick_of(SteadyTime now) const;
  void add(std::int64_t thousandths, SteadyTime now);
  std::int64_t tokens(SteadyTime now) const;

  mutable std::mutex mutex_;  ///< over all below
  RetryBudgetSettings settings_;
  std::int64_t deposit_ = 0;  ///< thousandths of a repeat, as the reserve
  std::int64_t reserve_ = 0;
  SteadyTime time_{};
  std::array<Slot, 10> slots_{};
  std::uint64_t active_arrivals_ = 0, active_repeats_ = 0, denied_ = 0;
};

}  // namespace tollgate::policy
