#pragma once
// Whose limits they are: one tenant, one key, one model. What a request takes of all of them at once is admission.hpp.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/small_lock.hpp"
#include "tollgate/policy/limits.hpp"
#include "tollgate/policy/token_bucket.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::policy {

/// In the order in which a request meets them, which is the order in which they are locked.
enum class ScopeKind : std::uint8_t { group, tenant, key, end_user, route, model };
inline constexpr std::size_t scope_kind_count = 6;

/// For logs and metrics: "end_user".
std::string_view name_of(ScopeKind kind);

/// A bucket that is there while its limit is set.
struct Meter {
  std::optional<TokenBucket> bucket;
  std::uint32_t era = 0;  ///< counts the buckets there were, so that nothing of an old one is put back into a new one

  void configure(std::optional<std::uint64_t> rate_per_minute, Millis burst, SteadyTime now);
  /// Puts back, or takes below 0, if the bucket is still that of this era.
  void add(std::int64_t micros, std::uint32_t of_era, SteadyTime now);
  bool at_rest(SteadyTime now) const { return !bucket || bucket->is_full(now); }
};

/// What a scope counts.
struct Meters {
  Limits limits;
  Meter requests, tokens;
  std::uint64_t in_flight = 0;  ///< also while concurrency is not limited: it may be before these end

  void advance(SteadyTime now) {
    if (requests.bucket) requests.bucket->advance(now);
    if (tokens.bucket) tokens.bucket->advance(now);
  }
};

/// One named holder of limits, shared by all workers, under a small lock of its own. Any thread.
class LimitScope {
 public:
  /// Begins with full buckets. Rates are taken as 1..1e9 (TokenBucket); a concurrency of 0 lets nothing in.
  LimitScope(ScopeKind kind, std::string name, const Limits& limits, SteadyTime now);
  LimitScope(const LimitScope&) = delete;
  LimitScope& operator=(const LimitScope&) = delete;

  ScopeKind kind() const { return kind_; }
  const std::string& name() const { return name_; }

  /// Changed amounts take effect at once (TokenBucket::configure); what is newly limited begins full, and requests that
  /// began before that are not charged for it. What is in flight beyond a lowered concurrency goes on.
  void configure(const Limits& limits, SteadyTime now);
  Limits limits() const;

  std::uint64_t in_flight() const;
  /// Nothing in flight and every bucket full: a new scope with the same limits would be no different.
  bool at_rest(SteadyTime now) const;

 private:
  friend class ScopeLocks;  // admission's: several scopes in one step

  const ScopeKind kind_;
  const std::string name_;
  mutable SmallLock mutex_;  ///< over all below
  Meters meters_;
};

}  // namespace tollgate::policy
