#include "tollgate/policy/backoff.hpp"

#include "tollgate/base/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace tollgate::policy {
namespace {

constexpr Millis base{100}, most{2'000};
constexpr double nearly_one = 1 - 0x1.0p-53;
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

TEST(Backoff, doubles_its_upper_end_with_each_attempt_up_to_the_longest) {
  EXPECT_EQ(backoff(0, base, most, nearly_one), Millis(100));
  EXPECT_EQ(backoff(1, base, most, nearly_one), Millis(200));
  EXPECT_EQ(backoff(4, base, most, nearly_one), Millis(1'600));
  EXPECT_EQ(backoff(5, base, most, nearly_one), most);
  EXPECT_EQ(backoff(6, base, most, nearly_one), most);
}

TEST(Backoff, is_spread_evenly_over_the_whole_range) {
  Random random(1);
  constexpr int draws = 210'000, values = 21;
  std::array<int, values> seen{};
  for (int i = 0; i < draws; ++i) {
    const auto wait = backoff(1, Millis(10), most, random.unit()).count();
    ASSERT_GE(wait, 0);
    ASSERT_LT(wait, values);
    ++seen[static_cast<std::size_t>(wait)];
  }
  for (int value = 0; value < values; ++value) {
    // Six standard deviations of a binomial distribution.
    EXPECT_NEAR(seen[static_cast<std::size_t>(value)], draws / values, 6 * std::sqrt(draws / values)) << value;
  }
}

TEST(Backoff, waits_not_at_all_by_the_least_chance) {
  EXPECT_EQ(backoff(3, base, most, 0), Millis(0));
  EXPECT_EQ(backoff(3, base, most, 0x1.0p-53), Millis(0));
}

TEST(Backoff, never_overflows) {
  EXPECT_EQ(backoff(~0u, base, most, nearly_one), most);
  EXPECT_EQ(backoff(64, base, most, nearly_one), most);
  EXPECT_EQ(backoff(62, Millis(1), Millis::max(), nearly_one), Millis((std::int64_t{1} << 62) - 512));
  EXPECT_EQ(doubled(Millis(1), 62, Millis::max()), Millis(std::int64_t{1} << 62));
  EXPECT_EQ(doubled(Millis(2), 62, Millis::max()), Millis::max());
  EXPECT_EQ(doubled(Millis(1), 63, Millis::max()), Millis::max());
  EXPECT_EQ(doubled(Millis::max(), 1, Millis::max()), Millis::max());
  EXPECT_EQ(up_to(Millis::max(), 0.5), Millis(std::int64_t{1} << 62));
  EXPECT_LE(up_to(Millis::max(), nearly_one), Millis::max());
}

TEST(Backoff, takes_what_makes_no_sense_as_no_wait) {
  EXPECT_EQ(backoff(3, Millis(-100), most, nearly_one), Millis(0));
  EXPECT_EQ(backoff(3, base, Millis(-1), nearly_one), Millis(0));
  EXPECT_EQ(backoff(3, Millis::min(), Millis::min(), nearly_one), Millis(0));
  EXPECT_EQ(backoff(3, base, most, no_number), Millis(0));
  EXPECT_EQ(backoff(3, base, most, -1), Millis(0));
  EXPECT_EQ(backoff(3, base, most, 7), Millis(800));
}

TEST(RetryAfterWait, is_never_less_than_told_and_at_most_a_quarter_more) {
  EXPECT_EQ(retry_after_wait(Millis(1'000), 0), Millis(1'000));
  EXPECT_EQ(retry_after_wait(Millis(1'000), 0.5), Millis(1'125));
  EXPECT_EQ(retry_after_wait(Millis(1'000), nearly_one), Millis(1'250));
  EXPECT_EQ(retry_after_wait(Millis(3), nearly_one), Millis(3));
  Random random(2);
  for (int i = 0; i < 10'000; ++i) {
    const Millis told(static_cast<std::int64_t>(random() % 300'000));
    const Millis wait = retry_after_wait(told, random.unit());
    ASSERT_GE(wait, told);
    ASSERT_LE(wait.count() * 4, told.count() * 5);
  }
}

TEST(RetryAfterWait, stands_the_ends_of_its_range) {
  EXPECT_EQ(retry_after_wait(Millis(0), nearly_one), Millis(0));
  EXPECT_EQ(retry_after_wait(Millis::min(), nearly_one), Millis(0));
  EXPECT_EQ(retry_after_wait(Millis::max(), nearly_one), Millis::max());
  EXPECT_EQ(retry_after_wait(Millis::max(), 0), Millis::max());
}

}  // namespace
}  // namespace tollgate::policy
