#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::json {

/// The text of a string's inside, or nothing where it is not text: a broken escape, half a surrogate pair, invalid
/// UTF-8.
std::optional<std::string> decode(std::string_view inside);
/// The same with U+FFFD for what is not text.
std::string decode_lossy(std::string_view inside);

/// Bytes of the valid UTF-8 sequence that `text` begins with, or 0 (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text);

/// The value of a number token that is whole, however it is spelled (2, 2.0, 20e-1), and at most 2^53 either side of
/// zero; less than that where it has a fraction or an exponent.
std::optional<std::int64_t> whole_number(std::string_view token);

/// Bytes of the valid escape that `text` begins with: 2, 6 for a code unit, or 0.
std::size_t escape_length(std::string_view text);

}  // namespace tollgate::protocol::json
