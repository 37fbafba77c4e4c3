// When a target that failed is shunned and when it is tried again, by example: the rule of load.hpp sentence by
// sentence, which load_model_test.cpp holds it to as a whole.
#include "tollgate/policy/load.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

namespace tollgate::policy {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(7);
constexpr Millis nothing_told{0};

bool is_shunned(const Load& load, SteadyTime now) { return load.first_token(now) == Load::highest_penalty; }

/// One request from its beginning to its failure.
void fail(Load& load, SteadyTime began, SteadyTime ended, Millis told = nothing_told) {
  load.began(began);
  load.failed(told, began, ended);
  load.ended();
}

/// Where nothing else happens, the millisecond from which on it may be tried.
SteadyTime trial_of(const Load& load, SteadyTime now) {
  while (is_shunned(load, now)) now += Millis(1);
  return now;
}

TEST(LoadFailure, shuns_a_target_for_five_seconds) {
  Load load(start);
  load.sample(Millis(100), start);
  fail(load, start, start);
  EXPECT_TRUE(is_shunned(load, start));
  EXPECT_TRUE(is_shunned(load, start + Millis(4'999)));
  EXPECT_FALSE(is_shunned(load, start + seconds(5)));
}

TEST(LoadFailure, counts_the_time_from_when_the_failure_became_known) {
  Load load(start);
  fail(load, start, start + seconds(60));
  EXPECT_EQ(trial_of(load, start + seconds(60)), start + seconds(65));
}

TEST(LoadFailure, leaves_the_plain_estimate_as_it_is) {
  Load failing(start), well(start);
  failing.sample(Millis(100), start);
  well.sample(Millis(100), start);
  fail(failing, start + seconds(1), start + seconds(2));
  for (const Millis later : {Millis(7'000), Millis(20'000)})
    EXPECT_EQ(failing.first_token(start + later), well.first_token(start + later));
  EXPECT_EQ(failing.first_token_when_well(start + seconds(3)), well.first_token(start + seconds(3)));
  failing.sample(Millis(90), start + seconds(8));
  well.sample(Millis(90), start + seconds(8));
  EXPECT_EQ(failing.first_token(start + seconds(8)), well.first_token(start + seconds(8)));
}

TEST(LoadFailure, leaves_what_was_only_assumed_to_the_first_answer) {
  Load load(start, seconds(1));
  fail(load, start, start);
  load.sample(Millis(20), start + seconds(5));
  EXPECT_EQ(load.first_token(start + seconds(5)), Millis(20));
}

TEST(LoadFailure, counts_all_that_were_under_way_once) {
  Load load(start);
  for (int i = 0; i < 100; ++i) load.began(start + Millis(i));
  for (int i = 0; i < 100; ++i) {
    load.failed(nothing_told, start + Millis(i), start + Millis(200 + 10 * i));
    load.ended();
  }
  EXPECT_EQ(trial_of(load, start + Millis(1'190)), start + Millis(5'200)) << "five seconds after the first of them";
  fail(load, start + Millis(5'200), start + Millis(5'200));
  EXPECT_EQ(trial_of(load, start + Millis(5'200)), start + Millis(15'200)) << "the second in a row";
}

TEST(LoadFailure, takes_for_a_trial_what_began_at_the_trial_time_and_nothing_before) {
  Load load(start);
  fail(load, start, start);
  fail(load, start + seconds(1), start + seconds(2));
  fail(load, start + seconds(5) - std::chrono::nanoseconds(1), start + seconds(6), seconds(300));
  EXPECT_FALSE(is_shunned(load, start + seconds(6)));
  fail(load, start + seconds(5), start + seconds(6));
  EXPECT_EQ(trial_of(load, start + seconds(6)), start + seconds(16));
}

TEST(LoadFailure, takes_what_began_before_a_failure_for_old_news_after_a_recovery_too) {
  Load load(start);
  load.began(start);
  fail(load, start, start + seconds(1));
  load.sample(Millis(100), start + seconds(6));
  load.failed(nothing_told, start, start + seconds(7));
  EXPECT_FALSE(is_shunned(load, start + seconds(7)));
}

TEST(LoadFailure, waits_twice_as_long_after_each_further_one_up_to_a_minute) {
  Load load(start);
  SteadyTime now = start;
  for (const int wait : {5, 10, 20, 40, 60, 60, 60}) {
    fail(load, now, now);
    ASSERT_EQ(trial_of(load, now), now + seconds(wait));
    now += seconds(wait);
  }
  for (int i = 0; i < 10'000; ++i) fail(load, now, now);
  EXPECT_EQ(trial_of(load, now), now + seconds(60));
}

TEST(LoadFailure, lets_exactly_one_request_try) {
  Load load(start);
  fail(load, start, start);
  const SteadyTime trial = start + seconds(5);
  EXPECT_FALSE(is_shunned(load, trial));
  load.began(trial);
  EXPECT_TRUE(is_shunned(load, trial));
  EXPECT_TRUE(is_shunned(load, trial + std::chrono::hours(1))) << "however long its news takes";
}

TEST(LoadFailure, waits_again_where_the_trial_fails) {
  Load load(start);
  fail(load, start, start);
  fail(load, start + seconds(5), start + seconds(8));
  EXPECT_EQ(trial_of(load, start + seconds(8)), start + seconds(18));
}

TEST(LoadFailure, lets_the_next_one_try_where_the_trial_says_nothing) {
  Load load(start);
  fail(load, start, start);
  const SteadyTime trial = start + seconds(5);
  load.began(trial);
  load.left(trial);
  EXPECT_FALSE(is_shunned(load, trial));
  load.began(trial);
  EXPECT_TRUE(is_shunned(load, trial));
  load.ended();
  EXPECT_FALSE(is_shunned(load, trial)) << "an end without news leaves nothing to wait for";
}

TEST(LoadFailure, waits_for_the_trial_whatever_becomes_of_older_requests) {
  Load load(start);
  for (int i = 0; i < 3; ++i) load.began(start);
  fail(load, start, start);
  load.began(start + seconds(1));
  const SteadyTime trial = start + seconds(5);
  EXPECT_FALSE(is_shunned(load, trial)) << "what began before is no trial";
  load.began(trial);
  load.left(start);
  load.failed(nothing_told, start - seconds(1), trial);
  load.ended();
  EXPECT_TRUE(is_shunned(load, trial));
  load.left(trial);
  EXPECT_FALSE(is_shunned(load, trial));
}

TEST(LoadFailure, waits_for_all_where_several_try_since_nobody_else_could) {
  Load load(start);
  fail(load, start, start);
  load.began(start + seconds(5));
  load.began(start + seconds(6));
  load.left(start + seconds(5));
  EXPECT_TRUE(is_shunned(load, start + seconds(7)));
  load.left(start + seconds(6));
  EXPECT_FALSE(is_shunned(load, start + seconds(7)));
}

TEST(LoadFailure, takes_of_several_trials_that_fail_only_the_first) {
  Load load(start);
  fail(load, start, start);
  load.began(start + seconds(5));
  load.began(start + seconds(6));
  load.failed(nothing_told, start + seconds(5), start + seconds(7));
  load.failed(nothing_told, start + seconds(6), start + seconds(8));
  EXPECT_EQ(trial_of(load, start + seconds(8)), start + seconds(17));
  load.began(start + seconds(17));
  EXPECT_TRUE(is_shunned(load, start + seconds(17))) << "the old trials have left no count";
  load.left(start + seconds(17));
  EXPECT_FALSE(is_shunned(load, start + seconds(17)));
}

TEST(LoadFailure, ends_at_once_with_a_success) {
  Load load(start);
  load.sample(Millis(100), start);
  for (int i = 0; i < 10; ++i) fail(load, start, start);
  load.began(start + seconds(60));
  load.sample(Millis(40), start + Millis(60'040));
  const double kept = std::exp(-6.004);
  const double expected = 100'000 * kept + 40'000 * (1 - kept);
  EXPECT_NEAR(static_cast<double>(load.first_token(start + Millis(60'040)).count()), expected, 1);
  load.began(start + seconds(61));
  EXPECT_FALSE(is_shunned(load, start + seconds(61)));
  fail(load, start + seconds(61), start + seconds(61));
  EXPECT_EQ(trial_of(load, start + seconds(61)), start + seconds(66)) << "the count in a row begins anew";
}

TEST(LoadFailure, ends_with_a_success_before_the_trial_time_too) {
  Load load(start);
  fail(load, start, start, seconds(200));
  load.began(start + seconds(1));
  load.sample(Millis(100), start + Millis(1'100));
  EXPECT_FALSE(is_shunned(load, start + Millis(1'100)));
  fail(load, start + seconds(2), start + seconds(2));
  EXPECT_EQ(trial_of(load, start + seconds(2)), start + seconds(7)) << "what was told then no longer counts";
}

TEST(LoadFailure, does_not_end_with_a_success_that_began_before_it) {
  Load load(start);
  load.began(start);
  load.began(start + seconds(1));
  fail(load, start, start + seconds(1));
  load.sample(Millis(1'001), start + seconds(2));
  EXPECT_EQ(trial_of(load, start + seconds(2)), start + seconds(6));
  EXPECT_EQ(load.first_token_when_well(start + seconds(2)), Millis(1'001)) << "as a time it counts";
  load.sample(Millis(1'000), start + seconds(2));
  EXPECT_FALSE(is_shunned(load, start + seconds(2))) << "this one began when the failure was known";
}

TEST(LoadFailure, waits_for_the_trial_though_an_older_request_succeeds) {
  Load load(start);
  load.began(start);
  fail(load, start, start + seconds(1));
  load.began(start + seconds(6));
  load.sample(seconds(7), start + seconds(7));
  EXPECT_TRUE(is_shunned(load, start + seconds(7)));
  load.left(start + seconds(6));
  EXPECT_FALSE(is_shunned(load, start + seconds(7)));
}

TEST(LoadFailure, does_not_try_before_the_target_said_within_bounds) {
  const auto waits = [](Millis told) {
    Load load(start);
    fail(load, start, start, told);
    return trial_of(load, start) - start;
  };
  EXPECT_EQ(waits(Millis(1)), seconds(5)) << "a second is less than what is waited anyhow";
  EXPECT_EQ(waits(seconds(20)), seconds(20));
  EXPECT_EQ(waits(std::chrono::hours(9)), seconds(300));
}

TEST(LoadFailure, counts_the_requests_of_a_shunned_target_as_ever) {
  Load load(start);
  fail(load, start, start);
  for (int i = 1; i <= 3; ++i) load.began(start + seconds(i));
  EXPECT_EQ(load.pending(), 3u);
  const Choice choice = load.choice(1, 1, start + seconds(3));
  EXPECT_EQ(choice.pending, 3u);
  EXPECT_DOUBLE_EQ(choice.first_token, 86'400e6);
  load.failed(nothing_told, start + seconds(1), start + seconds(3));
  load.ended();
  load.left(start + seconds(2));
  load.sample(Millis(10), start + seconds(4));
  load.ended();
  EXPECT_EQ(load.pending(), 0u);
}

TEST(LoadFailure, stays_sane_where_time_runs_backwards) {
  Load load(start);
  fail(load, start, start);
  fail(load, start + seconds(5), start - seconds(3));
  EXPECT_EQ(trial_of(load, start), start + seconds(10));
  fail(load, start - seconds(3), start - seconds(2));
  EXPECT_EQ(trial_of(load, start), start + seconds(10));
}

}  // namespace
}  // namespace tollgate::policy
