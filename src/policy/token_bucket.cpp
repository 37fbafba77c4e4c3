// The arithmetic of a bucket. A rate of L units per minute is L / 60'000 micros per nanosecond: with 60'000 as the
// denominator every level is exact in whole numbers, and no product here overflows without being asked whether it did.
#include "tollgate/policy/token_bucket.hpp"

#include <algorithm>

namespace tollgate::policy {
namespace {

__extension__ typedef __int128 Wide;

constexpr std::int64_t parts = 60'000;  ///< of a micro

std::int64_t rate_of(std::uint64_t per_minute) {
  return static_cast<std::int64_t>(std::clamp<std::uint64_t>(per_minute, 1, TokenBucket::highest_rate));
}

std::int64_t capacity_of(std::int64_t rate, Millis burst) {
  constexpr Wide millis_per_minute = 60'000;
  const Wide brought = Wide{rate} * std::max<std::int64_t>(burst.count(), 0) * TokenBucket::unit / millis_per_minute;
  return static_cast<std::int64_t>(std::clamp<Wide>(brought, TokenBucket::unit, TokenBucket::most));
}

/// value * numerator / denominator, rounded down also below 0; the latter two are positive.
std::int64_t scaled(std::int64_t value, std::int64_t numerator, std::int64_t denominator) {
  const Wide product = Wide{value} * numerator;
  const Wide quotient = product / denominator - (product % denominator < 0 ? 1 : 0);
  return static_cast<std::int64_t>(std::max<Wide>(quotient, -TokenBucket::most));
}

}  // namespace

TokenBucket::TokenBucket(std::uint64_t rate_per_minute, Millis burst, SteadyTime now)
    : rate_(rate_of(rate_per_minute)), capacity_(capacity_of(rate_, burst)), level_{capacity_, 0}, last_(now) {}

void TokenBucket::configure(std::uint64_t rate_per_minute, Millis burst, SteadyTime now) {
  const std::int64_t rate = rate_of(rate_per_minute);
  const std::int64_t capacity = capacity_of(rate, burst);
  if (rate == rate_ && capacity == capacity_) return;
  advance(now);
  const std::int64_t before = level_.micros;
  level_ = {before < 0 ? scaled(before, rate, rate_) : scaled(before, capacity, capacity_), 0};
  rate_ = rate;
  capacity_ = capacity;
}

TokenBucket::Level TokenBucket::level_later(SteadyTime now) const {
  const Level full{capacity_, 0};
  const std::int64_t passed = std::chrono::nanoseconds(now - last_).count();
  std::int64_t gained = 0;
  if (__builtin_mul_overflow(passed / parts, rate_, &gained)) return full;
  const std::int64_t in_parts = passed % parts * rate_ + level_.rest;
  if (__builtin_add_overflow(gained, in_parts / parts, &gained)) return full;
  if (gained >= capacity_ - level_.micros) return full;
  return {level_.micros + gained, in_parts % parts};
}

void TokenBucket::add(std::int64_t micros, SteadyTime now) {
  advance(now);
  level_.micros = std::max(level_.micros + micros, -most);
  if (level_.micros >= capacity_) level_ = {capacity_, 0};
}

std::optional<std::chrono::nanoseconds> TokenBucket::wait(std::int64_t micros, SteadyTime now) const {
  if (micros > capacity_) return std::nullopt;
  const Level level = level_at(now);
  if (level.micros >= micros) return std::chrono::nanoseconds(0);
  const std::int64_t lacking = micros - level.micros;
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(lacking / rate_, parts, &nanos)) return std::nullopt;
  const std::int64_t left = lacking % rate_ * parts - level.rest;
  const std::int64_t rounded_up = left > 0 ? (left + rate_ - 1) / rate_ : left / rate_;
  const std::int64_t late = std::chrono::nanoseconds(std::max(last_, now) - now).count();
  if (__builtin_add_overflow(nanos, rounded_up + late, &nanos)) return std::nullopt;
  return std::chrono::nanoseconds(nanos);
}

std::optional<Millis> TokenBucket::wait_millis(std::int64_t micros, SteadyTime now) const {
  // In parts of a micro; more would not fit into 64 bits.
  constexpr std::int64_t most_in_parts = std::int64_t{1} << 46;
  constexpr std::int64_t nanos = 1'000'000;  // of a millisecond
  const std::int64_t lacking = micros - level_.micros;
  const bool is_usual = now == last_ && lacking > 0 && lacking < most_in_parts && micros <= capacity_;
  if (is_usual) return Millis((lacking * parts - level_.rest + rate_ * nanos - 1) / (rate_ * nanos));
  const auto exact = wait(micros, now);
  if (!exact) return std::nullopt;
  return std::chrono::ceil<Millis>(*exact);
}

bool TokenBucket::has_less_left_than(const TokenBucket& other, SteadyTime now) const {
  return Wide{level(now)} * other.capacity_ < Wide{other.level(now)} * capacity_;
}

}  // namespace tollgate::policy
