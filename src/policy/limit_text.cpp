#include "tollgate/policy/limit_text.hpp"

#include "tollgate/base/decimal.hpp"

#include <algorithm>
#include <array>

namespace tollgate::policy {

namespace {

char* write(char* to, std::int64_t number, char unit) {
  to = write_decimal(to, static_cast<std::uint64_t>(number));
  *to++ = unit;
  return to;
}

}  // namespace

char* write_reset(char* to, Millis wait) {
  wait = std::max(wait, Millis(0));
  if (wait > Millis(0) && wait < std::chrono::seconds(1)) {
    to = write(to, wait.count(), 'm');
    *to++ = 's';
    return to;
  }
  const std::chrono::hh_mm_ss parts(wait);
  const bool has_hours = parts.hours().count() > 0;
  if (has_hours) to = write(to, parts.hours().count(), 'h');
  if (has_hours || parts.minutes().count() > 0) to = write(to, parts.minutes().count(), 'm');
  std::int64_t left = parts.subseconds().count();
  to = write(to, parts.seconds().count(), left > 0 ? '.' : 's');
  if (left == 0) return to;
  for (std::int64_t digit = 100; left > 0; left %= digit, digit /= 10) *to++ = static_cast<char>('0' + left / digit);
  *to++ = 's';
  return to;
}

std::string reset_text(Millis wait) {
  std::array<char, longest_reset> text{};
  return {text.data(), write_reset(text.data(), wait)};
}

std::uint64_t retry_seconds(Millis wait) {
  const auto whole = wait.count() / 1000 + (wait.count() % 1000 > 0 ? 1 : 0);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(whole, 1));
}

}  // namespace tollgate::policy
