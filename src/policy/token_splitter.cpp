// The encodings' expressions by hand: what a backtracking matcher would find, without one. Above each part stands the
// alternative that it is; the first that matches wins.
#include "policy/token_splitter.hpp"

#include <array>
#include <cstring>

namespace tollgate::policy::tokens {
namespace {

using Class = CharacterClass;

constexpr unsigned bit(Class which) { return 1u << static_cast<unsigned>(which); }

constexpr unsigned letters = bit(Class::upper) | bit(Class::lower) | bit(Class::letter);
constexpr unsigned either_case = bit(Class::letter) | bit(Class::mark);
constexpr unsigned upper_part = bit(Class::upper) | either_case;
constexpr unsigned lower_part = bit(Class::lower) | either_case;
constexpr unsigned blanks = bit(Class::space) | bit(Class::newline);
constexpr unsigned symbols = bit(Class::other) | bit(Class::mark);
constexpr unsigned before_word = symbols | bit(Class::space);

constexpr auto ascii_classes = [] {
  std::array<Class, 128> classes{};
  for (std::size_t at = 0; at < classes.size(); ++at) {
    const char character = static_cast<char>(at);
    if (character >= 'A' && character <= 'Z') classes[at] = Class::upper;
    if (character >= 'a' && character <= 'z') classes[at] = Class::lower;
    if (character >= '0' && character <= '9') classes[at] = Class::number;
    if (character == ' ' || (character >= '\t' && character <= '\r')) classes[at] = Class::space;
    if (character == '\n' || character == '\r') classes[at] = Class::newline;
  }
  return classes;
}();

/// A code point and its bytes; length 0 where no valid UTF-8 begins (Unicode, table 3-7).
struct Decoded {
  std::uint32_t code_point;
  std::uint8_t length;
};

Decoded decode(const unsigned char* at, std::ptrdiff_t left) {
  const auto tail = [&](std::ptrdiff_t index) { return index < left && (at[index] & 0xC0) == 0x80; };
  const std::uint32_t first = at[0];
  if (first >= 0xC2 && first <= 0xDF && tail(1)) return {(first & 0x1F) << 6 | (at[1] & 0x3Fu), 2};
  if ((first & 0xF0) == 0xE0 && tail(1) && tail(2)) {
    const std::uint32_t code = (first & 0x0F) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    if (code >= 0x800 && (code < 0xD800 || code > 0xDFFF)) return {code, 3};
  }
  if (first >= 0xF0 && first <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const std::uint32_t code = (first & 0x07) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3Fu);
    if (code >= 0x10000 && code < code_points) return {code, 4};
  }
  return {0, 0};
}

}  // namespace

inline Splitter::Character Splitter::character(const char* at) {
  ++steps_;
  const auto byte = static_cast<unsigned char>(*at);
  if (byte < 0x80) return {ascii_classes[byte], 1};
  const Decoded decoded = decode(reinterpret_cast<const unsigned char*>(at), end_ - at);
  if (decoded.length == 0) return {Class::other, 1};
  return {class_of(decoded.code_point), decoded.length};
}

inline const char* Splitter::run_end(const char* from, unsigned classes) {
  while (from != end_) {
    const Character next = character(from);
    if ((bit(next.is) & classes) == 0) break;
    from += next.length;
  }
  return from;
}

std::string_view Splitter::next() {
  const char* const begin = at_;
  if (begin != end_) at_ = piece_end();
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

const char* Splitter::piece_end() {
  const Character first = character(at_);
  const bool cased = encoding_ == TokenEncoding::o200k_base;
  if (!cased && *at_ == '\'') {
    if (const char* const end = contraction_end(at_); end != at_) return end;
  }
  if (const char* const end = cased ? cased_word_end(at_, first) : word_end(at_, first)) return end;
  if (first.is == Class::number) return number_end(at_);
  if (const char* const end = symbols_end(at_)) return end;
  return blanks_end(at_);
}

/// cl100k: [^\r\n\p{L}\p{N}]?+\p{L}++
const char* Splitter::word_end(const char* from, Character first) {
  const char* const begin = (bit(first.is) & before_word) != 0 ? from + first.length : from;
  const char* const end = run_end(begin, letters);
  return end == begin ? nullptr : end;
}

/// o200k, with U for [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], L for [\p{Ll}\p{Lm}\p{Lo}\p{M}] and C for the contractions:
///     [^\r\n\p{L}\p{N}]? U* L+ C?  |  [^\r\n\p{L}\p{N}]? U+ L* C?
const char* Splitter::cased_word_end(const char* from, Character first) {
  const char* const begin = (bit(first.is) & before_word) != 0 ? from + first.length : from;
  const char* end = begin;
  const char* either_end = nullptr;  // behind the last character that is in U and in L
  while (end != end_) {
    const Character next = character(end);
    if (next.is == Class::lower) return contraction_end(run_end(end, lower_part));
    if ((bit(next.is) & upper_part) == 0) break;
    end += next.length;
    if ((bit(next.is) & either_case) != 0) either_end = end;
  }
  // U* gives back as much as L+ needs: one character, and what U* took behind it cannot follow.
  if (either_end != nullptr) return contraction_end(either_end);
  // The first alternative goes without the leading character before the second is tried; only a mark is a word then.
  if (first.is == Class::mark) return contraction_end(begin);
  return end == begin ? nullptr : contraction_end(end);
}

/// (?i:'s|'t|'re|'ve|'m|'ll|'d)?, where `s` may also be the long one, as Unicode folds it.
const char* Splitter::contraction_end(const char* from) const {
  const auto left = end_ - from;
  if (left < 2 || *from != '\'') return from;
  const char first = static_cast<char>(from[1] | 0x20);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return from + 2;
  if (left < 3) return from;
  if (from[1] == '\xC5' && from[2] == '\xBF') return from + 3;
  const char second = static_cast<char>(from[2] | 0x20);
  const bool known = (second == 'e' && (first == 'r' || first == 'v')) || (first == 'l' && second == 'l');
  return known ? from + 3 : from;
}

/// \p{N}{1,3}
const char* Splitter::number_end(const char* from) {
  for (unsigned digits = 0; digits < 3 && from != end_; ++digits) {
    const Character next = character(from);
    if (next.is != Class::number) break;
    from += next.length;
  }
  return from;
}

/// cl100k: ` ?[^\s\p{L}\p{N}]++[\r\n]*+`, o200k: ` ?[^\s\p{L}\p{N}]+[\r\n/]*`
const char* Splitter::symbols_end(const char* from) {
  const char* const begin = *from == ' ' ? from + 1 : from;
  const char* end = run_end(begin, symbols);
  if (end == begin) return nullptr;
  const bool slashes = encoding_ == TokenEncoding::o200k_base;
  for (; end != end_ && (*end == '\r' || *end == '\n' || (slashes && *end == '/')); ++end) ++steps_;
  return end;
}

/// cl100k: \s++$|\s*[\r\n]|\s+(?!\S)|\s
/// o200k: \s*[\r\n]+|\s+(?!\S)|\s+
const char* Splitter::blanks_end(const char* from) {
  const char* end = from;
  const char* last = from;  // where the last blank of the run begins
  const char* line_end = nullptr;
  while (end != end_) {
    const Character next = character(end);
    if ((bit(next.is) & blanks) == 0) break;
    last = end;
    end += next.length;
    if (next.is == Class::newline) line_end = end;
  }
  if (end == end_ && encoding_ == TokenEncoding::cl100k_base) return end;
  if (line_end != nullptr) return line_end;
  // The last blank is left to the word that follows, unless it is the only one.
  return end == end_ || last == from ? end : last;
}

}  // namespace tollgate::policy::tokens
