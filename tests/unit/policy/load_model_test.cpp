// The random life of a load against a second telling, which keeps every request, every sample and every failure in a
// row and finds by looking at all of them what the load keeps in a few numbers.
#include "tollgate/policy/load.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace tollgate::policy {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(7);

class ModelLoad {
 public:
  void begin(SteadyTime now) { requests_.push_back({now, true}); }
  bool has(bool awaited) const {
    return std::any_of(requests_.begin(), requests_.end(), [&](const auto& one) { return one.awaited == awaited; });
  }
  std::size_t pending() const { return requests_.size(); }
  /// Chooses by `luck` one of which news is awaited, and has its news come; when it began.
  SteadyTime hear(std::uint64_t luck) {
    Request& request = requests_[chosen(true, luck)];
    request.awaited = false;
    return request.began;
  }
  SteadyTime drop(bool awaited, std::uint64_t luck) {
    const auto place = requests_.begin() + static_cast<std::ptrdiff_t>(chosen(awaited, luck));
    const SteadyTime began = place->began;
    requests_.erase(place);
    return began;
  }

  void sample(SteadyTime began, SteadyTime now) {
    const auto micros = static_cast<double>((now - began) / Micros(1));
    if (!was_heard_ || micros > single_) {
      single_ = micros;
    } else {
      single_ = micros + (single_ - micros) * weight(now);
    }
    heard_ = now;
    was_heard_ = true;
    if (!last_failure_ || began >= *last_failure_) in_a_row_.clear();
    if (samples_.empty()) grid_ = now;
    samples_.push_back({micros, now});
  }
  void failed(std::int64_t told_millis, SteadyTime began, SteadyTime now) {
    if (last_failure_ && began < trial().value_or(*last_failure_)) return;
    last_failure_ = now;
    in_a_row_.push_back({now, told_millis > 0 ? std::clamp<std::int64_t>(told_millis, 1'000, 300'000) : 0});
  }
  /// The latest of what each failure asks for.
  std::optional<SteadyTime> trial() const {
    std::optional<SteadyTime> latest;
    std::int64_t wait = 5'000;
    for (const auto& [when, told] : in_a_row_) {
      const SteadyTime trial = when + Millis(std::max(told, wait));
      latest = std::max(latest.value_or(trial), trial);
      wait = std::min<std::int64_t>(wait * 2, 60'000);
    }
    return latest;
  }
  bool is_tried() const {
    const auto at = trial();
    return at && std::any_of(requests_.begin(), requests_.end(),
                             [&](const Request& one) { return one.awaited && one.began >= *at; });
  }
  std::size_t failures() const { return in_a_row_.size(); }
  double plain(SteadyTime now) const { return std::max(has(true) ? single_ : single_ * weight(now), 1.0); }
  double estimate(SteadyTime now) const {
    const auto at = trial();
    return at && (now < *at || is_tried()) ? 86'400e6 : plain(now);
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

  struct Request {
    SteadyTime began;
    bool awaited;
  };
  std::size_t chosen(bool awaited, std::uint64_t luck) const {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < requests_.size(); ++i)
      if (requests_[i].awaited == awaited) places.push_back(i);
    return places[luck % places.size()];
  }

  std::vector<Request> requests_;
  double single_ = 30'000;
  SteadyTime heard_ = start;
  bool was_heard_ = false;
  std::optional<SteadyTime> last_failure_;
  std::vector<std::pair<SteadyTime, std::int64_t>> in_a_row_;  ///< when, and the milliseconds told
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
  std::uint64_t quantiles = 0, trials = 0, lasting = 0;
  std::uint64_t most_pending = 50;
  bool is_well = true;
  for (int step = 0; step < 200'000; ++step) {
    if (below(100) == 0) {
      is_well = !is_well;
      most_pending = 1 + below(50);
    }
    const std::uint64_t choice = below(10);
    const bool fails = below(20) == 0 ? is_well : !is_well;
    if (choice < 3 && model.pending() < most_pending) {
      load.began(now);
      model.begin(now);
    } else if (choice < 6 && model.has(true) && fails) {
      const auto told = static_cast<std::int64_t>(below(4) == 0 ? below(400'000) : 0);
      const SteadyTime began = model.hear(random());
      load.failed(Millis(told), began, now);
      model.failed(told, began, now);
    } else if (choice < 6 && model.has(true)) {
      const SteadyTime began = model.hear(random());
      load.sample(std::chrono::duration_cast<Micros>(now - began), now);
      model.sample(began, now);
    } else if (choice < 8 && model.has(false)) {
      load.ended();
      model.drop(false, random());
    } else if (choice < 9 && model.has(true) && below(2) == 0) {
      load.left(model.drop(true, random()));
    } else if (const auto trial = model.trial(); trial && below(20) == 0) {
      now = std::max(now, *trial - Micros(1) + Micros(below(3)));
    } else {
      now += Micros(below(std::uint64_t{1} << below(25)));
    }
    ASSERT_EQ(load.pending(), model.pending()) << "step " << step;
    const double expected = model.estimate(now);
    ASSERT_NEAR(load.choice(1, 1, now).first_token, expected, expected * 1e-9) << "step " << step;
    const double plain = model.plain(now);
    ASSERT_NEAR(static_cast<double>(load.first_token_when_well(now).count()), plain, 1 + plain * 1e-9);
    trials += model.is_tried() ? 1 : 0;
    lasting += model.failures() > 4 ? 1 : 0;
    if (step % 125 != 0) continue;
    model.forget(now);
    const auto p95 = load.p95(now);
    ASSERT_TRUE(model.accepts(p95, now)) << "step " << step;
    quantiles += p95 ? 1 : 0;
  }
  EXPECT_GT(quantiles, 500u) << "the steps have to reach what they are to test";
  EXPECT_GT(trials, 2'000u);
  EXPECT_GT(lasting, 500u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LoadModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
