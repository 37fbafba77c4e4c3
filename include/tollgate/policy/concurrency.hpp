#pragma once
#include "tollgate/base/clock.hpp"

#include <cstdint>
#include <mutex>
#include <optional>

namespace tollgate::policy {

struct ConcurrencySettings {
  std::uint64_t limit = 1024;  ///< requests in flight, the most there may ever be; at least 1
  bool adaptive = false;       ///< whether the limit finds its own value, 4..`limit`, or is fixed
  bool operator==(const ConcurrencySettings&) const = default;
};

/// How many requests a target may have in flight. Any thread.
///
/// Adaptive: additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease
/// algorithms", 1989, as TCP and Netflix's AIMDLimit have it). Begins at the most, since most targets never need less.
class Concurrency {
 public:
  static constexpr std::uint64_t least = 4;  ///< or the settings' limit where that is less

  explicit Concurrency(const ConcurrencySettings& settings);
  /// Takes effect at once. What is in flight stays; a limit found stays as far as it is in bounds.
  void configure(const ConcurrencySettings& settings);

  /// Takes a place, which end() gives back; false: none is free.
  bool try_begin();
  void end();

  /// A request went well; `in_flight` counts what was in flight when it began, itself included. A limit at least half
  /// in use grows by 1 / limit, so by one for each limit's worth of answers; one that is not used says nothing.
  void on_success(std::uint64_t in_flight);
  /// The target said that it had too much (429, 503, 529), or did not answer in time: the limit falls to 0.9 of itself,
  /// once per `round_trip`, because what began before the last fall still speaks of the limit before it.
  void on_overload(Micros round_trip, SteadyTime now);

  std::uint64_t limit() const;  ///< now, rounded down
  std::uint64_t in_flight() const;

 private:
  double floor() const;

  mutable std::mutex mutex_;  ///< over all below
  ConcurrencySettings settings_;
  double limit_;
  std::uint64_t in_flight_ = 0;
  std::optional<SteadyTime> fell_;
};

}  // namespace tollgate::policy
