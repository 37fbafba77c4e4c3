#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tollgate::simulator {

/// A rate per minute as a bucket that holds a minute's worth, begins full and fills evenly. Exact in whole numbers.
/// This is the other side of the tests of the gateway's own buckets, so it shares nothing with them.
class Bucket {
 public:
  /// `per_minute`: 1..1'000'000'000.
  Bucket(std::uint64_t per_minute, SteadyTime now);
  void advance(SteadyTime now);
  bool has(std::uint64_t units) const { return units <= limit() && parts_of(units) <= level_; }
  void take(std::uint64_t units) { level_ -= parts_of(units); }  ///< it has them
  std::uint64_t limit() const { return static_cast<std::uint64_t>(per_minute_); }
  std::uint64_t left() const { return static_cast<std::uint64_t>(level_ / part); }  ///< whole units
  /// Until it has so many, at most its limit; rounded up.
  Micros wait(std::uint64_t units) const;

 private:
  static constexpr std::int64_t part = 60'000'000;  ///< of a unit: what a rate of 1 brings in a microsecond
  static std::int64_t parts_of(std::uint64_t units) { return static_cast<std::int64_t>(units) * part; }

  std::int64_t per_minute_;
  std::int64_t level_;
  SteadyTime last_;
};

/// What one of a credential's limits says to a request.
struct Standing {
  std::uint64_t limit = 0;      ///< per minute
  std::uint64_t used = 0;       ///< before this request
  std::uint64_t requested = 0;  ///< by this request
  std::uint64_t remaining = 0;  ///< after it, or as before where it was refused
  Micros reset{0};              ///< until all is there again
  bool refused = false;
  std::optional<Micros> wait;  ///< until as much as requested is there; nothing: it never is
};

/// What a request may use. Nothing was taken where either refuses.
struct Grant {
  std::optional<Standing> requests, tokens;  ///< nothing: not limited
  /// The one that refuses; null: granted.
  const Standing* refusal() const;
};

/// The limits of every credential. Time is an argument; one thread.
class Allowances {
 public:
  explicit Allowances(const config::SimulatorLimits& limits) : limits_(limits) {}
  /// Takes one request and `tokens` for it.
  Grant ask(const std::string& credential, std::uint64_t tokens, SteadyTime now);

 private:
  struct Buckets {
    std::optional<Bucket> requests, tokens;
  };
  Buckets& buckets_of(const std::string& credential, SteadyTime now);

  config::SimulatorLimits limits_;
  std::map<std::string, Buckets> by_credential_;
};

}  // namespace tollgate::simulator
