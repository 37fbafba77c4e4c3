#include "tollgate/policy/limit_scope.hpp"

#include <array>
#include <mutex>
#include <utility>

namespace tollgate::policy {

std::string_view name_of(ScopeKind kind) {
  constexpr std::array<std::string_view, scope_kind_count> names = {"group",    "tenant", "key",
                                                                    "end_user", "route",  "model"};
  return names[static_cast<std::size_t>(kind)];
}

void Meter::configure(std::optional<std::uint64_t> rate_per_minute, Millis burst, SteadyTime now) {
  if (!rate_per_minute) {
    bucket.reset();
  } else if (bucket) {
    bucket->configure(*rate_per_minute, burst, now);
  } else {
    bucket.emplace(*rate_per_minute, burst, now);
    ++era;
  }
}

void Meter::add(std::int64_t micros, std::uint32_t of_era, SteadyTime now) {
  if (bucket && era == of_era) bucket->add(micros, now);
}

LimitScope::LimitScope(ScopeKind kind, std::string name, const Limits& limits, SteadyTime now)
    : kind_(kind), name_(std::move(name)) {
  configure(limits, now);
}

void LimitScope::configure(const Limits& limits, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (limits == meters_.limits) return;
  meters_.limits = limits;
  meters_.requests.configure(limits.requests_per_minute, limits.burst, now);
  meters_.tokens.configure(limits.tokens_per_minute, limits.burst, now);
}

Limits LimitScope::limits() const {
  const std::lock_guard lock(mutex_);
  return meters_.limits;
}

std::uint64_t LimitScope::in_flight() const {
  const std::lock_guard lock(mutex_);
  return meters_.in_flight;
}

bool LimitScope::at_rest(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return meters_.in_flight == 0 && meters_.requests.at_rest(now) && meters_.tokens.at_rest(now);
}

}  // namespace tollgate::policy
