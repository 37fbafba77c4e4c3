// The arithmetic of a bucket with the time passed in: exact over any number of questions, and at the ends of its
// ranges.
#include "tollgate/policy/token_bucket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tollgate::policy {
namespace {

using std::chrono::minutes;
using std::chrono::nanoseconds;

constexpr std::int64_t unit = TokenBucket::unit;
const SteadyTime start = SteadyTime{} + std::chrono::hours(5) + nanoseconds(1);
const Millis minute{60'000};

TEST(TokenBucket, begins_full_with_what_the_rate_brings_in_the_burst) {
  EXPECT_EQ(TokenBucket(600, minute, start).level(start), 600 * unit);
  EXPECT_EQ(TokenBucket(600, Millis(1000), start).level(start), 10 * unit);
  EXPECT_EQ(TokenBucket(100, Millis(1000), start).level(start), 1'666'666);
}

TEST(TokenBucket, holds_at_least_one_unit_however_short_the_burst) {
  EXPECT_EQ(TokenBucket(1, Millis(1000), start).capacity(), unit);
  EXPECT_EQ(TokenBucket(600, Millis(0), start).capacity(), unit);
  EXPECT_EQ(TokenBucket(600, Millis(-5), start).capacity(), unit);
}

TEST(TokenBucket, fills_at_its_rate_and_no_further_than_its_capacity) {
  TokenBucket bucket(600, minute, start);
  bucket.add(-600 * unit, start);
  EXPECT_EQ(bucket.level(start), 0);
  EXPECT_EQ(bucket.level(start + Millis(100)), unit);
  EXPECT_EQ(bucket.level(start + Millis(50)), unit / 2);
  EXPECT_FALSE(bucket.is_full(start + minute - nanoseconds(1)));
  EXPECT_TRUE(bucket.is_full(start + minute));
  EXPECT_EQ(bucket.level(start + minutes(2)), 600 * unit);
}

TEST(TokenBucket, is_exact_however_often_it_is_asked) {
  std::mt19937_64 random(1);
  for (const std::uint64_t rate : {1u, 7u, 59'999u, 1'000'003u, 1'000'000'000u}) {
    TokenBucket often(rate, minute, start), once(rate, minute, start);
    const std::int64_t all = once.capacity();
    often.add(-all, start);
    once.add(-all, start);
    SteadyTime now = start;
    for (int i = 0; i < 20'000; ++i) {
      now += nanoseconds(random() % 1'000'000);
      often.add(0, now);
    }
    ASSERT_EQ(often.level(now), once.level(now)) << rate;
    ASSERT_EQ(often.wait(all, now), once.wait(all, now)) << rate;
  }
}

TEST(TokenBucket, takes_and_gives_back_nothing_for_a_time_before_the_last) {
  TokenBucket bucket(600, minute, start);
  bucket.add(-600 * unit, start + Millis(1000));
  EXPECT_EQ(bucket.level(start), 0);
  bucket.add(unit, start);
  EXPECT_EQ(bucket.level(start + Millis(1000)), unit);
  EXPECT_EQ(bucket.level(start + Millis(1100)), 2 * unit);
}

TEST(TokenBucket, tells_the_wait_to_the_nanosecond) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t rate = 1 + random() % (i % 2 == 0 ? 1'000 : TokenBucket::highest_rate);
    TokenBucket bucket(rate, minute, start);
    const SteadyTime now = start + nanoseconds(random() % 100'000'000'000);
    bucket.add(-static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bucket.capacity())), start);
    const auto wanted = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bucket.capacity() + 1));
    const auto wait = bucket.wait(wanted, now);
    ASSERT_TRUE(wait);
    ASSERT_EQ(bucket.wait_millis(wanted, now), std::chrono::ceil<Millis>(*wait));
    TokenBucket advanced = bucket;
    advanced.advance(now);
    ASSERT_EQ(advanced.wait_millis(wanted, now), std::chrono::ceil<Millis>(*wait));
    ASSERT_GE(bucket.level(now + *wait), wanted);
    if (wait->count() > 0) {
      ASSERT_LT(bucket.level(now + *wait - nanoseconds(1)), wanted);
    }
  }
}

TEST(TokenBucket, counts_the_wait_from_the_time_of_the_question_even_if_that_is_late) {
  TokenBucket bucket(600, minute, start);
  bucket.add(-600 * unit, start + Millis(1000));
  EXPECT_EQ(bucket.wait(unit, start + Millis(1000)), nanoseconds(Millis(100)));
  EXPECT_EQ(bucket.wait(unit, start), nanoseconds(Millis(1100)));
}

TEST(TokenBucket, never_holds_more_than_its_capacity_so_there_is_no_waiting_for_it) {
  TokenBucket bucket(600, minute, start);
  EXPECT_EQ(bucket.wait(600 * unit, start), nanoseconds(0));
  EXPECT_EQ(bucket.wait(600 * unit + 1, start), std::nullopt);
}

TEST(TokenBucket, goes_into_debt_and_works_it_off) {
  TokenBucket bucket(600, minute, start);
  bucket.add(-900 * unit, start);
  EXPECT_EQ(bucket.level(start), -300 * unit);
  EXPECT_EQ(bucket.wait(0, start), nanoseconds(Millis(30'000)));
  EXPECT_EQ(bucket.level(start + Millis(30'000)), 0);
}

TEST(TokenBucket, gives_back_no_further_than_its_capacity) {
  TokenBucket bucket(600, minute, start);
  bucket.add(-5 * unit, start);
  bucket.add(7 * unit, start);
  EXPECT_EQ(bucket.level(start), 600 * unit);
  bucket.add(-600 * unit, start);
  EXPECT_EQ(bucket.level(start), 0) << "nothing was saved above the capacity";
}

TEST(TokenBucket, stands_the_ends_of_its_ranges) {
  TokenBucket bucket(~0ull, Millis::max(), start);
  EXPECT_EQ(bucket.rate(), TokenBucket::highest_rate);
  EXPECT_EQ(bucket.capacity(), TokenBucket::most);
  for (int i = 0; i < 4; ++i) bucket.add(-TokenBucket::too_much, start);
  EXPECT_EQ(bucket.level(start), -TokenBucket::most);
  EXPECT_EQ(bucket.level(SteadyTime::max()), TokenBucket::most);

  TokenBucket slow(0, Millis(0), start);
  EXPECT_EQ(slow.rate(), 1u);
  for (int i = 0; i < 4; ++i) slow.add(-TokenBucket::too_much, start);
  EXPECT_EQ(slow.level(start), -TokenBucket::most);
  EXPECT_EQ(slow.wait(0, start), std::nullopt) << "longer than a clock can tell";
  slow.add(TokenBucket::too_much, start);
  EXPECT_EQ(slow.level(start), unit);
}

TEST(TokenBucket, keeps_its_share_when_the_amounts_change) {
  TokenBucket bucket(1000, minute, start);
  bucket.add(-750 * unit, start);
  bucket.configure(100, minute, start);
  EXPECT_EQ(bucket.level(start), 25 * unit);
  bucket.configure(10'000, minute, start);
  EXPECT_EQ(bucket.level(start), 2'500 * unit);
  bucket.configure(10'000, Millis(6'000), start);
  EXPECT_EQ(bucket.level(start), 250 * unit);
}

TEST(TokenBucket, that_is_full_stays_full_when_the_amounts_change) {
  TokenBucket bucket(3, minute, start);
  for (const std::uint64_t rate : {1'000'000'000u, 7u, 1u, 1'000u}) {
    bucket.configure(rate, minute, start);
    EXPECT_TRUE(bucket.is_full(start)) << rate;
  }
}

TEST(TokenBucket, keeps_the_time_in_which_a_debt_is_worked_off_when_the_amounts_change) {
  TokenBucket bucket(1'000'000, minute, start);
  bucket.add(-1'500'000 * unit, start);
  const auto before = bucket.wait(0, start);
  bucket.configure(1'000, minute, start);
  EXPECT_EQ(bucket.level(start), -500 * unit);
  EXPECT_EQ(bucket.wait(0, start), before);
  bucket.configure(1'000, Millis(1'000), start);
  EXPECT_EQ(bucket.wait(0, start), before) << "a shorter burst";
  bucket.configure(1'000, Millis(600'000), start);
  EXPECT_EQ(bucket.wait(0, start), before) << "a longer burst";
}

TEST(TokenBucket, rounds_a_share_down_on_both_sides_of_zero) {
  TokenBucket left(3, minute, start), owed(3, minute, start);
  left.add(-2 * unit, start);
  owed.add(-4 * unit, start);
  left.configure(1, minute, start);
  owed.configure(1, minute, start);
  EXPECT_EQ(left.level(start), 333'333);
  EXPECT_EQ(owed.level(start), -333'334);
}

TEST(TokenBucket, fills_at_the_old_rate_until_a_change_and_at_the_new_one_from_then_on) {
  TokenBucket bucket(600, minute, start);
  bucket.add(-600 * unit, start);
  bucket.configure(60, Millis(600'000), start + Millis(1000));
  EXPECT_EQ(bucket.level(start + Millis(1000)), 10 * unit);
  EXPECT_EQ(bucket.level(start + Millis(2000)), 11 * unit);
}

TEST(TokenBucket, loses_nothing_to_a_change_that_changes_nothing) {
  TokenBucket changed(7, minute, start), left_alone(7, minute, start);
  changed.add(-7 * unit, start);
  left_alone.add(-7 * unit, start);
  SteadyTime now = start;
  for (int i = 0; i < 10'000; ++i) changed.configure(7, minute, now += nanoseconds(1));
  EXPECT_EQ(changed.wait(unit, now), left_alone.wait(unit, now));
}

TEST(TokenBucket, compares_what_is_left_by_share) {
  TokenBucket large(1'000'000, minute, start), small(10, minute, start);
  EXPECT_FALSE(large.has_less_left_than(small, start));
  large.add(-500'000 * unit, start);
  EXPECT_TRUE(large.has_less_left_than(small, start));
  small.add(-6 * unit, start);
  EXPECT_FALSE(large.has_less_left_than(small, start));
  EXPECT_TRUE(small.has_less_left_than(large, start));
}

}  // namespace
}  // namespace tollgate::policy
