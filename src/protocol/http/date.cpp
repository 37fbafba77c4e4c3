// The three forms of a date that an HTTP recipient must know, read to the letter. Everything is checked against the
// calendar, since the value decides how long a provider is left alone.
#include "tollgate/protocol/http/date.hpp"

#include <array>

namespace tollgate::protocol::http {
namespace {

using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes parts off the front of a text. Once something does not fit, everything fails.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool ended() const { return ok_ && rest_.empty(); }
  void literal(std::string_view expected) {
    ok_ = ok_ && rest_.starts_with(expected);
    if (ok_) rest_.remove_prefix(expected.size());
  }
  int number(std::size_t digits) {
    int value = 0;
    for (; digits > 0; --digits) {
      ok_ = ok_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
      if (!ok_) return 0;
      value = 10 * value + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  /// A day of the month as asctime pads it: " 6" or "16".
  int padded_day() {
    if (!rest_.starts_with(' ')) return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }
  void short_day() {
    for (const std::string_view day : days)
      if (rest_.starts_with(day.substr(0, 3))) return literal(day.substr(0, 3));
    ok_ = false;
  }
  /// "Nov" is 11.
  unsigned month() {
    for (unsigned index = 0; index < months.size(); ++index) {
      if (!rest_.starts_with(months[index])) continue;
      literal(months[index]);
      return index + 1;
    }
    ok_ = false;
    return 0;
  }
  std::chrono::seconds time_of_day() {
    const int hours = number(2);
    literal(":");
    const int minutes = number(2);
    literal(":");
    const int seconds = number(2);
    ok_ = ok_ && hours < 24 && minutes < 60 && seconds <= 60;
    return std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<sys_seconds> moment(int year, unsigned month, int day, std::chrono::seconds time) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + time;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<sys_seconds> imf_fixdate(std::string_view text) {
  Parts parts(text);
  parts.short_day();
  parts.literal(", ");
  const int day = parts.number(2);
  parts.literal(" ");
  const unsigned month = parts.month();
  parts.literal(" ");
  const int year = parts.number(4);
  parts.literal(" ");
  const auto time = parts.time_of_day();
  parts.literal(" GMT");
  return parts.ended() ? moment(year, month, day, time) : std::nullopt;
}

/// The latest year with these two digits that makes a date not more than 50 years ahead.
std::optional<sys_seconds> nearest(int two_digits, unsigned month, int day, std::chrono::seconds time,
                                   sys_seconds now) {
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  const int this_year = static_cast<int>(today.year());
  const auto farthest = now + std::chrono::years(50);
  for (int year = this_year - this_year % 100 + two_digits + 100; year > this_year - 200; year -= 100) {
    const auto candidate = moment(year, month, day, time);
    if (candidate && *candidate <= farthest) return candidate;
  }
  return std::nullopt;
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<sys_seconds> rfc_850(std::string_view text, sys_seconds now) {
  const std::size_t comma = text.find(',');
  bool known = false;
  for (const std::string_view day : days) known = known || text.substr(0, comma) == day;
  if (!known || comma == std::string_view::npos) return std::nullopt;
  Parts parts(text.substr(comma));
  parts.literal(", ");
  const int day = parts.number(2);
  parts.literal("-");
  const unsigned month = parts.month();
  parts.literal("-");
  const int year = parts.number(2);
  parts.literal(" ");
  const auto time = parts.time_of_day();
  parts.literal(" GMT");
  return parts.ended() ? nearest(year, month, day, time, now) : std::nullopt;
}

/// "Sun Nov  6 08:49:37 1994"
std::optional<sys_seconds> asctime_date(std::string_view text) {
  Parts parts(text);
  parts.short_day();
  parts.literal(" ");
  const unsigned month = parts.month();
  parts.literal(" ");
  const int day = parts.padded_day();
  parts.literal(" ");
  const auto time = parts.time_of_day();
  parts.literal(" ");
  const int year = parts.number(4);
  return parts.ended() ? moment(year, month, day, time) : std::nullopt;
}

}  // namespace

std::optional<sys_seconds> parse_date(std::string_view text, sys_seconds now) {
  if (const auto date = imf_fixdate(text)) return date;
  if (const auto date = rfc_850(text, now)) return date;
  return asctime_date(text);
}

}  // namespace tollgate::protocol::http
