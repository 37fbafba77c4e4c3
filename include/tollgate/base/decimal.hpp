#pragma once
// Numbers as decimal digits, without an allocation. An answer and its access line hold some twenty of them, so they are
// written here, inline and two digits at a time and
// without a division.
#include <array>
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

/// A number below 100 with what follows its point, in parts of 2^56: each step brings two digits more before the point.
/// Made by multiplying with a power of ten's reciprocal, rounded up; below 10^8 the error never reaches a digit.
class DigitPairs {
 public:
  template <std::uint64_t Divisor>
  static DigitPairs quotient(std::uint64_t value) {
    return DigitPairs(value * ((std::uint64_t{1} << point) / Divisor + 1));
  }
  std::uint64_t front() const { return bits_ >> point; }
  DigitPairs next() const { return DigitPairs((bits_ & ((std::uint64_t{1} << point) - 1)) * 100); }

 private:
  explicit DigitPairs(std::uint64_t bits) : bits_(bits) {}
  static constexpr unsigned point = 56;
  std::uint64_t bits_;
};

inline char* write_pair(char* to, std::uint64_t below_100) {
  std::memcpy(to, &digit_pairs[below_100 * 2], 2);
  return to + 2;
}

/// Without a leading zero.
inline char* write_first(char* to, std::uint64_t below_100) {
  if (below_100 >= 10) return write_pair(to, below_100);
  *to = static_cast<char>('0' + below_100);
  return to + 1;
}

template <unsigned Pairs>
char* write_pairs(char* to, DigitPairs digits) {
  for (unsigned i = 0; i < Pairs; ++i) to = write_pair(to, (digits = digits.next()).front());
  return to;
}

}  // namespace detail

/// Needs room for longest_decimal bytes; returns the end of what was written.
inline char* write_decimal(char* to, std::uint64_t value) {
  using detail::DigitPairs;
  constexpr std::uint64_t eight_digits = 100'000'000;
  if (value < 100) return detail::write_first(to, value);
  if (value < 10'000) {
    const auto digits = DigitPairs::quotient<100>(value);
    return detail::write_pairs<1>(detail::write_first(to, digits.front()), digits);
  }
  if (value < 1'000'000) {
    const auto digits = DigitPairs::quotient<10'000>(value);
    return detail::write_pairs<2>(detail::write_first(to, digits.front()), digits);
  }
  if (value < eight_digits) {
    const auto digits = DigitPairs::quotient<1'000'000>(value);
    return detail::write_pairs<3>(detail::write_first(to, digits.front()), digits);
  }
  const auto digits = DigitPairs::quotient<1'000'000>(value % eight_digits);
  return detail::write_pairs<3>(detail::write_pair(write_decimal(to, value / eight_digits), digits.front()), digits);
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
