#include "tollgate/policy/time_zone.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace tollgate::policy {

namespace {

constexpr std::int32_t most_offset = 26 * 3600;  // where POSIX and the zone database end, with room
constexpr std::int64_t earliest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max();

bool is_offset(std::int32_t seconds) { return seconds >= -most_offset && seconds <= most_offset; }

}  // namespace

TimeZone::TimeZone(std::string name, std::int32_t first_offset, std::vector<Change> changes)
    : name_(std::move(name)), first_offset_(first_offset), changes_(std::move(changes)) {
  const auto not_after = [](const Change& one, const Change& next) { return one.at >= next.at; };
  if (std::adjacent_find(changes_.begin(), changes_.end(), not_after) != changes_.end())
    throw std::invalid_argument("changes of a time zone out of order");
  const auto fits = [](const Change& change) { return is_offset(change.offset); };
  if (!is_offset(first_offset) || !std::all_of(changes_.begin(), changes_.end(), fits))
    throw std::invalid_argument("an offset that no time zone has");
}

const std::shared_ptr<const TimeZone>& TimeZone::utc() {
  static const auto zone = std::make_shared<const TimeZone>("UTC", 0, std::vector<Change>{});
  return zone;
}

TimeZone::Stretch TimeZone::stretch(std::size_t changes_before) const {
  return {.begin = changes_before == 0 ? earliest : changes_[changes_before - 1].at,
          .end = changes_before == changes_.size() ? latest : changes_[changes_before].at,
          .offset = changes_before == 0 ? first_offset_ : changes_[changes_before - 1].offset};
}

TimeZone::Stretch TimeZone::at(std::int64_t unix_seconds) const {
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), unix_seconds,
                                     [](std::int64_t time, const Change& change) { return time < change.at; });
  return stretch(static_cast<std::size_t>(next - changes_.begin()));
}

std::int64_t TimeZone::first_at_or_after(std::int64_t local) const {
  // No clock is further from UTC than that, so no earlier stretch can show it.
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), local - most_offset,
                                     [](std::int64_t time, const Change& change) { return time < change.at; });
  for (auto before = static_cast<std::size_t>(next - changes_.begin()); before < changes_.size(); ++before) {
    const Stretch here = stretch(before);
    if (here.end + here.offset > local) return std::max(here.begin, local - here.offset);
  }
  const Stretch last = stretch(changes_.size());
  return std::max(last.begin, local - last.offset);
}

}  // namespace tollgate::policy
