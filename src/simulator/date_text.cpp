#include "simulator/date_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace tollgate::simulator {

// Spelled out because strftime follows the locale.
std::string http_date(SystemTime time) {
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds_since_1970 = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds_since_1970, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[static_cast<std::size_t>(utc.tm_wday)],
                utc.tm_mday, months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text;
}

std::string internet_date(SystemTime time) {
  const std::time_t seconds_since_1970 = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds_since_1970, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

std::string in_seconds(Millis wait) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, static_cast<double>(wait.count()) / 1000);
  static_cast<void>(error);  // 32 bytes hold every double
  return {text, end};
}

}  // namespace tollgate::simulator
