// Traffic over targets in simulated time, where only the shares that come out count; and the random life of a load
// against a second telling that keeps every request and every sample.
#include "tollgate/policy/load.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace tollgate::policy {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(7);

struct Target {
  Millis first_token{100};
  Millis rest{2000};  ///< of the answer, after its first token
  double weight = 1;
  Micros assumed{30'000};
  bool fails = false;  ///< after `first_token`
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
    due_.push({now_, [this] { arrive(); }});
  }

  void run(seconds span) {
    const SteadyTime until = now_ + span;
    std::fill(counts_.begin(), counts_.end(), 0);
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
    load.began();
    if (target.hangs) return;
    const double luck = 1 + jitter_ * (2 * random_.unit() - 1);
    const Micros first_token(std::llround(luck * static_cast<double>(Micros(target.first_token).count())));
    after(first_token, [this, &load, target, first_token] {
      if (target.fails) {
        load.failed(Millis(0), now_);
        load.ended();
        return;
      }
      load.sample(first_token, now_);
      after(target.rest, [&load] { load.ended(); });
    });
  }

  std::vector<Target> targets_;
  std::deque<Load> loads_;
  double rate_, jitter_;
  Random random_;
  SteadyTime now_ = start;
  std::vector<double> counts_;
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
  Traffic traffic({{}, {}, {.first_token = Millis(1), .fails = true}}, GetParam());
  traffic.run(seconds(10));
  traffic.run(seconds(600));
  EXPECT_LE(traffic.share(2), 0.05);
}

TEST_P(AtRate, does_not_let_a_fast_failure_win_against_slow_and_busy_targets) {
  const Target slow{.first_token = Millis(8000), .rest = seconds(20)};
  Traffic traffic({slow, slow, {.first_token = Millis(1), .fails = true}}, GetParam());
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
  Traffic traffic({{}, {}, {.first_token = Millis(1), .fails = true}}, GetParam());
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

/// Every request and every sample, and sums over all of them.
class ModelLoad {
 public:
  void begin() { awaited_.push_back(true); }
  bool has(bool awaited) const { return std::count(awaited_.begin(), awaited_.end(), awaited) > 0; }
  std::size_t pending() const { return awaited_.size(); }
  void hear() { *std::find(awaited_.begin(), awaited_.end(), true) = false; }
  void drop(bool awaited) { awaited_.erase(std::find(awaited_.begin(), awaited_.end(), awaited)); }

  void sample(double micros, SteadyTime now) {
    if (!was_heard_ || micros > single_) {
      single_ = micros;
    } else {
      single_ = micros + (single_ - micros) * weight(now);
    }
    estimate_ = single_;
    heard_ = now;
    was_heard_ = true;
    failures_ = 0;
    if (samples_.empty()) grid_ = now;
    samples_.push_back({micros, now});
  }
  void failed(double told_seconds, SteadyTime now) {
    const double left = weight(now);
    const double least = 1e6 * (told_seconds > 0 ? std::min(300.0, std::max(1.0, told_seconds)) : 5);
    single_ = std::max(single_ * left, least);
    estimate_ *= left;
    if (failures_++ > 0) estimate_ = std::min(estimate_ * 4, 86'400e6);
    estimate_ = std::max(estimate_, single_);
    heard_ = now;
    was_heard_ = true;
  }
  double estimate(SteadyTime now) const {
    const double value = has(true) ? estimate_ : estimate_ * weight(now);
    return std::max(value, 1.0);
  }

  bool accepts(std::optional<Micros> p95, SteadyTime now) const {
    double all = 0, above = 0, near = 0;
    for (const auto& [micros, when] : samples_) {
      const auto minute = [this](SteadyTime time) { return (time - grid_) / std::chrono::minutes(1); };
      const double worth = std::pow(0.5, static_cast<double>(minute(now) - minute(when)));
      all += worth;
      if (!p95) continue;
      const auto found = static_cast<double>(p95->count());
      above += micros > found ? worth : 0;
      near += micros >= found * 8 / 9 - 1 ? worth : 0;
    }
    if (!p95) return all < 20 + 1e-3;
    return all >= 20 - 1e-3 && above <= all * 0.05 + 1e-3 && near >= all * 0.05 - 1e-3;
  }
  void forget(SteadyTime now) {
    while (samples_.size() > 1 && now - samples_.front().second > std::chrono::minutes(40)) samples_.pop_front();
  }

 private:
  double weight(SteadyTime now) const { return std::exp(-static_cast<double>((now - heard_).count()) / 1e10); }

  std::vector<bool> awaited_;
  double estimate_ = 30'000, single_ = 30'000;
  SteadyTime heard_ = start;
  bool was_heard_ = false;
  int failures_ = 0;
  SteadyTime grid_;
  std::deque<std::pair<double, SteadyTime>> samples_;
};

class LoadModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LoadModel, agrees_over_200000_random_events) {
  std::mt19937_64 random(GetParam());
  const auto below = [&random](std::uint64_t end) { return random() % end; };
  Load load(start);
  ModelLoad model;
  SteadyTime now = start;
  std::uint64_t quantiles = 0;
  for (int step = 0; step < 200'000; ++step) {
    const std::uint64_t choice = below(10);
    if (choice < 3 && model.pending() < 50) {
      load.began();
      model.begin();
    } else if (choice < 5 && model.has(true)) {
      const std::uint64_t micros = 1 + below(std::uint64_t{1} << (4 + below(26)));
      load.sample(Micros(micros), now);
      model.sample(static_cast<double>(micros), now);
      model.hear();
    } else if (choice < 6 && model.has(true)) {
      const std::uint64_t told = below(2) * below(400'000);
      load.failed(Millis(told), now);
      model.failed(static_cast<double>(told) / 1000, now);
      model.hear();
    } else if (choice < 8 && model.has(false)) {
      load.ended();
      model.drop(false);
    } else if (choice < 9 && model.has(true) && below(2) == 0) {
      load.left();
      model.drop(true);
    } else {
      now += std::chrono::nanoseconds(below(std::uint64_t{1} << below(35)));
    }
    ASSERT_EQ(load.pending(), model.pending()) << "step " << step;
    const double expected = model.estimate(now);
    ASSERT_NEAR(load.choice(1, 1, now).first_token, expected, expected * 1e-9) << "step " << step;
    if (step % 250 != 0) continue;
    model.forget(now);
    const auto p95 = load.p95(now);
    ASSERT_TRUE(model.accepts(p95, now)) << "step " << step;
    quantiles += p95 ? 1 : 0;
  }
  EXPECT_GT(quantiles, 500u) << "the steps have to reach what they are to test";
}

INSTANTIATE_TEST_SUITE_P(Seeds, LoadModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
