// What a JSON string or number token means, for the few that are read and not only stepped over. Apart from the
// scanner, whose speed must not depend on any of this.
#include "protocol/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tollgate::protocol::json {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::optional<unsigned> hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return static_cast<unsigned>(byte - '0');
  const char lower = static_cast<char>(byte | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
  return std::nullopt;
}

/// The code unit of `\uXXXX` at the start of `text`.
std::optional<unsigned> code_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (std::size_t at = 2; at < 6; ++at) {
    const auto digit = hex_digit(text[at]);
    if (!digit) return std::nullopt;
    unit = unit << 4 | *digit;
  }
  return unit;
}

void append_utf8(std::string& out, unsigned point) {
  const auto tail = [&](unsigned shift) { out.push_back(static_cast<char>(0x80 | ((point >> shift) & 0x3F))); };
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | point >> 12));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | point >> 18));
    tail(12), tail(6), tail(0);
  }
}

/// Appends the character of the escape that `text` begins with and returns the escape's length, or 0 if it is no
/// character.
std::size_t decode_escape(std::string_view text, std::string& out) {
  if (text.size() < 2) return 0;
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (const auto which = letters.find(text[1]); which != std::string_view::npos) {
    out.push_back(meanings[which]);
    return 2;
  }
  const auto unit = code_unit(text);
  if (!unit || (*unit & 0xFC00u) == 0xDC00u) return 0;
  if ((*unit & 0xFC00u) != 0xD800u) {
    append_utf8(out, *unit);
    return 6;
  }
  const auto low = code_unit(text.substr(6));
  if (!low || (*low & 0xFC00u) != 0xDC00u) return 0;
  append_utf8(out, 0x10000u + ((*unit & 0x3FFu) << 10) + (*low & 0x3FFu));
  return 12;
}

/// Bytes before the first that belongs to an escape or to no ASCII character.
std::size_t plain_length(std::string_view text) {
  const auto special = [](char byte) { return byte == '\\' || (byte & 0x80) != 0; };
  return static_cast<std::size_t>(std::ranges::find_if(text, special) - text.begin());
}

struct Decoded {
  std::string text;
  bool exact = true;
};

Decoded decode_all(std::string_view inside) {
  Decoded result;
  result.text.reserve(inside.size());
  while (!inside.empty()) {
    std::size_t length = 0;
    if (inside.front() == '\\') {
      length = decode_escape(inside, result.text);
    } else if ((length = plain_length(inside)) != 0 || (length = utf8_length(inside)) != 0) {
      result.text.append(inside.substr(0, length));
    }
    if (length == 0) {
      result.exact = false;
      result.text.append(replacement);
      length = code_unit(inside) ? 6 : 1;
    }
    inside.remove_prefix(length);
  }
  return result;
}

}  // namespace

std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return 0;
  switch (text[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return 2;
    default: return code_unit(text) ? 6 : 0;
  }
}

std::optional<std::string> decode(std::string_view inside) {
  auto decoded = decode_all(inside);
  if (!decoded.exact) return std::nullopt;
  return std::move(decoded.text);
}

std::string decode_lossy(std::string_view inside) { return decode_all(inside).text; }

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  const auto follows = [&](std::size_t at) { return (byte(at) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (text.empty()) return 0;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead < 0xE0) return follows(1) ? 2 : 0;
  // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most || !follows(2)) return 0;
  if (lead < 0xF0) return 3;
  return follows(3) ? 4 : 0;
}

std::optional<std::int64_t> whole_number(std::string_view token) {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  const char* const last = token.data() + token.size();
  std::int64_t whole = 0;
  const auto plain = std::from_chars(token.data(), last, whole);
  if (plain.ec == std::errc() && plain.ptr == last)
    return whole >= -most && whole <= most ? std::optional(whole) : std::nullopt;
  double value = 0;
  const auto spelled = std::from_chars(token.data(), last, value);
  if (spelled.ec != std::errc() || spelled.ptr != last) return std::nullopt;
  // 2^53 itself may be what is left of 2^53 + 1.
  if (std::abs(value) >= static_cast<double>(most) || value != std::trunc(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

}  // namespace tollgate::protocol::json
