// Traffic over targets in simulated time, where only the shares that come out count: what a choice by what is known of
// each target amounts to, since no single choice shows it.
#include "tollgate/policy/load.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <queue>
#include <tuple>
#include <vector>

namespace tollgate::policy {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(7);

struct Target {
  Millis first_token{100};
  Millis rest{2000};  ///< of the answer, after its first token
  double weight = 1;
  Micros assumed{30'000};
  double failing = 0;  ///< how many of its answers, after `first_token`
  bool hangs = false;
  std::function<double(seconds)> share = [](seconds) { return 1.0; };
};

/// An open stream of requests: they come by chance, `rate` a second, whatever becomes of those before.
class Traffic {
 public:
  Traffic(std::vector<Target> targets, double rate, double jitter = 0.2, std::uint64_t seed = 1)
      : targets_(std::move(targets)), rate_(rate), jitter_(jitter), random_(seed) {
    for (std::size_t i = 0; i < targets_.size(); ++i) loads_.emplace_back(now_, targets_[i].assumed);
    counts_.resize(targets_.size());
    answers_.resize(targets_.size());
    due_.push({now_, [this] { arrive(); }});
  }

  void run(Millis span) {
    const SteadyTime until = now_ + span;
    std::fill(counts_.begin(), counts_.end(), 0);
    std::fill(answers_.begin(), answers_.end(), 0);
    while (due_.top().when < until) {
      const Event event = due_.top();
      due_.pop();
      now_ = event.when;
      event.what();
    }
    now_ = until;
  }
  Target& target(std::size_t place) { return targets_[place]; }
  const Load& load(std::size_t place) const { return loads_[place]; }
  double count(std::size_t place) const { return counts_[place]; }     ///< of requests, in the last run
  double answers(std::size_t place) const { return answers_[place]; }  ///< that were no failures, in the last run
  /// Of the requests of the last run.
  double share(std::size_t place) const {
    double all = 0;
    for (const double count : counts_) all += count;
    return counts_[place] / all;
  }

 private:
  struct Event {
    SteadyTime when;
    std::function<void()> what;
    bool operator<(const Event& other) const { return when > other.when; }
  };

  void after(Micros span, std::function<void()> what) { due_.push({now_ + span, std::move(what)}); }

  void arrive() {
    after(Micros(std::llround(-std::log(1 - random_.unit()) / rate_ * 1e6)), [this] { arrive(); });
    const auto age = std::chrono::floor<seconds>(now_ - start);
    std::vector<Choice> choices;
    for (std::size_t i = 0; i < targets_.size(); ++i)
      choices.push_back(loads_[i].choice(targets_[i].weight, targets_[i].share(age), now_));
    send_to(choose(choices, random_));
  }

  void send_to(std::size_t place) {
    const Target target = targets_[place];
    Load& load = loads_[place];
    ++counts_[place];
    const SteadyTime began = now_;
    load.began(began);
    if (target.hangs) return;
    const bool fails = random_.unit() < target.failing;
    const double luck = 1 + jitter_ * (2 * random_.unit() - 1);
    const Micros first_token(std::llround(luck * static_cast<double>(Micros(target.first_token).count())));
    after(first_token, [this, &load, place, target, first_token, began, fails] {
      if (fails) {
        load.failed(Millis(0), began, now_);
        load.ended();
        return;
      }
      ++answers_[place];
      load.sample(first_token, now_);
      after(target.rest, [&load] { load.ended(); });
    });
  }

  std::vector<Target> targets_;
  std::deque<Load> loads_;
  double rate_, jitter_;
  Random random_;
  SteadyTime now_ = start;
  std::vector<double> counts_, answers_;
  std::priority_queue<Event> due_;
};

class AtRate : public testing::TestWithParam<double> {};

TEST_P(AtRate, gives_a_target_ten_times_slower_a_tenth_at_most) {
  Traffic traffic({{}, {}, {.first_token = Millis(1000)}}, GetParam());
  traffic.run(seconds(10));
  traffic.run(seconds(300));
  EXPECT_LE(traffic.share(2), 0.10);
}

TEST_P(AtRate, gives_a_target_that_fails_at_once_a_twentieth_at_most) {
  Traffic traffic({{}, {}, {.first_token = Millis(1), .failing = 1}}, GetParam());
  traffic.run(seconds(10));
  traffic.run(seconds(600));
  EXPECT_LE(traffic.share(2), 0.05);
}

TEST_P(AtRate, does_not_let_a_fast_failure_win_against_slow_and_busy_targets) {
  const Target slow{.first_token = Millis(8000), .rest = seconds(20)};
  Traffic traffic({slow, slow, {.first_token = Millis(1), .failing = 1}}, GetParam());
  traffic.run(seconds(60));
  traffic.run(seconds(300));
  EXPECT_LE(traffic.share(2), 0.05);
}

TEST_P(AtRate, keeps_to_weights_of_three_to_one) {
  for (const double jitter : {0.0, 0.2}) {
    Traffic traffic({{.weight = 3}, {.weight = 1}}, GetParam(), jitter);
    traffic.run(seconds(20));
    traffic.run(seconds(static_cast<int>(40'000 / GetParam())));
    EXPECT_NEAR(traffic.share(0), 0.75, 0.75 * 0.03) << "jitter " << jitter;
  }
}

TEST_P(AtRate, keeps_to_weights_in_any_unit_among_three) {
  Traffic traffic({{.weight = 500}, {.weight = 300}, {.weight = 200}}, GetParam());
  traffic.run(seconds(20));
  traffic.run(seconds(static_cast<int>(40'000 / GetParam())));
  EXPECT_NEAR(traffic.share(0), 0.5, 0.03);
  EXPECT_NEAR(traffic.share(1), 0.3, 0.03);
  EXPECT_NEAR(traffic.share(2), 0.2, 0.03);
}

TEST_P(AtRate, keeps_to_weights_where_hardly_two_requests_meet) {
  const Millis rest(static_cast<int>(20 / GetParam()));
  const Millis first_token(static_cast<int>(100 / GetParam()));
  Traffic traffic({{.first_token = first_token, .rest = rest, .weight = 3}, {.first_token = first_token, .rest = rest}},
                  GetParam());
  traffic.run(seconds(20));
  traffic.run(seconds(static_cast<int>(40'000 / GetParam())));
  EXPECT_NEAR(traffic.share(0), 0.75, 0.75 * 0.03);
}

TEST_P(AtRate, lets_a_target_that_is_well_again_have_its_share_back) {
  Traffic traffic({{}, {}, {.first_token = Millis(1), .failing = 1}}, GetParam());
  traffic.run(seconds(60));
  traffic.target(2) = {};
  traffic.run(seconds(240));
  traffic.run(seconds(300));
  EXPECT_NEAR(traffic.share(2), 1.0 / 3, 0.05);
}

INSTANTIATE_TEST_SUITE_P(PerSecond, AtRate, testing::Values(2, 20, 100));

TEST(Balance, tries_a_target_that_was_assumed_to_be_slow) {
  const Target fast{.first_token = Millis(20)};
  Traffic traffic({fast, fast, {.first_token = Millis(20), .assumed = seconds(1)}}, 20);
  traffic.run(seconds(60));
  traffic.run(seconds(600));
  EXPECT_NEAR(traffic.share(2), 1.0 / 3, 0.03);
}

TEST(Balance, sends_little_to_a_target_that_never_answers) {
  Traffic traffic({{}, {}, {.hangs = true}}, 50);
  traffic.run(seconds(10));
  traffic.run(seconds(300));
  EXPECT_LE(traffic.share(2), 0.01);
  EXPECT_LE(traffic.load(2).pending(), 10 * traffic.load(0).pending());
}

TEST(Balance, raises_a_target_from_a_tenth_to_all_of_its_share_over_a_slow_start) {
  const auto grow = [](seconds age) { return std::min(1.0, 0.1 + 0.9 * static_cast<double>(age.count()) / 30); };
  for (const std::size_t others : {1, 2}) {
    std::vector<Target> targets(others + 1);
    targets[0].share = grow;
    Traffic traffic(targets, 400);
    for (int second = 0; second < 40; second += 2) {
      traffic.run(seconds(2));
      const double share = (grow(seconds(second)) + grow(seconds(second + 1))) / 2;
      EXPECT_NEAR(traffic.share(0), share / (share + static_cast<double>(others)), 0.06) << "second " << second;
    }
  }
}

/// Runs until `done`, a tenth of a second at a time; how long that took, at most `limit`.
Millis run_until(Traffic& traffic, Millis limit, const std::function<bool()>& done) {
  Millis span{0};
  do {
    traffic.run(Millis(100));
    span += Millis(100);
  } while (!done() && span < limit);
  return span;
}

class Outage : public testing::TestWithParam<std::tuple<int, Millis, std::uint64_t>> {};

TEST_P(Outage, of_six_seconds_is_forgotten_soon) {
  const auto [targets, failing_takes, seed] = GetParam();
  Traffic traffic(std::vector<Target>(static_cast<std::size_t>(targets)), 100, 0.2, seed);
  traffic.run(seconds(20));
  traffic.target(0) = {.first_token = failing_takes, .failing = 1};
  traffic.run(seconds(6));
  EXPECT_LT(traffic.share(0), 0.12) << "most of that before the first failure is known";
  traffic.target(0) = {};
  EXPECT_LT(run_until(traffic, seconds(30), [&] { return traffic.count(0) > 0; }), seconds(15));
  EXPECT_LE(run_until(traffic, seconds(30), [&] { return traffic.answers(0) > 0; }), Millis(300));
  traffic.run(seconds(5));
  traffic.run(seconds(5));
  EXPECT_GE(traffic.share(0), 0.25);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Outage,
                         testing::Combine(testing::Values(2, 3), testing::Values(Millis(1), Millis(100), Millis(900)),
                                          testing::Values(1, 2, 3)));

TEST(Balance, takes_all_back_soon_after_an_outage_of_all) {
  for (const double rate : {2, 20, 100}) {
    Traffic traffic(std::vector<Target>(3), rate);
    traffic.run(seconds(20));
    for (std::size_t i = 0; i < 3; ++i) traffic.target(i) = {.first_token = Millis(1), .failing = 1};
    traffic.run(seconds(6));
    for (std::size_t i = 0; i < 3; ++i) traffic.target(i) = {};
    traffic.run(seconds(15));
    traffic.run(seconds(60));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_GE(traffic.share(i), 0.2) << "rate " << rate << ", target " << i;
  }
}

TEST(Balance, asks_a_target_that_stays_away_once_a_minute) {
  for (const Millis failing_takes : {Millis(1), Millis(100), Millis(5'000)}) {
    Traffic traffic({{}, {}, {.first_token = failing_takes, .failing = 1}}, 100);
    traffic.run(seconds(200));
    traffic.run(seconds(1200));
    EXPECT_LE(traffic.count(2), 20);
    EXPECT_GE(traffic.count(2), 17);
  }
}

TEST(Balance, gives_a_target_with_a_failure_in_five_a_tenth_at_most) {
  for (const double rate : {20, 100}) {
    for (const Millis first_token : {Millis(1), Millis(100), Millis(1000)}) {
      Traffic traffic({{}, {}, {.first_token = first_token, .failing = 0.2}}, rate);
      traffic.run(seconds(10));
      traffic.run(seconds(600));
      EXPECT_LE(traffic.share(2), 0.10) << "rate " << rate << ", " << first_token.count() << " ms";
      EXPECT_GT(traffic.answers(2), 0);
    }
  }
}

}  // namespace
}  // namespace tollgate::policy
