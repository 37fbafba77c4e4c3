#include "protocol/anthropic/request/chat_text.hpp"

#include "protocol/json_text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace tollgate::protocol::anthropic::request {
namespace {

/// Bytes of the white space that `text` begins with, or 0: what Unicode calls so, and the separators of ASCII.
std::size_t blank_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte < 0x80) return byte == ' ' || (byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x1F) ? 1 : 0;
  constexpr std::array<std::string_view, 19> others = {
      "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
      "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
      "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};
  for (const std::string_view other : others)
    if (text.starts_with(other)) return other.size();
  return 0;
}

bool may_have_surrogates(std::string_view inside) {
  return inside.find('\\') != std::string_view::npos &&
         (inside.find("\\ud") != std::string_view::npos || inside.find("\\uD") != std::string_view::npos);
}

}  // namespace

bool is_blank(std::string_view inside) {
  while (const std::size_t length = blank_length(inside)) inside.remove_prefix(length);
  if (inside.empty()) return true;
  if (inside.front() != '\\') return false;
  const std::string text = json::decode_lossy(inside);
  std::string_view rest = text;
  while (const std::size_t length = blank_length(rest)) rest.remove_prefix(length);
  return rest.empty();
}

void write_text(json::Writer& writer, std::string_view inside) {
  if (may_have_surrogates(inside) && !json::decode(inside))
    writer.text(json::decode_lossy(inside));
  else
    writer.escaped(inside);
}

std::string_view without_end_blanks(std::string_view text) {
  for (bool cut = true; cut && !text.empty();) {
    cut = false;
    for (std::size_t length = 1; length <= 3 && length <= text.size() && !cut; ++length) {
      if (blank_length(text.substr(text.size() - length)) != length) continue;
      text.remove_suffix(length);
      cut = true;
    }
  }
  return text;
}

std::size_t find_broken_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    while (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080u) != 0) break;
      at += sizeof eight;
    }
    if (at == text.size()) break;
    const std::size_t length = json::utf8_length(text.substr(at, 4));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string_view plain_or_decoded(std::string_view inside, std::string& kept) {
  if (inside.find('\\') == std::string_view::npos) return inside;
  kept = json::decode_lossy(inside);
  return kept;
}

}  // namespace tollgate::protocol::anthropic::request
