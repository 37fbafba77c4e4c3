// The two bounds of a retry budget, what is left of it and what is active, each on its own and at the ends of their
// ranges.
#include "tollgate/policy/retry_budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

namespace tollgate::policy {
namespace {

using std::chrono::nanoseconds;

const SteadyTime start = SteadyTime{} + std::chrono::hours(5);  // where a slot of every window begins
constexpr nanoseconds moment{1};

/// How many repeats one after the other are allowed.
int repeats_one_by_one(RetryBudget& budget, SteadyTime now) {
  int allowed = 0;
  while (allowed < 1'000'000 && budget.try_repeat(now)) {
    budget.repeat_over();
    ++allowed;
  }
  return allowed;
}

/// How many at the same time.
int repeats_at_once(RetryBudget& budget, SteadyTime now) {
  int allowed = 0;
  while (allowed < 1'000'000 && budget.try_repeat(now)) ++allowed;
  return allowed;
}

void arrive(RetryBudget& budget, int requests, SteadyTime now) {
  for (int i = 0; i < requests; ++i) {
    budget.arrived(now);
    budget.arrival_over();
  }
}

TEST(RetryBudget, has_a_reserve_of_three_per_second_over_ten_seconds) {
  RetryBudget budget({});
  EXPECT_EQ(budget.repeats_left(start), 30u);
  EXPECT_EQ(repeats_one_by_one(budget, start), 30);
  EXPECT_EQ(budget.repeats_left(start), 0u);
}

TEST(RetryBudget, allows_one_repeat_more_for_five_arrivals) {
  RetryBudget budget({});
  repeats_one_by_one(budget, start);
  arrive(budget, 4, start);
  EXPECT_EQ(repeats_one_by_one(budget, start), 0);
  arrive(budget, 1, start);
  EXPECT_EQ(repeats_one_by_one(budget, start), 1);
  arrive(budget, 1'000, start);
  EXPECT_EQ(repeats_one_by_one(budget, start), 200);
}

TEST(RetryBudget, keeps_an_outage_from_growing_by_more_than_its_ratio) {
  RetryBudget budget({});
  int repeats = 0;
  SteadyTime now = start;
  for (int i = 0; i < 100'000; ++i) {  // 1,000 a second for 100 s, all of which fail and would be repeated twice
    now += Millis(1);
    budget.arrived(now);
    for (int repeat = 0; repeat < 2; ++repeat) {
      if (!budget.try_repeat(now)) continue;
      ++repeats;
      budget.repeat_over();
    }
    budget.arrival_over();
  }
  EXPECT_LE(repeats, 100'000 / 5 + 11 * 30);
  EXPECT_GE(repeats, 100'000 / 5);
}

TEST(RetryBudget, forgets_arrivals_and_repeats_after_the_window) {
  RetryBudget budget({.per_second = 0});
  arrive(budget, 50, start);
  EXPECT_EQ(budget.repeats_left(start + seconds(10) - moment), 10u);
  EXPECT_EQ(budget.repeats_left(start + seconds(10)), 0u);

  RetryBudget reserved({});
  EXPECT_EQ(repeats_one_by_one(reserved, start), 30);
  EXPECT_EQ(reserved.repeats_left(start + seconds(10) - moment), 0u);
  EXPECT_EQ(reserved.repeats_left(start + seconds(10)), 30u);
}

TEST(RetryBudget, owes_what_was_spent_of_arrivals_that_are_forgotten) {
  RetryBudget budget({});
  arrive(budget, 1'000, start);
  EXPECT_EQ(repeats_one_by_one(budget, start + seconds(9)), 230);
  EXPECT_EQ(repeats_one_by_one(budget, start + seconds(18)), 0) << "the repeats still count, the arrivals do not";
  EXPECT_EQ(repeats_one_by_one(budget, start + seconds(19)), 30);
}

TEST(RetryBudget, allows_three_at_once_however_little_is_active) {
  RetryBudget budget({});
  EXPECT_EQ(repeats_at_once(budget, start), 3);
  EXPECT_EQ(budget.active_repeats(), 3u);
  EXPECT_EQ(budget.active(), 3u);
  budget.repeat_over();
  EXPECT_EQ(repeats_at_once(budget, start), 1);
}

TEST(RetryBudget, allows_a_fifth_of_what_is_active_at_once) {
  RetryBudget budget({.per_second = 1'000});
  for (int i = 0; i < 80; ++i) budget.arrived(start);
  // The 19th is a fifth of the 98 active before it, rounded down; the 20th would be more than a fifth of 99.
  EXPECT_EQ(repeats_at_once(budget, start), 19);
  for (int i = 0; i < 80; ++i) budget.arrival_over();
  EXPECT_FALSE(budget.try_repeat(start));
  for (int i = 0; i < 17; ++i) budget.repeat_over();
  EXPECT_TRUE(budget.try_repeat(start));
  EXPECT_FALSE(budget.try_repeat(start));
}

TEST(RetryBudget, counts_what_it_denied_and_takes_nothing_for_it) {
  RetryBudget budget({});
  repeats_at_once(budget, start);
  EXPECT_EQ(budget.denied(), 1u);
  for (int i = 0; i < 99; ++i) EXPECT_FALSE(budget.try_repeat(start));
  EXPECT_EQ(budget.denied(), 100u);
  EXPECT_EQ(budget.repeats_left(start), 27u);
}

TEST(RetryBudget, is_not_brought_below_zero_by_ends_that_had_no_beginning) {
  RetryBudget budget({});
  budget.arrival_over();
  budget.repeat_over();
  EXPECT_EQ(budget.active(), 0u);
  EXPECT_EQ(budget.active_repeats(), 0u);
}

TEST(RetryBudget, obeys_changed_settings_at_once) {
  RetryBudget budget({});
  arrive(budget, 50, start);
  EXPECT_EQ(budget.repeats_left(start), 40u);
  budget.configure({.ratio = 1, .per_second = 0});
  EXPECT_EQ(budget.repeats_left(start), 10u) << "what was deposited stays";
  arrive(budget, 50, start);
  EXPECT_EQ(budget.repeats_left(start), 60u);
  budget.configure({.ratio = 1, .per_second = 1, .window = seconds(20)});
  EXPECT_EQ(budget.repeats_left(start), 20u) << "another window begins empty";
}

TEST(RetryBudget, takes_an_earlier_time_as_the_latest_it_was_told) {
  RetryBudget budget({.per_second = 0});
  arrive(budget, 50, start + seconds(10));
  arrive(budget, 50, start);
  EXPECT_EQ(budget.repeats_left(start), 20u);
  EXPECT_EQ(budget.repeats_left(start + seconds(20) - moment), 20u);
}

TEST(RetryBudget, stands_settings_without_sense) {
  constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
  for (const double ratio : {-1.0, 0.0, no_number}) {
    RetryBudget none({.ratio = ratio, .per_second = 0, .window = Millis::min()});
    for (int i = 0; i < 1'000; ++i) none.arrived(start);
    EXPECT_FALSE(none.try_repeat(start));
  }
  RetryBudget all({.ratio = 1e300, .per_second = ~0u, .window = Millis::max()});
  all.arrived(start);
  EXPECT_TRUE(all.try_repeat(start));
  EXPECT_EQ(all.repeats_left(never), 86'400'000'000u);
}

TEST(RetryBudget, loses_nothing_between_threads) {
  RetryBudget budget({.per_second = 1'000'000});
  std::atomic<std::uint64_t> allowed = 0, denied = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        budget.arrived(start);
        if (budget.try_repeat(start)) {
          ++allowed;
          budget.repeat_over();
        } else {
          ++denied;
        }
        budget.arrival_over();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(budget.active(), 0u);
  EXPECT_EQ(budget.denied(), denied);
  EXPECT_EQ(budget.repeats_left(start), 10'000'000u + 20'000 / 5 - allowed);
}

}  // namespace
}  // namespace tollgate::policy
