#include "tollgate/policy/backoff.hpp"

#include <algorithm>
#include <cstdint>

namespace tollgate::policy {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr unsigned chance_bits = 53;  // all that a double in [0, 1) has at its upper end
constexpr std::uint64_t all_chances = std::uint64_t{1} << chance_bits;

std::uint64_t whole_chance(double chance) {
  if (!(chance > 0)) return 0;
  if (chance >= 1) return all_chances - 1;
  return static_cast<std::uint64_t>(chance * static_cast<double>(all_chances));
}

}  // namespace

Millis doubled(Millis base, unsigned times, Millis most) {
  constexpr unsigned bits = 63;
  if (base.count() <= 0 || most.count() <= 0) return Millis(0);
  if (times >= bits || base.count() > most.count() >> times) return most;
  return base * (std::int64_t{1} << times);
}

Millis up_to(Millis most, double chance) {
  const auto values = static_cast<std::uint64_t>(std::max<std::int64_t>(most.count(), 0)) + 1;
  return Millis(static_cast<std::int64_t>(Wide{values} * whole_chance(chance) >> chance_bits));
}

Millis backoff(unsigned attempt, Millis base, Millis max, double chance) {
  return up_to(doubled(base, attempt, max), chance);
}

Millis retry_after_wait(Millis told, double chance) {
  if (told.count() <= 0) return Millis(0);
  const Millis extra = up_to(told / 4, chance);
  return told > Millis::max() - extra ? Millis::max() : told + extra;
}

}  // namespace tollgate::policy
