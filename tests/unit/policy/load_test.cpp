// One target's estimate, counts and quantile over time by example, and single choices between targets: what
// load_model_test.cpp and balance_model_test.cpp would say too, but not where to look.
#include "tollgate/policy/load.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

namespace tollgate::policy {
namespace {

using std::chrono::minutes;

const SteadyTime start = SteadyTime{} + std::chrono::hours(7);

double micros(Micros time) { return static_cast<double>(time.count()); }

TEST(Load, begins_with_what_is_assumed_and_lets_it_fade) {
  const Load load(start, Millis(30));
  EXPECT_EQ(load.first_token(start), Millis(30));
  EXPECT_NEAR(micros(load.first_token(start + seconds(10))), 30'000 / std::exp(1.0), 1);
  EXPECT_EQ(load.pending(), 0u);
}

TEST(Load, takes_the_first_time_for_what_was_assumed) {
  Load load(start, seconds(1));
  load.sample(Millis(20), start);
  EXPECT_EQ(load.first_token(start), Millis(20));
}

TEST(Load, follows_a_longer_time_at_once_and_a_shorter_one_slowly) {
  Load load(start);
  load.sample(Millis(100), start);
  load.sample(Millis(700), start + seconds(1));
  EXPECT_EQ(load.first_token(start + seconds(1)), Millis(700));
  load.sample(Millis(100), start + seconds(6));
  const double kept = std::exp(-0.5);
  EXPECT_NEAR(micros(load.first_token(start + seconds(6))), 700'000 * kept + 100'000 * (1 - kept), 1);
}

TEST(Load, fades_without_news_and_never_below_a_microsecond) {
  Load load(start);
  load.sample(Millis(100), start);
  EXPECT_NEAR(micros(load.first_token(start + seconds(10))), 100'000 / std::exp(1.0), 1);
  EXPECT_EQ(load.first_token(start + std::chrono::hours(1000)), Micros(1));
}

TEST(Load, fades_alike_however_often_it_is_read) {
  Load watched(start), left_alone(start);
  watched.sample(Millis(500), start);
  left_alone.sample(Millis(500), start);
  for (int i = 0; i < 1000; ++i) (void)watched.first_token(start + Millis(7 * i));
  EXPECT_EQ(watched.first_token(start + seconds(8)), left_alone.first_token(start + seconds(8)));
}

TEST(Load, buys_one_try_by_having_faded) {
  Load load(start);
  load.sample(seconds(2), start);
  EXPECT_LT(load.first_token(start + seconds(60)), Millis(10));
  load.began(start);
  EXPECT_EQ(load.first_token(start + seconds(60)), seconds(2));
  EXPECT_EQ(load.first_token(start + seconds(600)), seconds(2)) << "a target that never answers does not get fast";
}

TEST(Load, fades_on_once_the_awaited_request_says_nothing) {
  Load load(start);
  load.sample(seconds(2), start);
  load.began(start);
  load.began(start);
  load.left(start);
  EXPECT_EQ(load.first_token(start + seconds(60)), seconds(2)) << "the other one is still awaited";
  load.ended();
  EXPECT_LT(load.first_token(start + seconds(60)), Millis(10));
}

TEST(Load, fades_on_while_a_stream_that_has_begun_goes_on) {
  Load load(start);
  load.began(start);
  load.sample(seconds(2), start);
  EXPECT_LT(load.first_token(start + seconds(60)), Millis(10));
  EXPECT_EQ(load.pending(), 1u);
}

TEST(Load, stays_sane_where_time_runs_backwards) {
  Load load(start);
  load.sample(Millis(100), start);
  load.sample(Millis(10), start - seconds(5));
  EXPECT_EQ(load.first_token(start - seconds(9)), Millis(100));
  EXPECT_NEAR(micros(load.first_token(start + seconds(10))), 100'000 / std::exp(1.0), 1);
}

TEST(Load, never_counts_below_nothing) {
  Load load(start);
  load.ended();
  load.left(start);
  EXPECT_EQ(load.pending(), 0u);
  load.began(start);
  EXPECT_EQ(load.pending(), 1u);
}

TEST(Load, tells_all_of_a_choice_at_one_moment) {
  Load load(start);
  load.began(start);
  load.sample(Millis(40), start);
  const Choice choice = load.choice(3, 0.5, start);
  EXPECT_DOUBLE_EQ(choice.first_token, 40'000);
  EXPECT_EQ(choice.pending, 1u);
  EXPECT_DOUBLE_EQ(choice.weight, 3);
  EXPECT_DOUBLE_EQ(choice.share, 0.5);
}

TEST(Load, says_nothing_of_the_slowest_below_20_samples) {
  Load load(start);
  for (int i = 0; i < 19; ++i) load.sample(Millis(50), start);
  EXPECT_EQ(load.p95(start), std::nullopt);
  load.sample(Millis(50), start);
  EXPECT_TRUE(load.p95(start));
  EXPECT_EQ(load.p95(start + minutes(1)), std::nullopt) << "halved, they are worth ten";
}

TEST(Load, leaves_failures_out_of_the_quantile) {
  Load load(start);
  for (int i = 0; i < 20; ++i) load.sample(Millis(50), start);
  for (int i = 0; i < 100; ++i) load.failed(Millis(0), start, start);
  EXPECT_LT(load.p95(start), Millis(57));
}

TEST(Load, loses_nothing_between_threads) {
  Load load(start);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&load, thread] {
      for (int i = 0; i < 5'000; ++i) {
        load.began(start);
        if (thread == 0) {
          load.failed(Millis(0), start, start);
          load.ended();
        } else if (thread == 1) {
          load.left(start);
        } else {
          load.sample(Millis(100), start);
          load.ended();
        }
        (void)load.choice(1, 1, start);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(load.pending(), 0u);
  EXPECT_LT(load.first_token(start + seconds(600)), Millis(1)) << "nothing is awaited any more, no trial either";
  EXPECT_LE(load.p95(start), Micros(112'500));
}

TEST(RecentTimes, finds_the_quantile_of_a_known_spread) {
  RecentTimes times;
  for (int i = 1; i <= 1000; ++i) times.add(Millis(i), start);
  ASSERT_TRUE(times.p95(start));
  EXPECT_GE(*times.p95(start), Millis(950));
  EXPECT_LE(*times.p95(start), Micros(950'000 * 9 / 8));
}

TEST(RecentTimes, does_not_let_one_in_twenty_decide) {
  RecentTimes times;
  for (int i = 0; i < 19; ++i) times.add(Micros(10), start);
  times.add(seconds(100), start);
  EXPECT_EQ(times.p95(start), Micros(10));
  times.add(seconds(100), start);
  EXPECT_GE(times.p95(start), seconds(100)) << "two of 21 are more";
}

TEST(RecentTimes, is_at_most_an_eighth_too_high_from_end_to_end) {
  for (std::int64_t micros = 1; micros < std::int64_t{1} << 32; micros += micros / 7 + 1) {
    RecentTimes times;
    for (int i = 0; i < 20; ++i) times.add(Micros(micros), start);
    ASSERT_GE(times.p95(start), Micros(micros));
    ASSERT_LE(times.p95(start), Micros(micros + micros / 8));
  }
}

TEST(RecentTimes, holds_the_ends_of_its_range) {
  RecentTimes low, high;
  for (int i = 0; i < 20; ++i) low.add(Micros(-5), start);
  for (int i = 0; i < 20; ++i) high.add(Micros::max(), start);
  EXPECT_EQ(low.p95(start), Micros(0));
  EXPECT_EQ(high.p95(start), Micros((std::int64_t{1} << 32) - 1));
}

TEST(RecentTimes, forgets_by_half_each_minute) {
  RecentTimes times;
  for (int i = 0; i < 1000; ++i) times.add(seconds(10), start);
  const SteadyTime later = start + minutes(5) + seconds(59);
  for (int i = 0; i < 500; ++i) times.add(Millis(10), later);
  EXPECT_GT(times.p95(later), seconds(9)) << "31 of 531 are old";
  for (int i = 0; i < 200; ++i) times.add(Millis(10), later);
  EXPECT_LT(times.p95(later), Millis(12)) << "31 of 731 are";
}

TEST(Choose, takes_the_only_one) {
  Random random(1);
  const std::vector<Choice> one{{.first_token = 1e9, .pending = 1000, .weight = 0, .share = 0}};
  EXPECT_EQ(choose(one, random), 0u);
}

double share_of(std::size_t place, const std::vector<Choice>& choices) {
  constexpr int rounds = 100'000;
  Random random(7);
  int chosen = 0;
  for (int i = 0; i < rounds; ++i) chosen += choose(choices, random) == place ? 1 : 0;
  return static_cast<double>(chosen) / rounds;
}

TEST(Choose, keeps_to_the_weights_among_equals) {
  const std::vector<Choice> choices{{.first_token = 100, .weight = 3}, {.first_token = 100, .weight = 1}};
  EXPECT_NEAR(share_of(0, choices), 0.75, 0.01);
}

TEST(Choose, keeps_to_the_weights_where_estimates_differ_by_luck) {
  const std::vector<Choice> choices{{.first_token = 130, .weight = 1}, {.first_token = 100, .weight = 1}};
  EXPECT_NEAR(share_of(0, choices), 0.5, 0.01);
}

TEST(Choose, leaves_out_the_one_that_costs_most) {
  const std::vector<Choice> slow{{.first_token = 1000}, {.first_token = 100}, {.first_token = 100}};
  EXPECT_EQ(share_of(0, slow), 0);
  const std::vector<Choice> busy{{.first_token = 100, .pending = 9}, {.first_token = 100}, {.first_token = 100}};
  EXPECT_EQ(share_of(0, busy), 0);
}

TEST(Choose, spends_nothing_on_a_weight_of_nothing_unless_all_have_that) {
  const std::vector<Choice> one{{.first_token = 1, .weight = 0}, {.first_token = 1000, .weight = 1}};
  EXPECT_EQ(share_of(0, one), 0);
  const std::vector<Choice> all{{.weight = 0}, {.weight = -1}, {.weight = 0}};
  for (std::size_t place = 0; place < 3; ++place) EXPECT_NEAR(share_of(place, all), 1.0 / 3, 0.01);
}

TEST(Choose, draws_a_slow_start_with_its_share) {
  const std::vector<Choice> two{{.first_token = 100, .share = 0.1}, {.first_token = 100}};
  EXPECT_NEAR(share_of(0, two), 0.1 / 1.1, 0.01);
  const std::vector<Choice> three{{.first_token = 100, .share = 0.1}, {.first_token = 100}, {.first_token = 100}};
  EXPECT_NEAR(share_of(0, three), 0.1 / 2.1, 0.01);
}

TEST(Choose, does_not_throw_everything_at_a_fast_target_in_slow_start) {
  const std::vector<Choice> two{{.first_token = 10, .share = 0.1}, {.first_token = 10'000}};
  EXPECT_LT(share_of(0, two), 0.2);
}

/// Conversations by which of the equals they go to, where `first` costs what it costs.
std::vector<int> homes(std::vector<Choice> usable, std::size_t chosen) {
  Random random(11);
  std::vector<int> found(usable.size() + 1);
  for (int i = 0; i < 30'000; ++i) {
    for (Choice& choice : usable) choice.affinity = random();
    const auto home = home_of(usable, chosen);
    ++found[home.value_or(usable.size())];
  }
  return found;
}

TEST(Home, is_shared_out_by_weight) {
  const auto found = homes({{.first_token = 100, .weight = 1}, {.first_token = 100, .weight = 2}}, 0);
  EXPECT_NEAR(found[0], 10'000, 300);
  EXPECT_NEAR(found[1], 20'000, 300);
}

TEST(Home, is_the_same_whatever_was_chosen_and_however_the_others_are_ordered) {
  const Choice here{.first_token = 100, .affinity = ~std::uint64_t{0}};
  const Choice there{.first_token = 100, .affinity = 1};
  EXPECT_EQ(home_of(std::vector{here, there}, 0), 0u);
  EXPECT_EQ(home_of(std::vector{here, there}, 1), 0u);
  EXPECT_EQ(home_of(std::vector{there, here}, 0), 1u);
}

TEST(Home, is_left_where_it_costs_more_than_twice_as_much) {
  std::vector<Choice> usable{{.first_token = 200, .affinity = ~std::uint64_t{0}}, {.first_token = 100, .affinity = 1}};
  EXPECT_EQ(home_of(usable, 1), 0u);
  usable[0].first_token = 201;
  EXPECT_EQ(home_of(usable, 1), std::nullopt);
  usable[0].first_token = 100;
  usable[0].pending = 2;
  EXPECT_EQ(home_of(usable, 1), std::nullopt) << "three times as long as an idle one";
}

TEST(Home, is_nowhere_for_what_continues_nothing) {
  EXPECT_EQ(home_of(std::vector<Choice>{{.first_token = 1}, {.first_token = 1}}, 0), std::nullopt);
  EXPECT_EQ(home_of(std::vector<Choice>{{.first_token = 1, .weight = 0, .affinity = 9}, {.first_token = 1}}, 1),
            std::nullopt);
}

}  // namespace
}  // namespace tollgate::policy
