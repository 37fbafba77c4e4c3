#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate {

/// An amount of US dollars in whole nano-dollars: 64 bits reach 9.2 thousand million dollars either way. There is no
/// floating point on the way of money, and one rounding per attempt (product.md, section 9).
struct Money {
  std::int64_t nanos = 0;
  static constexpr std::int64_t nanos_per_dollar = 1'000'000'000;

  auto operator<=>(const Money&) const = default;
  constexpr Money& operator+=(Money other) { return nanos += other.nanos, *this; }
  constexpr Money& operator-=(Money other) { return nanos -= other.nanos, *this; }
  friend constexpr Money operator+(Money a, Money b) { return a += b; }
  friend constexpr Money operator-(Money a, Money b) { return a -= b; }
};

/// Dollars as digits with at most nine places and nothing else: "500", "0.075". Nothing where it is something else, has
/// more places, or is 9 * 10^9 and more.
std::optional<Money> parse_money(std::string_view dollars);

inline constexpr std::size_t longest_money = 21;
/// The same back, exactly and without needless zeros: "-0.5", "12". Returns the end; `to` has room for longest_money.
char* write_money(char* to, Money amount);

class MoneyText {
 public:
  explicit MoneyText(Money amount)
      : size_(static_cast<std::size_t>(write_money(text_.data(), amount) - text_.data())) {}
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, longest_money> text_;
  std::size_t size_;
};

}  // namespace tollgate
