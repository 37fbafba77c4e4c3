// All scopes of a request are locked at once, looked at, and only then changed. They are locked in the order of their
// kinds and no request has two of one kind, so that two requests never wait for each other.
#include "tollgate/policy/admission.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace tollgate::policy {

/// Locks the scopes of a chain and hands out what they count.
class ScopeLocks {
 public:
  explicit ScopeLocks(const ScopeChain& chain) : scopes_(chain.scopes()) {
    for (const auto& scope : scopes_) scope->mutex_.lock();
  }
  ~ScopeLocks() {
    for (std::size_t i = scopes_.size(); i-- > 0;) scopes_[i]->mutex_.unlock();
  }
  ScopeLocks(const ScopeLocks&) = delete;
  ScopeLocks& operator=(const ScopeLocks&) = delete;

  std::size_t size() const { return scopes_.size(); }
  Meters& operator[](std::size_t index) { return scopes_[index]->meters_; }

 private:
  std::span<const std::shared_ptr<LimitScope>> scopes_;
};

namespace {

constexpr Millis concurrency_retry{1000};

/// A limit without room.
struct Lack {
  std::size_t scope;  ///< its place in the chain
  LimitKind what;
  std::uint64_t limit;
  std::optional<Millis> retry_after;
};

class Worst {
 public:
  void note(const Lack& lack) {
    if (!lack_ || takes_longer(lack, *lack_)) lack_ = lack;
  }
  const std::optional<Lack>& lack() const { return lack_; }

 private:
  static bool takes_longer(const Lack& one, const Lack& other) {
    if (!one.retry_after || !other.retry_after) return !one.retry_after && other.retry_after;
    return *one.retry_after > *other.retry_after;
  }
  std::optional<Lack> lack_;
};

std::int64_t micros_of(std::uint64_t units) {
  constexpr std::uint64_t most = TokenBucket::too_much / TokenBucket::unit;
  return static_cast<std::int64_t>(std::min(units, most)) * TokenBucket::unit;
}

std::int64_t sum(std::int64_t one, std::int64_t other) { return std::min(one + other, TokenBucket::too_much); }

/// Micros to reserve; more than the capacity where that can never be had.
std::int64_t cost_of(const Demand& demand, TokenBasis basis, std::int64_t capacity) {
  const std::int64_t input = basis == TokenBasis::output ? 0 : micros_of(demand.input_tokens);
  const std::int64_t output = basis == TokenBasis::input ? 0 : micros_of(demand.output_tokens);
  const std::int64_t both = sum(input, output);
  return demand.output_known || input > capacity ? both : std::min(both, capacity);
}

std::int64_t used_of(const ActualTokens& actual, TokenBasis basis, bool count_cached) {
  const std::uint64_t uncounted = count_cached ? 0 : std::min(actual.cached_input, actual.input);
  const std::int64_t input = basis == TokenBasis::output ? 0 : micros_of(actual.input - uncounted);
  const std::int64_t output = basis == TokenBasis::input ? 0 : micros_of(actual.output);
  return sum(input, output);
}

void look_at_requests(const Meters& meters, std::size_t scope, SteadyTime now, Worst& worst) {
  const auto& bucket = meters.requests.bucket;
  if (!bucket || bucket->level(now) >= TokenBucket::unit) return;
  worst.note(
      {scope, LimitKind::requests, *meters.limits.requests_per_minute, bucket->wait_millis(TokenBucket::unit, now)});
}

void look_at_tokens(const Meters& meters, std::size_t scope, std::int64_t cost, SteadyTime now, Worst& worst) {
  const auto& bucket = meters.tokens.bucket;
  if (bucket->level(now) >= cost) return;
  worst.note({scope, LimitKind::tokens, *meters.limits.tokens_per_minute, bucket->wait_millis(cost, now)});
}

void look_at_concurrency(const Meters& meters, std::size_t scope, Worst& worst) {
  const auto& limit = meters.limits.concurrency;
  if (!limit || meters.in_flight < *limit) return;
  worst.note({scope, LimitKind::concurrency, *limit, *limit > 0 ? std::optional(concurrency_retry) : std::nullopt});
}

/// What one rate of several scopes leaves: keeps the bucket with the smallest share left.
class Scarcest {
 public:
  void note(const std::optional<TokenBucket>& bucket, const std::optional<std::uint64_t>& limit, SteadyTime now) {
    if (!bucket || (bucket_ && !bucket->has_less_left_than(*bucket_, now))) return;
    bucket_ = &*bucket;
    limit_ = *limit;
  }
  void put_into(std::optional<Standing::Amount>& amount, SteadyTime now) const {
    amount.reset();
    if (!bucket_) return;
    const std::int64_t left = std::max<std::int64_t>(bucket_->level(now), 0);
    const auto reset = bucket_->wait_millis(bucket_->capacity(), now);
    amount.emplace(limit_, static_cast<std::uint64_t>(left / TokenBucket::unit), reset.value_or(Millis::max()));
  }

 private:
  const TokenBucket* bucket_ = nullptr;
  std::uint64_t limit_ = 0;
};

void put_standing(Standing& into, ScopeLocks& locked, SteadyTime now) {
  Scarcest requests, tokens;
  for (std::size_t i = 0; i < locked.size(); ++i) {
    requests.note(locked[i].requests.bucket, locked[i].limits.requests_per_minute, now);
    tokens.note(locked[i].tokens.bucket, locked[i].limits.tokens_per_minute, now);
  }
  requests.put_into(into.requests, now);
  tokens.put_into(into.tokens, now);
}

Denial denial_of(const ScopeChain& chain, const Lack& lack) {
  const LimitScope& scope = *chain.scopes()[lack.scope];
  return {.kind = scope.kind(),
          .scope = scope.name(),
          .what = lack.what,
          .limit = lack.limit,
          .retry_after = lack.retry_after};
}

}  // namespace

std::string_view name_of(LimitKind kind) {
  constexpr std::array<std::string_view, 3> names = {"requests", "tokens", "concurrency"};
  return names[static_cast<std::size_t>(kind)];
}

ScopeChain::ScopeChain(ScopeChain&& other) noexcept : size_(std::exchange(other.size_, 0)) {
  for (std::size_t i = 0; i < size_; ++i) scopes_[i] = std::move(other.scopes_[i]);
}

ScopeChain& ScopeChain::operator=(ScopeChain&& other) noexcept {
  const std::size_t before = std::exchange(size_, std::exchange(other.size_, 0));
  for (std::size_t i = 0; i < std::max(before, size_); ++i) scopes_[i] = std::move(other.scopes_[i]);
  return *this;
}

void ScopeChain::add(const std::shared_ptr<LimitScope>& scope) {
  if (!scope) throw std::logic_error("no scope");
  if (size_ > 0 && scopes_[size_ - 1]->kind() >= scope->kind()) throw std::logic_error("a scope out of order");
  scopes_[size_++] = scope;
}

void ScopeChain::clear() {
  while (size_ > 0) scopes_[--size_].reset();
}

std::optional<Denial> admit(Hold& hold, const Demand& demand, SteadyTime now, Standing& after) {
  if (hold.chain_.empty()) {
    after = {};
    return std::nullopt;
  }
  Worst worst;
  {
    ScopeLocks locked(hold.chain_);
    for (std::size_t i = 0; i < locked.size(); ++i) {
      Meters& meters = locked[i];
      meters.advance(now);
      Hold::Line& line = hold.lines_[i];
      line = {.basis = meters.limits.basis, .count_cached = meters.limits.count_cached};
      if (meters.requests.bucket) line.requests_era = meters.requests.era;
      look_at_requests(meters, i, now, worst);
      if (meters.tokens.bucket) {
        line.tokens_era = meters.tokens.era;
        line.tokens = cost_of(demand, line.basis, meters.tokens.bucket->capacity());
        look_at_tokens(meters, i, line.tokens, now, worst);
      }
      look_at_concurrency(meters, i, worst);
    }
    if (!worst.lack()) {
      for (std::size_t i = 0; i < locked.size(); ++i) {
        const Hold::Line& line = hold.lines_[i];
        locked[i].requests.add(-TokenBucket::unit, line.requests_era, now);
        locked[i].tokens.add(-line.tokens, line.tokens_era, now);
        ++locked[i].in_flight;
      }
      hold.open_ = true;
    }
    put_standing(after, locked, now);
  }
  if (worst.lack()) return denial_of(hold.chain_, *worst.lack());
  return std::nullopt;
}

std::optional<Denial> would_deny(const ScopeChain& chain, SteadyTime now) {
  Worst worst;
  {
    ScopeLocks locked(chain);
    for (std::size_t i = 0; i < locked.size(); ++i) {
      look_at_requests(locked[i], i, now, worst);
      look_at_concurrency(locked[i], i, worst);
    }
  }
  if (!worst.lack()) return std::nullopt;
  return denial_of(chain, *worst.lack());
}

Standing standing(const ScopeChain& chain, SteadyTime now) {
  Standing standing;
  ScopeLocks locked(chain);
  put_standing(standing, locked, now);
  return standing;
}

Hold::Hold(Hold&& other) noexcept
    : chain_(std::move(other.chain_)), lines_(other.lines_), open_(std::exchange(other.open_, false)) {}

Hold& Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  drop();
  chain_ = std::move(other.chain_);
  lines_ = other.lines_;
  open_ = std::exchange(other.open_, false);
  return *this;
}

ScopeChain& Hold::begin() {
  drop();
  chain_.clear();
  return chain_;
}

void Hold::settle(const ActualTokens& actual, SteadyTime now) { end(actual, true, now); }

void Hold::cancel(SteadyTime now) { end({}, true, now); }

void Hold::refund(SteadyTime now) { end({}, false, now); }

void Hold::end(const ActualTokens& actual, bool counted, SteadyTime now) {
  if (!std::exchange(open_, false)) return;
  ScopeLocks locked(chain_);
  for (std::size_t i = 0; i < locked.size(); ++i) {
    const Line& line = lines_[i];
    locked[i].tokens.add(line.tokens - used_of(actual, line.basis, line.count_cached), line.tokens_era, now);
    if (!counted) locked[i].requests.add(TokenBucket::unit, line.requests_era, now);
    --locked[i].in_flight;
  }
}

void Hold::drop() {
  if (!std::exchange(open_, false)) return;
  ScopeLocks locked(chain_);
  for (std::size_t i = 0; i < locked.size(); ++i) --locked[i].in_flight;
}

}  // namespace tollgate::policy
