// The limits of a credential: what a minute's worth is, when the next request may come, and that what is told is true.
// Time is an argument, so a minute costs nothing.
#include "simulator/allowance.hpp"

#include "tollgate/base/random.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

constexpr SteadyTime start{std::chrono::hours(5)};

config::SimulatorLimits limits(std::optional<std::uint64_t> requests, std::optional<std::uint64_t> tokens) {
  config::SimulatorLimits made;
  made.requests_per_minute = requests;
  made.tokens_per_minute = tokens;
  return made;
}

TEST(Allowances, grant_everything_where_nothing_is_limited) {
  Allowances allowances(limits({}, {}));
  for (int i = 0; i < 100; ++i) {
    const Grant grant = allowances.ask("a", 1'000'000, start);
    EXPECT_FALSE(grant.refusal() || grant.requests || grant.tokens);
  }
}

TEST(Allowances, hold_a_minutes_worth_and_fill_evenly) {
  Allowances allowances(limits(60, {}));
  for (int i = 0; i < 60; ++i) {
    const Grant grant = allowances.ask("a", 5, start);
    ASSERT_FALSE(grant.refusal()) << i;
    EXPECT_EQ(grant.requests->remaining, 59u - static_cast<unsigned>(i));
  }
  const Grant refused = allowances.ask("a", 5, start);
  ASSERT_TRUE(refused.refusal());
  EXPECT_EQ(refused.requests->limit, 60u);
  EXPECT_EQ(refused.requests->used, 60u);
  EXPECT_EQ(refused.requests->requested, 1u);
  EXPECT_EQ(refused.requests->wait, Micros(seconds(1)));
  EXPECT_EQ(refused.requests->reset, Micros(seconds(60)));
  EXPECT_TRUE(allowances.ask("a", 5, start + Micros{999'999}).refusal());
  EXPECT_FALSE(allowances.ask("a", 5, start + seconds(1)).refusal());
  EXPECT_TRUE(allowances.ask("a", 5, start + seconds(1)).refusal());
}

TEST(Allowances, are_each_credentials_own) {
  Allowances allowances(limits(1, {}));
  EXPECT_FALSE(allowances.ask("a", 0, start).refusal());
  EXPECT_TRUE(allowances.ask("a", 0, start).refusal());
  EXPECT_FALSE(allowances.ask("b", 0, start).refusal());
}

TEST(Allowances, take_nothing_where_either_limit_refuses) {
  Allowances allowances(limits(2, 100));
  EXPECT_FALSE(allowances.ask("a", 80, start).refusal());
  const Grant refused = allowances.ask("a", 30, start);
  ASSERT_TRUE(refused.refusal());
  EXPECT_FALSE(refused.requests->refused);
  EXPECT_TRUE(refused.tokens->refused);
  EXPECT_EQ(refused.tokens->used, 80u);
  EXPECT_EQ(refused.tokens->wait, Micros(seconds(6)));
  EXPECT_EQ(refused.requests->remaining, 1u);
  EXPECT_EQ(refused.tokens->remaining, 20u);
  EXPECT_FALSE(allowances.ask("a", 20, start).refusal());
}

TEST(Allowances, know_no_wait_for_what_is_larger_than_the_limit) {
  Allowances allowances(limits({}, 100));
  const Grant refused = allowances.ask("a", 101, start);
  ASSERT_TRUE(refused.refusal());
  EXPECT_FALSE(refused.tokens->wait);
  EXPECT_FALSE(allowances.ask("a", 100, start).refusal());
  EXPECT_TRUE(allowances.ask("a", UINT64_MAX, start).refusal());
}

TEST(Allowances, grant_after_the_wait_they_told_and_not_before) {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t rate = 1 + random() % 1'000'000'000;
    Allowances allowances(limits({}, rate));
    SteadyTime now = start + std::chrono::nanoseconds(random() % 1'000'000);
    const std::uint64_t first = rate / 2 + random() % (rate / 2 + 1);
    ASSERT_FALSE(allowances.ask("a", first, now).refusal());
    const std::uint64_t wanted = 1 + random() % rate;
    const Grant refused = allowances.ask("a", wanted, now);
    if (!refused.refusal()) continue;
    const Micros wait = *refused.tokens->wait;
    now += wait - Micros{1};
    ASSERT_TRUE(allowances.ask("a", wanted, now).refusal()) << rate << " " << first << " " << wanted;
    ASSERT_FALSE(allowances.ask("a", wanted, now + Micros{1}).refusal()) << rate << " " << first << " " << wanted;
  }
}

TEST(Allowances, lose_nothing_to_being_asked_often_and_hold_no_more_than_a_minute) {
  Allowances often(limits(7, {})), seldom(limits(7, {}));
  for (int i = 0; i < 7; ++i) {
    static_cast<void>(often.ask("a", 0, start));
    static_cast<void>(seldom.ask("a", 0, start));
  }
  const SteadyTime due = start + *seldom.ask("a", 0, start).requests->wait;
  for (SteadyTime now = start; now < due; now += std::chrono::nanoseconds(1'234'567))
    ASSERT_TRUE(often.ask("a", 0, now).refusal());
  EXPECT_FALSE(often.ask("a", 0, due).refusal());
  EXPECT_EQ(seldom.ask("a", 0, start + std::chrono::hours(24 * 365)).requests->remaining, 6u);
}

TEST(Allowances, give_those_beyond_ten_thousand_credentials_one_bucket) {
  Allowances allowances(limits(1, {}));
  for (int i = 0; i < 10'000; ++i) ASSERT_FALSE(allowances.ask("c" + std::to_string(i), 0, start).refusal());
  EXPECT_FALSE(allowances.ask("late", 0, start).refusal());
  EXPECT_TRUE(allowances.ask("later", 0, start).refusal());
}

}  // namespace
}  // namespace tollgate::simulator
