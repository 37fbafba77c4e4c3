#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate {

/// A SHA-256 digest. Compare secrets by same_digest(), never with ==, which stops at the first difference.
using Digest = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) of the bytes.
Digest sha256(std::string_view bytes);

/// Whether two digests are the same, in a time that does not depend on where they differ.
/// Whether two texts are the same, in a time that tells at most whether their sizes are.
bool same_secret(std::string_view one, std::string_view other);
/// The same for digests.
bool same_digest(const Digest& one, const Digest& other);

/// 64 lower-case hex digits, and back; nothing where the text is anything else (upper case is accepted).
std::string to_hex(const Digest& digest);
std::optional<Digest> digest_from_hex(std::string_view text);

}  // namespace tollgate
