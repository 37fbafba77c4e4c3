// How long to wait: a date that is read is the one that was written, whatever the form; a duration is the sum of its
// parts; and no field makes a wait that cannot be added to a time. Each line of the input is one field's value.
#include "tollgate/protocol/retry_after.hpp"

#include "tollgate/protocol/http/date.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

namespace {

using namespace tollgate;
using namespace tollgate::protocol;
using std::chrono::sys_seconds;

constexpr sys_seconds now(seconds(1'780'000'000));

void require(bool holds) {
  if (!holds) std::abort();
}

std::string written(sys_seconds date, const char* format) {
  const std::time_t time = date.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

constexpr const char* imf = "%a, %d %b %Y %H:%M:%S GMT";
constexpr const char* rfc_850 = "%A, %d-%b-%y %H:%M:%S GMT";
constexpr const char* asctime = "%a %b %e %H:%M:%S %Y";

/// The same but for the day's name, which nobody checks, and the padding of asctime's day.
bool same_date(std::string text, const std::string& expected) {
  const std::size_t begin = std::min(text.find_first_of(", "), text.size());
  text.replace(0, begin, expected.substr(0, expected.find_first_of(", ")));
  if (text.size() > 8 && text[8] == '0' && expected[8] == ' ') text[8] = ' ';
  return text == expected;
}

void check_date(const std::string& text) {
  const auto date = http::parse_date(text, now);
  if (!date) return;
  const bool four_digits = *date >= std::chrono::sys_days(std::chrono::year(1000) / 1 / 1) &&
                           *date < std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  if (four_digits) require(http::parse_date(written(*date, imf), now) == date);
  if (four_digits) require(http::parse_date(written(*date, asctime), now) == date);
  const bool near = *date <= now + std::chrono::years(50) && *date > now - std::chrono::years(49);
  if (near) require(http::parse_date(written(*date, rfc_850), now) == date);
  if (!four_digits || text.find(":60") != std::string::npos) return;
  require(same_date(text, written(*date, imf)) || same_date(text, written(*date, rfc_850)) ||
          same_date(text, written(*date, asctime)));
}

void check_wait(const std::optional<Millis>& wait) {
  if (wait) require(*wait >= Millis(0) && *wait <= longest_wait);
}

/// Against binary fractions, as exact as those are.
void check_seconds(const std::string& text, const std::optional<Millis>& wait) {
  const bool plain = text.size() <= 15 && text.find_first_not_of("0123456789.") == std::string::npos &&
                     text.find_first_of("0123456789") != std::string::npos && text.find('.') == text.rfind('.');
  if (!plain) return;
  const double expected =
      std::min(std::strtod(text.c_str(), nullptr) * 1000, static_cast<double>(longest_wait.count()));
  require(wait.has_value() && std::abs(static_cast<double>(wait->count()) - expected) <= 1.0001);
  require(static_cast<double>(wait->count()) >= expected - 0.0001);
}

void check_duration(const std::string& text) {
  const auto wait = parse_duration(text);
  check_wait(wait);
  if (!wait) return;
  const std::string again = std::to_string(wait->count()) + "ms";
  require(parse_duration(again) == wait);
  if (text == "0") return;
  const auto twice = parse_duration(text + text);
  require(twice && *twice <= 2 * *wait && *twice + Millis(1) >= std::min(2 * *wait, longest_wait));
  require(parse_duration(text + "1h") >= wait);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  constexpr std::array<std::string_view, 6> names{"retry-after-ms",
                                                  "Retry-After",
                                                  "x-ratelimit-reset-tokens",
                                                  "X-RateLimit-Reset-Requests",
                                                  "retry-after",
                                                  "x-ratelimit-remaining-tokens"};
  http::Fields all;
  std::size_t index = 0;
  for (std::size_t begin = 0; begin <= bytes.size() && index < 12; ++index) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    const std::string_view value = bytes.substr(begin, end - begin);
    begin = end + 1;
    check_date(std::string(value));
    check_duration(std::string(value));
    http::Fields one;
    one.add({"Retry-After", value});
    const auto wait = retry_after(one, now);
    check_wait(wait);
    check_seconds(std::string(value), wait);
    all.add({names[index % names.size()], value});
  }
  check_wait(retry_after(all, now));
  check_wait(retry_after(all, SystemTime::max()));
  check_wait(retry_after(all, SystemTime::min()));
  return 0;
}
