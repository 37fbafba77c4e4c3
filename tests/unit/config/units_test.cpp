#include "config/units.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(Units, durations_carry_one_of_five_units) {
  EXPECT_EQ(*parse_duration("250ms"), Millis(250));
  EXPECT_EQ(*parse_duration("10s"), seconds(10));
  EXPECT_EQ(*parse_duration("5m"), minutes(5));
  EXPECT_EQ(*parse_duration("2h"), hours(2));
  EXPECT_EQ(*parse_duration("400d"), hours(24 * 400));
  EXPECT_EQ(*parse_duration("0s"), Millis(0));
  EXPECT_EQ(*parse_short_duration("50us"), Micros(50));
  EXPECT_EQ(*parse_short_duration("1ms"), Micros(1000));
  EXPECT_EQ(show_short_duration(Micros(50)), "50us");
  EXPECT_EQ(show_short_duration(Micros(2000)), "2ms");
  EXPECT_EQ(show_short_duration(Micros(0)), "0us");
  EXPECT_FALSE(parse_short_duration("1m"));
  for (const char* bad :
       {"", "s", "10", "10 s", " 10s", "10s ", "1.5s", "-1s", "+1s", "10S", "1m30s", "10us", "99999999999999d"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Units, sizes_are_binary_or_decimal_by_their_unit) {
  EXPECT_EQ(*parse_size("100B"), 100u);
  EXPECT_EQ(*parse_size("32KiB"), 32u * 1024);
  EXPECT_EQ(*parse_size("32MiB"), 32u * 1024 * 1024);
  EXPECT_EQ(*parse_size("1GiB"), 1024u * 1024 * 1024);
  EXPECT_EQ(*parse_size("10KB"), 10'000u);
  EXPECT_EQ(*parse_size("10MB"), 10'000'000u);
  EXPECT_EQ(*parse_size("1GB"), 1'000'000'000u);
  for (const char* bad : {"", "B", "10", "10k", "10kb", "10 KiB", "0x10B", "99999999999999GiB"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Units, shares_are_percentages) {
  EXPECT_DOUBLE_EQ(*parse_share("50%"), 0.5);
  EXPECT_DOUBLE_EQ(*parse_share("0.1%"), 0.001);
  EXPECT_DOUBLE_EQ(*parse_share("100%"), 1);
  for (const char* bad : {"", "%", "50", "0.5", "101%", "-1%", "50 %", "nan%", "inf%"})
    EXPECT_FALSE(parse_share(bad)) << bad;
}

TEST(Units, numbers_are_finite_and_not_negative) {
  EXPECT_DOUBLE_EQ(*parse_number("0.25"), 0.25);
  for (const char* bad : {"", "x", "1x", "-1", "-0", "nan", "inf", "1e999"}) EXPECT_FALSE(parse_number(bad)) << bad;
  EXPECT_EQ(*parse_count("18446744073709551615"), ~std::uint64_t{0});
  for (const char* bad : {"", "-1", "+1", "1.0", "18446744073709551616"}) EXPECT_FALSE(parse_count(bad)) << bad;
}

TEST(Units, what_is_shown_parses_to_the_same) {
  for (const std::int64_t millis : {0, 1, 250, 1000, 1500, 60'000, 90'000, 3'600'000, 86'400'000})
    EXPECT_EQ(*parse_duration(show_duration(Millis(millis))), Millis(millis)) << millis;
  for (const std::size_t bytes : {0u, 1u, 1000u, 1024u, 1500u, 33554432u, 1u << 30})
    EXPECT_EQ(*parse_size(show_size(bytes)), bytes);
  for (const double share : {0.0, 0.001, 0.25, 1.0}) EXPECT_DOUBLE_EQ(*parse_share(show_share(share)), share);
}

}  // namespace
}  // namespace tollgate::config
