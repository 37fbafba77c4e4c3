#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"

#include "config/problem.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::config {

/// "250ms", "10s", "5m", "2h", "400d": a whole number and its unit.
Parsed<Millis> parse_duration(std::string_view text);
std::string show_duration(Millis value);

/// The same with microseconds, for times that the processor counts in: "50us", "1ms", "0s".
Parsed<Micros> parse_short_duration(std::string_view text);
std::string show_short_duration(Micros value);

/// "100B", "32KiB", "32MiB", "1GiB", and decimal "10KB", "10MB", "1GB".
Parsed<std::size_t> parse_size(std::string_view text);
std::string show_size(std::size_t bytes);

/// "50%" is 0.5; from 0% to 100%.
Parsed<double> parse_share(std::string_view text);
std::string show_share(double share);

/// "12.5%" is 125'000: exactly, in millionths, with at most four places.
Parsed<std::int64_t> parse_millionths(std::string_view text);
std::string show_millionths(std::int64_t share);

/// "500 USD", "0.05 USD": dollars with at most nine places, one blank, and the currency.
Parsed<Money> parse_usd(std::string_view text);
std::string show_usd(Money amount);

/// A whole number in decimal digits.
Parsed<std::uint64_t> parse_count(std::string_view text);

/// A number such as "80" or "0.5"; not negative, not infinite.
Parsed<double> parse_number(std::string_view text);

}  // namespace tollgate::config
