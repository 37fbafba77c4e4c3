#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace tollgate::protocol::http {

/// Reads an HTTP-date in any of the three forms of RFC 9110, section 5.6.7: IMF-fixdate, RFC 850, asctime.
/// Case-sensitive and to the letter, as the RFC has it; the day's name must be one, but need not be the right one. A
/// second of 60 is the first of the next minute. `now` decides what century the two digits of an RFC 850 year belong
/// to: the latest that is not more than 50 years ahead.
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text, std::chrono::sys_seconds now);

}  // namespace tollgate::protocol::http
