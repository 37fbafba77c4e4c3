#include "tollgate/base/money.hpp"

#include "tollgate/base/decimal.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate {

namespace {

constexpr std::size_t places = 9;
constexpr std::int64_t most_dollars = 9'000'000'000;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<Money> parse_money(std::string_view dollars) {
  const std::size_t point = std::min(dollars.find('.'), dollars.size());
  const std::string_view whole = dollars.substr(0, point);
  const std::string_view part = dollars.substr(std::min(point + 1, dollars.size()));
  const bool has_point = point < dollars.size();
  if (whole.empty() || (has_point && part.empty()) || part.size() > places || !all_digits(whole) || !all_digits(part))
    return {};
  std::int64_t nanos = 0;
  for (const char digit : whole) {
    nanos = nanos * 10 + (digit - '0');
    if (nanos >= most_dollars) return {};
  }
  for (std::size_t i = 0; i < places; ++i) nanos = nanos * 10 + (i < part.size() ? part[i] - '0' : 0);
  return Money{nanos};
}

char* write_money(char* to, Money amount) {
  if (amount.nanos < 0) *to++ = '-';
  const auto nanos = static_cast<std::uint64_t>(amount.nanos);
  const std::uint64_t size = amount.nanos < 0 ? 0 - nanos : nanos;
  to = write_decimal(to, size / Money::nanos_per_dollar);
  const std::uint64_t rest = size % Money::nanos_per_dollar;
  if (rest > 0) {
    constexpr std::uint64_t eight_digits = 100'000'000;
    const auto digits = detail::DigitPairs::quotient<1'000'000>(rest % eight_digits);
    *to++ = '.';
    *to++ = static_cast<char>('0' + rest / eight_digits);
    to = detail::write_pairs<3>(detail::write_pair(to, digits.front()), digits);
    while (to[-1] == '0') --to;
  }
  return to;
}

}  // namespace tollgate
