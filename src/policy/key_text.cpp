#include "tollgate/policy/key_text.hpp"

#include <algorithm>
#include <array>

namespace tollgate::policy {
namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t number_size = 43;  // 62^43 > 2^256 > 62^42
constexpr std::size_t checksum_size = 6;
static_assert(digits.size() == 62 && key_prefix.size() + number_size + checksum_size == key_text_size);

constexpr std::size_t hint_front = 7, hint_back = 4, shortest_hinted = 24;

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t remainder = 0xFFFFFFFF;
  for (const char byte : bytes) {
    remainder ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ (remainder & 1 ? 0xEDB88320 : 0);
  }
  return ~remainder;
}

std::string checksum(std::string_view bytes) {
  std::string text(checksum_size, digits[0]);
  std::uint32_t rest = crc32(bytes);
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, rest /= 62) *digit = digits[rest % 62];
  return text;
}

/// Divides the big-endian number by 62; what remains.
std::uint32_t divide(std::array<std::uint8_t, 32>& number) {
  std::uint32_t remainder = 0;
  for (std::uint8_t& byte : number) {
    const std::uint32_t part = remainder << 8 | byte;
    byte = static_cast<std::uint8_t>(part / 62);
    remainder = part % 62;
  }
  return remainder;
}

}  // namespace

std::string key_text(std::span<const std::uint8_t, 32> random) {
  std::array<std::uint8_t, 32> number;
  std::copy(random.begin(), random.end(), number.begin());
  std::string text(key_prefix);
  text.resize(key_prefix.size() + number_size);
  for (std::size_t i = text.size(); i > key_prefix.size(); --i) text[i - 1] = digits[divide(number)];
  return text + checksum(text);
}

bool is_well_formed(std::string_view text) {
  if (text.size() != key_text_size || !text.starts_with(key_prefix)) return false;
  if (text.find_first_not_of(digits, key_prefix.size()) != text.npos) return false;
  const std::size_t end = key_text_size - checksum_size;
  return text.substr(end) == checksum(text.substr(0, end));
}

std::string hint_of(std::string_view text) {
  if (text.size() < shortest_hinted) return "...";
  return std::string(text.substr(0, hint_front)).append("...").append(text.substr(text.size() - hint_back));
}

}  // namespace tollgate::policy
