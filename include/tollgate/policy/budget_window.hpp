#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/policy/time_zone.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::policy {

/// Over which time a budget counts. All but `total` begin anew, as calendars and clocks of a time zone do.
enum class Window : std::uint8_t { hour, day, week, month, quarter, year, total };
inline constexpr std::array<std::string_view, 7> window_names{"hour",    "day",  "week", "month",
                                                              "quarter", "year", "total"};
inline std::string_view name_of(Window window) { return window_names[static_cast<std::size_t>(window)]; }
std::optional<Window> window_of(std::string_view name);

/// One window: a moment is in it from `begin` to before `end`. Whole seconds, but for the end of `total`.
struct WindowSpan {
  SystemTime begin{}, end{};
  std::int64_t key() const { return std::chrono::floor<seconds>(begin).time_since_epoch().count(); }
  bool contains(SystemTime time) const { return begin <= time && time < end; }
  bool operator==(const WindowSpan&) const = default;
};

/// The window that `now` is in. A day begins at the first moment of its date on the wall: where midnight does not
/// exist, when the clock jumps over it; where it is struck twice, the first time. So every moment is in exactly one
/// window. A week begins on Monday, a quarter in January, April, July and October. An hour begins when a clock shows a
/// full one and is 60 minutes long, also where the clock is set back by one; only a change by a part of an hour cuts it
/// short. `total` is from 1970 on, without an end (SystemTime::max()).
WindowSpan window_at(Window window, const TimeZone& zone, SystemTime now);

}  // namespace tollgate::policy
