// Providers say in half a dozen ways when to come back; this reads them all. Whole numbers all the way: in binary
// fractions 0.02 s would be rounded up to 21 ms.
#include "tollgate/protocol/retry_after.hpp"

#include "tollgate/base/ascii.hpp"
#include "tollgate/protocol/http/date.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tollgate::protocol {
namespace {

using Nanos = std::uint64_t;

constexpr Nanos second = 1'000'000'000;
constexpr Nanos most = std::chrono::duration_cast<std::chrono::nanoseconds>(longest_wait).count();

/// Two letters first: "ms" must not be taken for "m".
struct Unit {
  std::string_view name;
  Nanos length;
};
constexpr std::array<Unit, 8> units{Unit{"ms", second / 1000}, {"us", 1000}, {"\xC2\xB5s", 1000},
                                    {"\xCE\xBCs", 1000},       {"ns", 1},    {"h", 3600 * second},
                                    {"m", 60 * second},        {"s", second}};

std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

/// A decimal number as written, without a sign or an exponent.
struct Decimal {
  std::string_view whole, fraction;

  /// In nanoseconds where one is so long. Not above `most`; what is less than one rounds up.
  Nanos times(Nanos length) const {
    Nanos sum = 0;
    for (const char digit : whole) {
      sum = 10 * sum + static_cast<Nanos>(digit - '0');
      if (sum > most / length) return most;
    }
    sum *= length;
    bool more = false;
    for (const char digit : fraction) {
      length /= 10;
      sum += static_cast<Nanos>(digit - '0') * length;
      more = more || (length == 0 && digit != '0');
    }
    return std::min(sum + (more ? 1 : 0), most);
  }
};

/// Takes a number off the front of the text: "12", "0.5", and, as Go has it, ".5" and "1.".
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  number.whole = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.fraction = take_digits(text);
  }
  if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
  return number;
}

Millis rounded_up(Nanos nanos) { return std::chrono::ceil<Millis>(std::chrono::nanoseconds(nanos)); }

std::optional<Millis> parse_number(std::string_view text, Nanos unit) {
  const auto number = take_decimal(text);
  if (!number || !text.empty()) return std::nullopt;
  return rounded_up(number->times(unit));
}

std::optional<Millis> parse_milliseconds(std::string_view text) { return parse_number(text, second / 1000); }

std::optional<Millis> parse_seconds_or_date(std::string_view text, SystemTime now) {
  if (const auto wait = parse_number(text, second)) return wait;
  const auto until = http::parse_date(text, std::chrono::floor<seconds>(now));
  if (!until) return std::nullopt;
  const auto left = *until - std::chrono::floor<Millis>(now);
  return std::clamp<Millis>(left, Millis(0), longest_wait);
}

/// The longest that any field of that name says.
template <class Parse>
std::optional<Millis> longest(const http::Fields& fields, std::string_view name, Parse parse) {
  std::optional<Millis> wait;
  for (const http::Field& field : fields)
    if (http::equals_ignoring_case(field.name, name)) wait = std::max(wait, parse(field.value));
  return wait;
}

/// "0", however many digits it has.
bool is_zero(std::string_view number) {
  return !number.empty() && number.find_first_not_of('0') == std::string_view::npos;
}

std::optional<Millis> rate_limit_reset(const http::Fields& fields) {
  const auto requests = longest(fields, "x-ratelimit-reset-requests", parse_duration);
  const auto tokens = longest(fields, "x-ratelimit-reset-tokens", parse_duration);
  const bool no_requests = requests && is_zero(fields.value("x-ratelimit-remaining-requests"));
  const bool no_tokens = tokens && is_zero(fields.value("x-ratelimit-remaining-tokens"));
  if (no_requests != no_tokens) return no_requests ? requests : tokens;
  return std::max(requests, tokens);
}

}  // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  if (text == "0") return Millis(0);
  if (text.empty()) return std::nullopt;
  Nanos sum = 0;
  while (!text.empty()) {
    const auto number = take_decimal(text);
    const auto unit = std::ranges::find_if(units, [text](const Unit& one) { return text.starts_with(one.name); });
    if (!number || unit == units.end()) return std::nullopt;
    text.remove_prefix(unit->name.size());
    sum = std::min(sum + number->times(unit->length), most);
  }
  return rounded_up(sum);
}

std::optional<Millis> retry_after(const http::Fields& fields, SystemTime now) {
  if (const auto wait = longest(fields, "retry-after-ms", parse_milliseconds)) return wait;
  const auto parse = [now](std::string_view text) { return parse_seconds_or_date(text, now); };
  if (const auto wait = longest(fields, "retry-after", parse)) return wait;
  return rate_limit_reset(fields);
}

}  // namespace tollgate::protocol
