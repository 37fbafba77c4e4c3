#pragma once
#include "tollgate/base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tollgate {

/// A moment in RFC 3339's form, UTC only: "2027-01-31T00:00:00Z", with up to nine digits of a second's parts; a date
/// alone ("2027-01-31") is its first moment. Nothing where the text is anything else, or outside the years 1970-2261.
std::optional<SystemTime> parse_instant(std::string_view text);

/// "2027-01-31T00:00:00Z": whole seconds, cut off.
std::string show_instant(SystemTime time);

}  // namespace tollgate
