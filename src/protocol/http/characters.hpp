#pragma once
// Which bytes may stand where in a head, and the scans built on that: 16 bytes at a time with SSE2, which every x86-64
// has, else by table. The head parser runs on each request, and these scans are nearly all of its work.
#include "tollgate/base/ascii.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tollgate::protocol::http {

/// Classes of bytes, as bits of the table below.
enum Characters : std::uint8_t {
  token_characters = 1,   ///< RFC 9110, section 5.6.2
  target_characters = 2,  ///< visible ASCII without '#'
  host_characters = 4,    ///< letters, digits and "-._~": a host name on the wire needs no other
  hex_characters = 8,
};

inline constexpr std::array<std::uint8_t, 256> character_table = [] {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&table](std::string_view characters, std::uint8_t bits) {
    for (const char c : characters) table[static_cast<unsigned char>(c)] |= bits;
  };
  for (std::size_t c = 0x21; c < 0x7F; ++c) table[c] = target_characters;
  table['#'] = 0;
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", token_characters | host_characters);
  mark("0123456789abcdefABCDEF", hex_characters);
  mark("!#$%&'*+-.^_`|~", token_characters);
  mark("-._~", host_characters);
  return table;
}();

inline bool is(char c, Characters wanted) { return (character_table[static_cast<unsigned char>(c)] & wanted) != 0; }
inline bool is_white(char c) { return c == ' ' || c == '\t'; }
/// A control byte, DEL among them.
inline bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
inline bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
inline char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

#if defined(__SSE2__)
inline constexpr std::size_t block_size = 16;
inline __m128i all_of(int byte) { return _mm_set1_epi8(static_cast<char>(byte)); }
inline __m128i equal(__m128i bytes, int byte) { return _mm_cmpeq_epi8(bytes, all_of(byte)); }
/// 0xFF where low <= byte <= high, unsigned: the range is moved to the top of the signed bytes, and one comparison is
/// left.
inline __m128i between(__m128i bytes, int low, int high) {
  return _mm_cmpgt_epi8(_mm_add_epi8(bytes, all_of(127 - high)), all_of(126 - (high - low)));
}
inline __m128i load_block(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
#endif

/// Stops at bytes that cannot be inside the lines of a head, and at HTAB, which can.
template <bool obs_text>
struct LineStop {
#if defined(__SSE2__)
  static __m128i block(__m128i bytes) {
    if constexpr (obs_text) return _mm_or_si128(between(bytes, 0, 0x1F), equal(bytes, 0x7F));
    // One up, and compared as signed, DEL and all from 0x80 are below 0x21 too.
    return _mm_cmplt_epi8(_mm_add_epi8(bytes, all_of(1)), all_of(0x21));
  }
#endif
  static bool byte(char c) { return is_control(c) || (!obs_text && !is_ascii(c)); }
};

/// Stops at bytes that cannot be in a request target; the space behind it is one.
struct TargetStop {
#if defined(__SSE2__)
  static __m128i block(__m128i bytes) {
    const __m128i outside = _mm_or_si128(_mm_cmplt_epi8(bytes, all_of(0x21)), equal(bytes, 0x7F));
    return _mm_or_si128(outside, equal(bytes, '#'));
  }
#endif
  static bool byte(char c) { return !is(c, target_characters); }
};

/// Stops at all but letters and '-': what nearly every field name is made of.
struct PlainNameStop {
#if defined(__SSE2__)
  static __m128i block(__m128i bytes) {
    const __m128i letters = between(_mm_or_si128(bytes, all_of(0x20)), 'a', 'z');
    return _mm_andnot_si128(_mm_or_si128(letters, equal(bytes, '-')), all_of(0xFF));
  }
#endif
  static bool byte(char c) { return c != '-' && (lower_case(c) < 'a' || lower_case(c) > 'z'); }
};

/// The first byte in [at, end) that Stop stops at, or end.
template <class Stop>
inline const char* scan_to(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; static_cast<std::size_t>(end - at) >= block_size; at += block_size) {
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(Stop::block(load_block(at))));
    if (stops != 0) return at + std::countr_zero(stops);
  }
#endif
  while (at != end && !Stop::byte(*at)) ++at;
  return at;
}

/// ASCII case-insensitive equality, both sides as they come.
bool equal_but_for_case(std::string_view one, std::string_view other);

/// Eight bytes with their ASCII capitals in lower case. Each byte's top bit is worked out to say whether it is one:
/// from 'A' on and not beyond 'Z', without a carry into the next byte.
inline std::uint64_t lower_case_word(const char* at) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL, tops = 0x8080808080808080ULL;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t low_bits = word & ~tops;
  const std::uint64_t from_a = low_bits + ones * (0x80 - 'A'), beyond_z = low_bits + ones * (0x7F - 'Z');
  const std::uint64_t capitals = (from_a ^ beyond_z) & ~word & tops;
  return word | capitals >> 2;
}

/// Eight bytes with bit 5 set, which folds ASCII letters to lower case.
inline std::uint64_t folded_word(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word | 0x2020202020202020ULL;
}

/// Case-insensitive equality for field names that are known to be tokens. Among token characters setting bit 5 brings
/// nothing together but the cases of a letter, and '^' with '~', which none of the names asked for has.
template <std::size_t size>
inline bool name_is(std::string_view name, const char (&lower)[size]) {
  constexpr std::size_t length = size - 1;
  if (name.size() != length) return false;
  if constexpr (length < 8) {
    for (std::size_t i = 0; i < length; ++i) {
      if ((name[i] | 0x20) != lower[i]) return false;
    }
    return true;
  } else {
    std::size_t at = 0;
    for (; at + 8 < length; at += 8) {
      if (folded_word(name.data() + at) != folded_word(lower + at)) return false;
    }
    return folded_word(name.data() + length - 8) == folded_word(lower + length - 8);
  }
}

}  // namespace tollgate::protocol::http
