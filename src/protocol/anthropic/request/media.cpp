// What a picture is, its own first bytes say better than the client does: a wrong media type is refused by the API, and
// clients often guess it from a file's name.
#include "protocol/anthropic/request/media.hpp"

#include "protocol/json_scan.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace tollgate::protocol::anthropic::request {
namespace {

constexpr int no_digit = -1;

constexpr std::array<signed char, 256> base64_digits = [] {
  std::array<signed char, 256> digits{};
  digits.fill(no_digit);
  signed char value = 0;
  for (const char letter : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
    digits[static_cast<unsigned char>(letter)] = value++;
  return digits;
}();

int digit(char letter) { return base64_digits[static_cast<unsigned char>(letter)]; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& byte : result)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte | 0x20);
  return result;
}

bool is_base64(std::string_view data) {
  std::size_t padding = 0;
  while (padding < 2 && data.ends_with('=')) {
    data.remove_suffix(1);
    ++padding;
  }
  if (data.empty() || data.size() % 4 == 1) return false;
  if (padding != 0 && (data.size() + padding) % 4 != 0) return false;
  return std::ranges::all_of(data, [](char letter) { return digit(letter) != no_digit; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && json::is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && json::is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<DataUrl> read_data_url(std::string_view url) {
  constexpr std::string_view scheme = "data:";
  url = trimmed(url);
  if (lower(url.substr(0, scheme.size())) != scheme) return std::nullopt;
  url.remove_prefix(scheme.size());
  const std::size_t comma = url.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  std::string_view head = url.substr(0, comma);
  DataUrl result{.media_type = {}, .base64 = false, .data = url.substr(comma + 1)};
  result.media_type = lower(trimmed(head.substr(0, head.find(';'))));
  while (head.find(';') != std::string_view::npos) {
    head.remove_prefix(head.find(';') + 1);
    if (lower(trimmed(head.substr(0, head.find(';')))) == "base64") result.base64 = true;
  }
  return result;
}

std::optional<std::string_view> clean_base64(std::string_view data, std::string& kept) {
  if (std::ranges::any_of(data, json::is_blank)) {
    kept.clear();
    kept.reserve(data.size());
    std::ranges::copy_if(data, std::back_inserter(kept), [](char byte) { return !json::is_blank(byte); });
    data = kept;
  }
  if (!is_base64(data)) return std::nullopt;
  return data;
}

std::string decode_base64(std::string_view data) {
  std::string bytes;
  bytes.reserve(data.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char letter : data) {
    const int value = digit(letter);
    if (value == no_digit) break;
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFFFu;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xFFu));
  }
  return bytes;
}

std::string_view sniff_media_type(std::string_view base64) {
  using namespace std::string_view_literals;
  const std::string head = decode_base64(base64.substr(0, 24));
  const std::string_view bytes = head;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return "image/png";
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) return "image/jpeg";
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) return "image/gif";
  if (bytes.size() >= 12 && bytes.starts_with("RIFF"sv) && bytes.substr(8).starts_with("WEBP"sv)) return "image/webp";
  if (bytes.starts_with("%PDF-"sv)) return "application/pdf";
  return {};
}

}  // namespace tollgate::protocol::anthropic::request
