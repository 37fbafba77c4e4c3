#pragma once
// The text of a key that we make: "tg_", 43 characters for 256 random bits, 6 for a checksum. The prefix lets scanners
// find a leaked key, the checksum finds a typing error without asking anybody. Nothing here is ever logged.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::policy {

inline constexpr std::string_view key_prefix = "tg_";
inline constexpr std::size_t key_text_size = 52;  ///< bytes of a whole key

/// The key of these random bytes, read as one big-endian number in base 62 (digits 0-9, A-Z, a-z). The last six
/// characters are the CRC-32 (IEEE 802.3, as zlib's) of all before them, in the same base.
std::string key_text(std::span<const std::uint8_t, 32> random);

/// Whether `text` can be a key of ours: prefix, length, characters and checksum are right. Says nothing of whether
/// there is such a key.
bool is_well_formed(std::string_view text);

/// What people may see of a key to tell it from others: its first 7 characters, "...", its last 4. Of a text shorter
/// than 24 characters this would be most of a secret: it becomes "..." alone.
std::string hint_of(std::string_view text);

}  // namespace tollgate::policy
