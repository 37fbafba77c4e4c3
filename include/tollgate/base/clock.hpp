#pragma once
#include <chrono>

/// Time is an argument: code below `io` is handed these and never reads a clock.
namespace tollgate {

using SteadyTime = std::chrono::steady_clock::time_point;  ///< for timers and durations
using SystemTime = std::chrono::system_clock::time_point;  ///< for calendars, logs and ids
using Millis = std::chrono::milliseconds;
using Micros = std::chrono::microseconds;
using std::chrono::seconds;

inline constexpr SteadyTime never = SteadyTime::max();

}  // namespace tollgate
