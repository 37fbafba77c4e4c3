#include "tollgate/base/instant.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tollgate {

namespace {

using namespace std::chrono;

// The last whole one that nanoseconds in 64 bits can tell.
constexpr int latest_year = 2261;

/// Takes exactly `digits` digits from the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<sys_days> take_date(std::string_view& text) {
  const auto y = take_number(text, 4);
  if (!y || !take(text, '-')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok() || *y < 1970 || *y > latest_year) return std::nullopt;
  return sys_days(date);
}

/// The parts of a second after its dot, or none.
std::optional<nanoseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return nanoseconds{0};
  std::int64_t value = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
    if (digits < 9) value = value * 10 + (text[digits] - '0');
  if (digits == 0 || digits > 9) return std::nullopt;
  text.remove_prefix(digits);
  for (std::size_t i = digits; i < 9; ++i) value *= 10;
  return nanoseconds(value);
}

}  // namespace

std::optional<SystemTime> parse_instant(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  if (text.empty()) return SystemTime(*date);
  if (!take(text, 'T')) return std::nullopt;
  std::array<int, 3> clock{};
  constexpr std::array most{23, 59, 59};
  for (std::size_t i = 0; i < clock.size(); ++i) {
    if (i > 0 && !take(text, ':')) return std::nullopt;
    const auto part = take_number(text, 2);
    if (!part || *part > most[i]) return std::nullopt;
    clock[i] = *part;
  }
  const auto fraction = take_fraction(text);
  if (!fraction || text != "Z") return std::nullopt;
  const auto of_day = hours(clock[0]) + minutes(clock[1]) + std::chrono::seconds(clock[2]) + *fraction;
  return SystemTime(*date) + duration_cast<SystemTime::duration>(of_day);
}

std::string show_instant(SystemTime time) {
  const auto whole = floor<std::chrono::seconds>(time);
  const auto date = floor<days>(whole);
  const year_month_day ymd(date);
  const hh_mm_ss clock(whole - date);
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(ymd.year()),
                                 static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                                 static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                 static_cast<int>(clock.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace tollgate
