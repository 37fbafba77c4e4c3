#pragma once
// Classes of ASCII bytes, whatever the locale says.

namespace tollgate {

constexpr bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
constexpr bool is_letter(char byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; }

}  // namespace tollgate
