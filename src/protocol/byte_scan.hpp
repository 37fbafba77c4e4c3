#pragma once
// Finds the next byte that matters, 16 at a time. Everything that looks at bodies and streams spends its time here, so
// each question is one short vector loop; the byte tables below it are the meaning, and all there is where SSE2 is not.
#include <array>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tollgate::protocol {

/// What a byte is to the scanners. Built at compile time from the grammars of RFC 8259 and of WHATWG's event streams.
struct ByteClass {
  bool in_string_special = false;  ///< quote, backslash or control character: ends a run of string text
  bool between_plain = false;      ///< may stand between strings and brackets, and means nothing to their nesting
  bool line_end = false;           ///< CR or LF
};

namespace detail {

constexpr std::array<ByteClass, 256> make_byte_classes() {
  std::array<ByteClass, 256> classes{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    ByteClass& is = classes[byte];
    is.in_string_special = byte < 0x20 || byte == '"' || byte == '\\';
    is.between_plain = (byte >= '+' && byte <= ':' && byte != '/') || (byte >= 'a' && byte <= 'z') || byte == ' ';
    is.line_end = byte == '\n' || byte == '\r';
  }
  return classes;
}
inline constexpr std::array<ByteClass, 256> byte_classes = make_byte_classes();

#if defined(__SSE2__)
using Block = __m128i;
inline Block fill(char byte) { return _mm_set1_epi8(byte); }
inline Block equal(Block block, char byte) { return _mm_cmpeq_epi8(block, fill(byte)); }
/// Bytes in [first, last], as unsigned.
inline Block within(Block block, char first, char last) {
  const Block shifted = _mm_sub_epi8(block, fill(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(shifted, fill(static_cast<char>(last - first))), shifted);
}
inline Block either(Block left, Block right) { return _mm_or_si128(left, right); }

/// The first byte from `at` for which `Question` holds, or `end`.
template <class Question>
inline const char* find(const char* at, const char* end) {
  for (; end - at >= 16; at += 16) {
    const Block block = _mm_loadu_si128(reinterpret_cast<const Block*>(at));
    const auto hits = static_cast<unsigned>(_mm_movemask_epi8(Question::of(block))) & 0xFFFFu;
    if (hits != 0) return at + __builtin_ctz(hits);
  }
  while (at != end && !Question::of(byte_classes[static_cast<unsigned char>(*at)])) ++at;
  return at;
}
#else
template <class Question>
inline const char* find(const char* at, const char* end) {
  while (at != end && !Question::of(byte_classes[static_cast<unsigned char>(*at)])) ++at;
  return at;
}
#endif

struct StringSpecial {
  static bool of(ByteClass is) { return is.in_string_special; }
#if defined(__SSE2__)
  static Block of(Block block) {
    return either(either(equal(block, '"'), equal(block, '\\')), within(block, '\0', '\x1F'));
  }
#endif
};

struct BetweenSpecial {
  static bool of(ByteClass is) { return !is.between_plain; }
#if defined(__SSE2__)
  static Block of(Block block) {
    const Block number_like = _mm_andnot_si128(equal(block, '/'), within(block, '+', ':'));
    const Block plain = either(either(number_like, within(block, 'a', 'z')), equal(block, ' '));
    return _mm_andnot_si128(plain, fill('\xFF'));
  }
#endif
};

struct LineEnd {
  static bool of(ByteClass is) { return is.line_end; }
#if defined(__SSE2__)
  static Block of(Block block) { return either(equal(block, '\n'), equal(block, '\r')); }
#endif
};

}  // namespace detail

/// The first quote, backslash or control character from `at`, or `end`.
inline const char* find_string_special(const char* at, const char* end) {
  return detail::find<detail::StringSpecial>(at, end);
}

/// The first byte from `at` that is not a blank, part of a number or literal, comma or colon, or `end`.
inline const char* find_between_special(const char* at, const char* end) {
  return detail::find<detail::BetweenSpecial>(at, end);
}

/// The first CR or LF from `at`, or `end`.
inline const char* find_line_end(const char* at, const char* end) { return detail::find<detail::LineEnd>(at, end); }

}  // namespace tollgate::protocol
