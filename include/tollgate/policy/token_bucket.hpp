#pragma once
// A rate as a bucket that fills all the time and may be overdrawn by what turns out to have cost more than was
// reserved.
#include "tollgate/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace tollgate::policy {

/// level(t) = min(capacity, level + rate * dt), counted in millionths of a unit (micros). Exact: what is less than a
/// millionth is carried on, so that it makes no difference how often one asks. A time before the last change or
/// advance() counts as the time of that, since the clocks of two threads need not be read in the order in which they
/// get here. Not thread-safe: whoever owns it locks.
class TokenBucket {
 public:
  static constexpr std::int64_t unit = 1'000'000;                 ///< micros of one request, or of one token
  static constexpr std::uint64_t highest_rate = 1'000'000'000;    ///< units per minute
  static constexpr std::int64_t most = 1'000'000'000'000 * unit;  ///< of capacity, and of debt
  static constexpr std::int64_t too_much = most + unit;           ///< what no bucket ever holds

  /// Full. The rate is clamped to 1..highest_rate units per minute; the capacity is what the rate brings in `burst`,
  /// at least one unit.
  TokenBucket(std::uint64_t rate_per_minute, Millis burst, SteadyTime now);

  /// New amounts take effect at once. What is left keeps its share of the capacity, and a debt the time in which it is
  /// worked off, both rounded down: so a full bucket stays full, no debt takes a thousand times as long because the
  /// rate was divided by a thousand, and changes to and fro forgive nothing.
  void configure(std::uint64_t rate_per_minute, Millis burst, SteadyTime now);

  /// Micros, rounded down; negative where more was used than there was.
  std::int64_t level(SteadyTime now) const { return level_at(now).micros; }
  bool is_full(SteadyTime now) const { return level(now) == capacity_; }

  /// Brings the bucket up to `now`: what is asked of it at this moment is then read, not reckoned.
  void advance(SteadyTime now) {
    if (now <= last_) return;
    level_ = level_later(now);
    last_ = now;
  }

  /// Puts back (up to the capacity) or, below 0, takes (down to a debt of `most`), -too_much..too_much. Whether there
  /// is enough to take is the caller's question: a settlement takes what is due.
  void add(std::int64_t micros, SteadyTime now);

  /// From `now` until the level is at least `micros`, if nobody takes or puts back; exact, rounded up to a nanosecond.
  /// Nothing: it never is, or not in the time that a clock can tell.
  std::optional<std::chrono::nanoseconds> wait(std::int64_t micros, SteadyTime now) const;

  /// The same, rounded up to a millisecond.
  std::optional<Millis> wait_millis(std::int64_t micros, SteadyTime now) const;

  /// Whether a smaller share of this one's capacity is left.
  bool has_less_left_than(const TokenBucket& other, SteadyTime now) const;

  std::int64_t capacity() const { return capacity_; }                       ///< micros
  std::uint64_t rate() const { return static_cast<std::uint64_t>(rate_); }  ///< units per minute

 private:
  struct Level {
    std::int64_t micros;
    std::int64_t rest;  ///< 0..59'999, of a micro's 60'000 parts; 0 where the bucket is full
  };
  Level level_at(SteadyTime now) const { return now <= last_ ? level_ : level_later(now); }
  Level level_later(SteadyTime now) const;

  std::int64_t rate_;
  std::int64_t capacity_;
  Level level_;  ///< at `last_`
  SteadyTime last_;
};

}  // namespace tollgate::policy
