#pragma once
#include "config/value.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::config {

/// A number in decimal or scientific notation, times ten to the power `shift`, where that is a whole one: "1.25e-06"
/// and 15 is 1'250'000'000. Nothing where it is not whole, negative, longer than 18 digits, or no number.
std::optional<std::int64_t> exactly(std::string_view number, int shift);

/// JSON whose numbers stay the text that they were written as; discarded where it is none.
Json parse_with_exact_numbers(std::string_view json);

}  // namespace tollgate::config
