#include "tollgate/policy/concurrency.hpp"

#include <algorithm>

namespace tollgate::policy {
namespace {

constexpr double kept_of_limit = 0.9;

ConcurrencySettings checked(ConcurrencySettings settings) {
  settings.limit = std::max<std::uint64_t>(settings.limit, 1);
  return settings;
}

}  // namespace

Concurrency::Concurrency(const ConcurrencySettings& settings)
    : settings_(checked(settings)), limit_(static_cast<double>(settings_.limit)) {}

void Concurrency::configure(const ConcurrencySettings& settings) {
  const std::lock_guard lock(mutex_);
  if (checked(settings) == settings_) return;
  const auto most_before = static_cast<double>(settings_.limit);
  settings_ = checked(settings);
  const auto most = static_cast<double>(settings_.limit);
  // At the most nothing was found yet: then it is the new most.
  limit_ = !settings_.adaptive || limit_ >= most_before ? most : std::clamp(limit_, floor(), most);
}

double Concurrency::floor() const { return static_cast<double>(std::min(least, settings_.limit)); }

bool Concurrency::try_begin() {
  const std::lock_guard lock(mutex_);
  if (in_flight_ >= static_cast<std::uint64_t>(limit_)) return false;
  ++in_flight_;
  return true;
}

void Concurrency::end() {
  const std::lock_guard lock(mutex_);
  if (in_flight_ > 0) --in_flight_;
}

void Concurrency::on_success(std::uint64_t in_flight) {
  const std::lock_guard lock(mutex_);
  if (!settings_.adaptive || static_cast<double>(in_flight) < limit_ / 2) return;
  limit_ = std::min(limit_ + 1 / limit_, static_cast<double>(settings_.limit));
}

void Concurrency::on_overload(Micros round_trip, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (!settings_.adaptive || (fell_ && now - *fell_ < round_trip)) return;
  limit_ = std::max(limit_ * kept_of_limit, floor());
  fell_ = std::max(now, fell_.value_or(now));
}

std::uint64_t Concurrency::limit() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(limit_);
}

std::uint64_t Concurrency::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

}  // namespace tollgate::policy
