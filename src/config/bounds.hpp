#pragma once
#include "config/value.hpp"

#include <chrono>

// Bounds that several tables have in common.
namespace tollgate::config {

inline constexpr Bounds<Millis> some_time{Millis(1), std::chrono::hours(24)};
inline constexpr Bounds<Millis> no_or_some_time{Millis(0), std::chrono::hours(24)};
inline constexpr Bounds<std::size_t> some_per_minute{1, 1'000'000'000};

}  // namespace tollgate::config
