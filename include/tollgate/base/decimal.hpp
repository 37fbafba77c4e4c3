#pragma once
// Numbers as decimal digits, without an allocation. An answer and its access line hold some twenty of them, so they are
// written here, inline and two digits at a time.
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tollgate {

inline constexpr std::size_t longest_decimal = 20;  ///< of 64 bits

namespace detail {

inline constexpr std::array<char, 200> digit_pairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

inline constexpr std::array<std::uint64_t, longest_decimal> powers_of_ten = [] {
  std::array<std::uint64_t, longest_decimal> powers{};
  std::uint64_t power = 1;
  for (auto& each : powers) {
    each = power;
    power *= 10;
  }
  return powers;
}();

/// log10(2) is a little less than 1233 / 4096, so the guess is right or one too many.
inline std::size_t decimal_length(std::uint64_t value) {
  value |= 1;
  const auto guess = static_cast<std::size_t>(std::bit_width(value)) * 1233 >> 12;
  return guess + (value < powers_of_ten[guess] ? 0 : 1);
}

}  // namespace detail

/// Needs room for longest_decimal bytes; returns the end of what was written.
inline char* write_decimal(char* to, std::uint64_t value) {
  char* const end = to + detail::decimal_length(value);
  char* at = end;
  for (; value >= 100; value /= 100) std::memcpy(at -= 2, &detail::digit_pairs[value % 100 * 2], 2);
  if (value >= 10)
    std::memcpy(to, &detail::digit_pairs[value * 2], 2);
  else
    *to = static_cast<char>('0' + value);
  return end;
}

class Decimal {
 public:
  explicit Decimal(std::uint64_t value)
      : size_(static_cast<std::size_t>(write_decimal(digits_.data(), value) - digits_.data())) {}
  std::string_view text() const { return {digits_.data(), size_}; }

 private:
  std::array<char, longest_decimal> digits_;
  std::size_t size_;
};

}  // namespace tollgate
