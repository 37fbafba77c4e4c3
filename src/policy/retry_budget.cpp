// Counts in whole thousandths of a repeat, so that a ratio like 0.2 adds up to exactly one repeat and the reserve, per
// second times milliseconds, needs no division.
#include "tollgate/policy/retry_budget.hpp"

#include <algorithm>
#include <cmath>

namespace tollgate::policy {
namespace {

constexpr std::int64_t repeat = 1'000;  // in thousandths
constexpr double highest_ratio = 10;
constexpr unsigned most_per_second = 1'000'000;
constexpr Millis shortest_window{10}, longest_window{std::chrono::hours(24)};

}  // namespace

RetryBudget::RetryBudget(const RetryBudgetSettings& settings) { set(settings); }

void RetryBudget::set(const RetryBudgetSettings& settings) {
  settings_ = settings;
  settings_.window = std::clamp(settings.window, shortest_window, longest_window);
  settings_.per_second = std::min(settings.per_second, most_per_second);
  settings_.ratio = settings.ratio > 0 ? std::min(settings.ratio, highest_ratio) : 0;
  deposit_ = std::llround(settings_.ratio * static_cast<double>(repeat));
  reserve_ = std::int64_t{settings_.per_second} * settings_.window.count();  // per second and ms: thousandths
}

void RetryBudget::configure(const RetryBudgetSettings& settings) {
  const std::lock_guard lock(mutex_);
  const Millis window_before = settings_.window;
  set(settings);
  if (settings_.window != window_before) slots_ = {};
}

std::int64_t RetryBudget::tick_of(SteadyTime now) const {
  const SteadyTime::duration slot_length = SteadyTime::duration(settings_.window) / slots_.size();
  return std::max(now, time_).time_since_epoch() / slot_length;
}

void RetryBudget::add(std::int64_t thousandths, SteadyTime now) {
  const std::int64_t tick = tick_of(now);
  time_ = std::max(time_, now);
  Slot& slot = slots_[static_cast<std::size_t>(tick) % slots_.size()];
  if (slot.tick != tick) slot = {.tick = tick, .balance = 0};
  slot.balance += thousandths;
}

std::int64_t RetryBudget::tokens(SteadyTime now) const {
  const std::int64_t oldest = tick_of(now) - static_cast<std::int64_t>(slots_.size()) + 1;
  std::int64_t sum = reserve_;
  for (const Slot& slot : slots_) {
    if (slot.tick >= oldest) sum += slot.balance;
  }
  return sum;
}

void RetryBudget::arrived(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  add(deposit_, now);
  ++active_arrivals_;
}

void RetryBudget::arrival_over() {
  const std::lock_guard lock(mutex_);
  if (active_arrivals_ > 0) --active_arrivals_;
}

bool RetryBudget::try_repeat(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto active = static_cast<std::int64_t>(active_arrivals_ + active_repeats_);
  const auto with_this_one = static_cast<std::int64_t>(active_repeats_ + 1);
  const bool is_room = active_repeats_ < always_active || with_this_one * repeat <= active * deposit_;
  if (!is_room || tokens(now) < repeat) {
    ++denied_;
    return false;
  }
  add(-repeat, now);
  ++active_repeats_;
  return true;
}

void RetryBudget::repeat_over() {
  const std::lock_guard lock(mutex_);
  if (active_repeats_ > 0) --active_repeats_;
}

std::uint64_t RetryBudget::repeats_left(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(tokens(now), 0) / repeat);
}

std::uint64_t RetryBudget::active() const {
  const std::lock_guard lock(mutex_);
  return active_arrivals_ + active_repeats_;
}

std::uint64_t RetryBudget::active_repeats() const {
  const std::lock_guard lock(mutex_);
  return active_repeats_;
}

std::uint64_t RetryBudget::denied() const {
  const std::lock_guard lock(mutex_);
  return denied_;
}

}  // namespace tollgate::policy
