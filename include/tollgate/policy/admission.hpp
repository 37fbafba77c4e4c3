#pragma once
// Whether a request may begin: every limit that it meets has room, and then all are debited in one step; or nothing
// changes at all and it is told which one lacks and for how long. reliability 6.6.
#include "tollgate/base/block_pool.hpp"
#include "tollgate/base/clock.hpp"
#include "tollgate/policy/limit_scope.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::policy {

enum class LimitKind : std::uint8_t { requests, tokens, concurrency };

/// For logs and metrics: "requests".
std::string_view name_of(LimitKind kind);

/// The scopes that one request meets: at most one of each kind, in their order. Holds each, so that it outlives a
/// reload which retires it.
class ScopeChain {
 public:
  ScopeChain() = default;
  ScopeChain(const ScopeChain&) = default;
  ScopeChain& operator=(const ScopeChain&) = default;
  ScopeChain(ScopeChain&& other) noexcept;  ///< leaves `other` empty
  ScopeChain& operator=(ScopeChain&& other) noexcept;
  ~ScopeChain() = default;

  /// Put only scopes with limits in. Throws std::logic_error for a null or where the kind does not come after the last.
  void add(const std::shared_ptr<LimitScope>& scope);
  void clear();
  bool empty() const { return size_ == 0; }
  std::span<const std::shared_ptr<LimitScope>> scopes() const { return {scopes_.data(), size_}; }

 private:
  std::array<std::shared_ptr<LimitScope>, scope_kind_count> scopes_;
  std::size_t size_ = 0;
};

/// What a request may need, as known before it is sent.
struct Demand {
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  /// Whether the client gave the limit of its output. Where it did not, a scope reserves at most its capacity, so that
  /// a default never makes a small limit impossible; where it did, or the input alone exceeds the capacity, it can
  /// never pass.
  bool output_known = false;
};

/// What a request has used.
struct ActualTokens {
  std::uint64_t input = 0;
  std::uint64_t cached_input = 0;  ///< part of `input`
  std::uint64_t output = 0;
};

/// For the x-ratelimit headers: of the buckets of a chain the one with the smallest share left; nothing where the chain
/// limits no requests, or no tokens.
struct Standing {
  struct Amount {
    std::uint64_t limit = 0;      ///< per minute, as it is set
    std::uint64_t remaining = 0;  ///< whole units; 0 where in debt
    Millis reset{};               ///< until the bucket is full, if nothing more is taken
    bool operator==(const Amount&) const = default;
  };
  std::optional<Amount> requests, tokens;
  bool operator==(const Standing&) const = default;
};

/// Why not: of all that lacks, what takes longest (the first in the chain's order among equals).
struct Denial {
  ScopeKind kind{};
  std::string scope;  ///< its name
  LimitKind what{};
  std::uint64_t limit = 0;            ///< as it is set: per minute, or in flight
  std::optional<Millis> retry_after;  ///< at least 1 ms; 1 s for concurrency; nothing: it can never pass
};

/// What an admitted request has taken. Pins its scopes (a ScopeChain), which may be retired meanwhile. The first of
/// settle(), cancel() and refund() ends it, later ones do nothing: from then on it is not in flight any more. A hold
/// that is destroyed without any of them leaves its reservation spent, since what it used is unknown. What was taken
/// from a bucket whose limit was switched off since goes nowhere. One thread at a time.
class Hold : public Pooled {
 public:
  Hold() = default;  ///< of nothing
  Hold(Hold&& other) noexcept;
  Hold& operator=(Hold&& other) noexcept;
  ~Hold() { drop(); }

  /// Puts back what was reserved and takes what was used, counted as each scope did when it admitted (basis, cached
  /// input). Below 0 a bucket is in debt; debt saturates at TokenBucket::most, so bound what a provider claims.
  void settle(const ActualTokens& actual, SteadyTime now);
  /// No tokens were used. The request stays counted.
  void cancel(SteadyTime now);
  /// As if it never was: tokens, request and permit. For what by our own fault never reached a provider.
  void refund(SteadyTime now);

  const ScopeChain& chain() const { return chain_; }
  /// Lets go of what it holds, as its destruction does, and gives its chain, empty, to be filled for admit().
  ScopeChain& begin();

 private:
  friend std::optional<Denial> admit(Hold& hold, const Demand& demand, SteadyTime now, Standing& after);

  /// What was taken from one scope. Era 0: there was no such bucket.
  struct Line {
    std::int64_t tokens = 0;  ///< micros
    std::uint32_t requests_era = 0, tokens_era = 0;
    TokenBasis basis{};
    bool count_cached = true;
  };

  void end(const ActualTokens& actual, bool counted, SteadyTime now);
  void drop();

  ScopeChain chain_;
  std::array<Line, scope_kind_count> lines_{};
  bool open_ = false;  ///< counted in flight: neither settled nor cancelled nor refunded
};

/// Admits what has put its chain into `hold` iff every bucket has at least what the request costs and every concurrency
/// is below its limit, and then debits all: `hold` holds what was taken, and nothing if nothing was. Takes no lock for
/// an empty chain and allocates nothing unless it denies. `after` is the standing then, with the request's own share
/// taken off if it took one. Nothing: it may begin. Any thread.
std::optional<Denial> admit(Hold& hold, const Demand& demand, SteadyTime now, Standing& after);

/// Whether admit() would deny for requests or concurrency now, whatever the tokens: a look that takes nothing, before a
/// large body is read.
std::optional<Denial> would_deny(const ScopeChain& chain, SteadyTime now);

/// With all that is reserved now taken off.
Standing standing(const ScopeChain& chain, SteadyTime now);

}  // namespace tollgate::policy
