// What providers say of when to come back, in every way they say it, and the ways in which they say nothing. The C
// library's calendar is the judge of dates.
#include "tollgate/protocol/retry_after.hpp"

#include "tollgate/protocol/http/date.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <initializer_list>
#include <string>

namespace tollgate::protocol {
namespace {

using std::chrono::sys_seconds;

constexpr sys_seconds at(std::int64_t unix_seconds) { return sys_seconds(seconds(unix_seconds)); }
constexpr sys_seconds of_rfc = at(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT, the RFC's own example
constexpr sys_seconds in_2026 = at(1'780'000'000);

http::Fields fields_of(std::initializer_list<http::Field> list) {
  http::Fields fields;
  for (const http::Field field : list) fields.add(field);
  return fields;
}

std::optional<Millis> wait_of(std::initializer_list<http::Field> list, SystemTime now = in_2026) {
  return retry_after(fields_of(list), now);
}

TEST(HttpDate, reads_each_form_of_the_rfc) {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(http::parse_date(text, in_2026), of_rfc) << text;
  EXPECT_EQ(http::parse_date("Wed Nov 16 08:49:37 1994", in_2026), of_rfc + std::chrono::days(10));
}

TEST(HttpDate, agrees_with_the_c_library_on_every_day_of_four_centuries) {
  const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::int64_t day = -50'000; day < 100'000; ++day) {
    const std::time_t time = day * 86'400 + day % 86'400;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "Mon, %02d %s %04d %02d:%02d:%02d GMT", parts.tm_mday, months[parts.tm_mon],
                  parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    ASSERT_EQ(http::parse_date(text, in_2026), at(time)) << text;
  }
}

TEST(HttpDate, takes_two_digits_of_a_year_for_the_latest_not_50_years_ahead) {
  const auto year_of = [](const std::string& digits, sys_seconds now) {
    const auto date = http::parse_date("Monday, 01-Jun-" + digits + " 00:00:00 GMT", now);
    return date ? static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*date)).year())
                : 0;
  };
  EXPECT_EQ(year_of("26", in_2026), 2026);
  EXPECT_EQ(year_of("75", in_2026), 2075);
  EXPECT_EQ(year_of("77", in_2026), 1977);
  EXPECT_EQ(year_of("00", in_2026), 2000);
  EXPECT_EQ(year_of("05", at(4'090'000'000)), 2105) << "just before the turn of a century";
  // Only one of the centuries has this day.
  EXPECT_TRUE(http::parse_date("Monday, 29-Feb-00 00:00:00 GMT", in_2026));
  EXPECT_FALSE(http::parse_date("Monday, 29-Feb-01 00:00:00 GMT", in_2026));
}

TEST(HttpDate, counts_a_leap_second_as_the_next_minute) {
  EXPECT_EQ(http::parse_date("Sat, 31 Dec 2016 23:59:60 GMT", in_2026), at(1'483'228'800));
}

TEST(HttpDate, refuses_what_is_no_date) {
  for (const char* text : {"",
                           "Sun",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           " Sun, 06 Nov 1994 08:49:37 GMT",
                           "sun, 06 Nov 1994 08:49:37 GMT",
                           "Son, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 06 Non 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 29 Feb 2025 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 06 Nov -994 08:49:37 GMT",
                           "Sun, 06 Nov 19941 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sunday, 06 Nov 94 08:49:37 GMT",
                           "Sunday 06-Nov-94 08:49:37 GMT",
                           "Someday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun Nov 06 08:49:37 94",
                           "Sun Nov  6 08:49:37 1994 GMT",
                           "1994-11-06T08:49:37Z",
                           "784111777"})
    EXPECT_FALSE(http::parse_date(text, in_2026)) << text;
}

TEST(RetryAfter, takes_the_first_that_can_be_read) {
  const http::Field ms{"Retry-After-Ms", "1500"}, after{"Retry-After", "7"}, reset{"x-ratelimit-reset-tokens", "6m0s"};
  EXPECT_EQ(wait_of({reset, after, ms}), Millis(1500));
  EXPECT_EQ(wait_of({reset, after}), Millis(7000));
  EXPECT_EQ(wait_of({reset}), Millis(360'000));
  EXPECT_EQ(wait_of({{"retry-after-ms", "soon"}, after}), Millis(7000));
  EXPECT_EQ(wait_of({{"retry-after-ms", "-1"}, {"retry-after", "later"}, reset}), Millis(360'000));
  EXPECT_EQ(wait_of({}), std::nullopt);
  EXPECT_EQ(wait_of({{"x-retry-after", "7"}}), std::nullopt);
}

TEST(RetryAfter, reads_seconds_whole_and_fractional) {
  const std::pair<const char*, std::optional<Millis>> cases[] = {
      {"0", Millis(0)},           {"1", Millis(1000)},     {"007", Millis(7000)},
      {"0.5", Millis(500)},       {"0.02", Millis(20)},    {".5", Millis(500)},
      {"2.", Millis(2000)},       {"0.0001", Millis(1)},   {"1.0000000000001", Millis(1001)},  // never too early
      {"1.000", Millis(1000)},    {"", std::nullopt},      {".", std::nullopt},
      {"-1", std::nullopt},       {"+1", std::nullopt},    {"1e3", std::nullopt},
      {"0x10", std::nullopt},     {"1 2", std::nullopt},   {"1,5", std::nullopt},
      {"1.2.3", std::nullopt},    {"NaN", std::nullopt},   {"inf", std::nullopt},
      {"1s", std::nullopt},       {"\"5\"", std::nullopt}, {"31536000", longest_wait},
      {"31536001", longest_wait},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(wait_of({{"retry-after", text}}), expected) << text;
  EXPECT_EQ(wait_of({{"retry-after", std::string(400, '9')}}), longest_wait);
  EXPECT_EQ(wait_of({{"retry-after", "18446744074"}}), longest_wait) << "a little over 2^64 ns";
  EXPECT_EQ(wait_of({{"retry-after", "1." + std::string(400, '0') + "1"}}), Millis(1001));
  EXPECT_EQ(wait_of({{"retry-after-ms", "12.5"}}), Millis(13));
  EXPECT_EQ(wait_of({{"retry-after-ms", "20"}}), Millis(20));
}

TEST(RetryAfter, reads_dates_by_the_time_that_it_is_told) {
  const auto wait = [](SystemTime now) { return wait_of({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}}, now); };
  EXPECT_EQ(wait(of_rfc - seconds(90)), Millis(90'000));
  EXPECT_EQ(wait(of_rfc - Millis(1)), Millis(1));
  EXPECT_EQ(wait(of_rfc), Millis(0));
  EXPECT_EQ(wait(of_rfc + seconds(1)), Millis(0)) << "a past date asks for no wait";
  EXPECT_EQ(wait_of({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}}), longest_wait);
  EXPECT_EQ(wait_of({{"retry-after", "Sun, 06-Nov-94 08:49:37 GMT"}}), std::nullopt);
}

TEST(RetryAfter, takes_the_reset_of_the_limit_that_is_used_up) {
  const http::Field requests{"x-ratelimit-reset-requests", "2s"}, tokens{"x-ratelimit-reset-tokens", "6m0s"};
  const http::Field no_requests{"x-ratelimit-remaining-requests", "0"}, no_tokens{"x-ratelimit-remaining-tokens", "0"};
  EXPECT_EQ(wait_of({requests, tokens, no_requests, {"x-ratelimit-remaining-tokens", "10"}}), Millis(2000));
  EXPECT_EQ(wait_of({requests, tokens, no_tokens, {"x-ratelimit-remaining-requests", "10"}}), Millis(360'000));
  EXPECT_EQ(wait_of({requests, tokens, no_requests, no_tokens}), Millis(360'000));
  EXPECT_EQ(wait_of({requests, tokens}), Millis(360'000));
  EXPECT_EQ(wait_of({requests, no_tokens}), Millis(2000)) << "a limit without a reset says nothing";
}

TEST(RetryAfter, takes_the_longest_of_a_repeated_field) {
  EXPECT_EQ(wait_of({{"retry-after", "7"}, {"retry-after", "9"}, {"retry-after", "x"}}), Millis(9000));
}

TEST(RetryAfter, reads_durations_as_go_prints_them) {
  const std::pair<const char*, std::optional<Millis>> cases[] = {
      {"1s", Millis(1000)},
      {"6m0s", Millis(360'000)},
      {"20ms", Millis(20)},
      {"1h2m3s", Millis(3'723'000)},
      {"8.64s", Millis(8640)},
      {"2m59.56s", Millis(179'560)},
      {"12ms", Millis(12)},
      {"1.5h", Millis(5'400'000)},
      {"300us", Millis(1)},
      {"1500\xC2\xB5s", Millis(2)},
      {"1500\xCE\xBCs", Millis(2)},
      {"1ns", Millis(1)},
      {"0.1ns", Millis(1)},
      {"0s", Millis(0)},
      {"0", Millis(0)},
      {".5s", Millis(500)},
      {"1m1ms", Millis(60'001)},
      {"9000h", longest_wait},
      {"8760h1ns", longest_wait},
      {"1s1h", Millis(3'601'000)},
      {"", std::nullopt},
      {"1", std::nullopt},
      {"s", std::nullopt},
      {"-1s", std::nullopt},
      {"+1s", std::nullopt},
      {"1d", std::nullopt},
      {"1 s", std::nullopt},
      {"1s ", std::nullopt},
      {"1S", std::nullopt},
      {"1.s.", std::nullopt},
      {"1sec", std::nullopt},
      {"\xC2\xB5s", std::nullopt},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_duration(text), expected) << text;
  EXPECT_EQ(parse_duration(std::string(10'000, '9') + "h"), longest_wait);
}

}  // namespace
}  // namespace tollgate::protocol
