#include "tollgate/policy/budget_window.hpp"

#include <algorithm>
#include <limits>

namespace tollgate::policy {

namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 24 * hour;

SystemTime moment(std::int64_t unix_seconds) { return SystemTime(seconds(unix_seconds)); }

std::int64_t floor_to(std::int64_t value, std::int64_t step) { return value - (value % step + step) % step; }

std::int64_t midnight_of(sys_days date) { return date.time_since_epoch().count() * day; }

/// The date at which the calendar's window of `date` begins.
sys_days first_date(Window window, sys_days date) {
  const year_month_day parts(date);
  const auto month = static_cast<unsigned>(parts.month());
  switch (window) {
    case Window::week: return date - (std::chrono::weekday(date) - std::chrono::Monday);
    case Window::month: return parts.year() / parts.month() / 1;
    case Window::quarter: return parts.year() / std::chrono::month((month - 1) / 3 * 3 + 1) / 1;
    case Window::year: return parts.year() / std::chrono::January / 1;
    case Window::hour:
    case Window::day:
    case Window::total: break;
  }
  return date;
}

/// The date at which the next one begins.
sys_days next_date(Window window, sys_days first) {
  const year_month_day parts(first);
  switch (window) {
    case Window::week: return first + days(7);
    case Window::month: return parts + months(1);
    case Window::quarter: return parts + months(3);
    case Window::year: return parts + months(12);
    case Window::hour:
    case Window::day:
    case Window::total: break;
  }
  return first + days(1);
}

WindowSpan dates_at(Window window, const TimeZone& zone, std::int64_t now) {
  const auto begin_of = [&zone](sys_days date) { return zone.first_at_or_after(midnight_of(date)); };
  sys_days first = first_date(window, sys_days(days(floor_to(zone.local(now), day) / day)));
  sys_days next = next_date(window, first);
  // A clock that was set back over midnight shows the old date again, which does not bring its window back; and a date
  // that the clock jumps over has none.
  while (begin_of(next) <= now) {
    first = next;
    next = next_date(window, first);
  }
  return {moment(begin_of(first)), moment(begin_of(next))};
}

/// Whether clocks show full hours at the same moments under both offsets.
bool same_minutes(std::int32_t one, std::int32_t other) { return (one - other) % hour == 0; }

WindowSpan hour_at(const TimeZone& zone, std::int64_t now) {
  const TimeZone::Stretch here = zone.at(now);
  std::int64_t begin = floor_to(now + here.offset, hour) - here.offset;
  std::int64_t end = begin + hour;
  if (begin < here.begin && !same_minutes(zone.at(here.begin - 1).offset, here.offset)) begin = here.begin;
  if (end > here.end && !same_minutes(zone.at(here.end).offset, here.offset)) end = here.end;
  return {moment(begin), moment(end)};
}

}  // namespace

std::optional<Window> window_of(std::string_view name) {
  const auto found = std::find(window_names.begin(), window_names.end(), name);
  if (found == window_names.end()) return std::nullopt;
  return static_cast<Window>(found - window_names.begin());
}

WindowSpan window_at(Window window, const TimeZone& zone, SystemTime now) {
  if (window == Window::total) return {SystemTime{}, SystemTime::max()};
  const std::int64_t at = std::chrono::floor<seconds>(now).time_since_epoch().count();
  return window == Window::hour ? hour_at(zone, at) : dates_at(window, zone, at);
}

}  // namespace tollgate::policy
