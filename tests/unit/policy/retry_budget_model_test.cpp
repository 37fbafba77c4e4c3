// Random lives of a retry budget against a model that keeps every deposit and withdrawal and adds them up anew for each
// answer.
#include "tollgate/policy/retry_budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <vector>

namespace tollgate::policy {
namespace {

using std::chrono::nanoseconds;

/// A repeat costs as much as `price` arrivals bring: only ratios 1 / price.
class Model {
 public:
  struct Entry {
    SteadyTime at;
    std::int64_t parts;  // of a repeat: a price may change after an arrival has paid
  };

  void configure(int price, unsigned per_second, Millis window) {
    if (window != window_) entries_.clear();
    price_ = price;
    per_second_ = per_second;
    window_ = window;
  }

  void arrived(SteadyTime now) {
    enter(now, parts_per_repeat / price_);
    ++arrivals;
  }

  bool try_repeat(SteadyTime now) {
    const auto active = arrivals + repeats;
    if (repeats + 1 > std::max<std::int64_t>(3, active / price_)) return false;
    if (balance(now) < parts_per_repeat) return false;
    enter(now, -parts_per_repeat);
    ++repeats;
    return true;
  }

  std::uint64_t left(SteadyTime now) const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(balance(now), 0) / parts_per_repeat);
  }

  std::int64_t arrivals = 0, repeats = 0;

 private:
  static constexpr std::int64_t parts_per_repeat = 12'000;

  void enter(SteadyTime now, std::int64_t parts) {
    latest_ = std::max(latest_, now);
    entries_.push_back({latest_, parts});
  }

  std::int64_t balance(SteadyTime now) const {
    const auto slot = nanoseconds(window_).count() / 10;
    const auto slot_of = [&](SteadyTime at) { return nanoseconds(at.time_since_epoch()).count() / slot; };
    const auto present = slot_of(std::max(now, latest_));
    std::int64_t sum = per_second_ * window_.count() * parts_per_repeat / 1'000;
    for (const Entry& entry : entries_) {
      if (present - slot_of(entry.at) < 10) sum += entry.parts;
    }
    return sum;
  }

  std::int64_t price_ = 1, per_second_ = 0;
  Millis window_{0};
  SteadyTime latest_{};
  std::vector<Entry> entries_;
};

struct Tally {
  std::uint64_t allowed = 0, denied = 0;
};

class Life {
 public:
  Life(std::mt19937_64& random, Tally& tally) : random_(random), tally_(tally), budget_(reload()) {}

  bool live() {
    for (auto events = 1 + below(150); events > 0 && agreed_; --events) step();
    return agreed_;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  RetryBudgetSettings reload() {
    constexpr int prices[] = {1, 2, 4, 5, 10, 20};  // whose ratios are whole thousandths
    constexpr Millis windows[] = {Millis(10), Millis(1'000), Millis(10'000)};
    const int price = prices[below(std::size(prices))];
    const auto per_second = static_cast<unsigned>(below(4));
    const Millis window = windows[below(std::size(windows))];
    model_.configure(price, per_second, window);
    return {.ratio = 1.0 / price, .per_second = per_second, .window = window};
  }

  void step() {
    const auto choice = below(100);
    if (choice < 30) {
      for (auto arrivals = below(12); arrivals > 0; --arrivals) {
        budget_.arrived(now_);
        model_.arrived(now_);
      }
    } else if (choice < 65) {
      try_repeat();
    } else if (choice < 75) {
      budget_.arrival_over();
      model_.arrivals = std::max<std::int64_t>(model_.arrivals - 1, 0);
    } else if (choice < 88) {
      budget_.repeat_over();
      model_.repeats = std::max<std::int64_t>(model_.repeats - 1, 0);
    } else if (choice < 98) {
      constexpr std::uint64_t spans[] = {1, 1'000'000, 100'000'000, 1'000'000'000, 12'000'000'000};
      now_ += nanoseconds(below(spans[below(std::size(spans))]) + 1);
      if (below(10) == 0) now_ -= nanoseconds(below(2'000'000));
    } else {
      budget_.configure(reload());
    }
    agree(budget_.repeats_left(now_) == model_.left(now_));
    agree(budget_.active() == static_cast<std::uint64_t>(model_.arrivals + model_.repeats));
    agree(budget_.active_repeats() == static_cast<std::uint64_t>(model_.repeats));
    agree(budget_.denied() == denied_);
  }

  void try_repeat() {
    const bool expected = model_.try_repeat(now_);
    agree(budget_.try_repeat(now_) == expected);
    ++(expected ? tally_.allowed : tally_.denied);
    if (!expected) ++denied_;
  }

  void agree(bool holds) { agreed_ = agreed_ && holds; }

  std::mt19937_64& random_;
  Tally& tally_;
  SteadyTime now_ = SteadyTime{} + std::chrono::hours(5) + nanoseconds(1);
  Model model_;
  RetryBudget budget_;
  std::uint64_t denied_ = 0;
  bool agreed_ = true;
};

class RetryBudgetModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RetryBudgetModel, agrees_over_random_sequences) {
  constexpr std::uint64_t sequences = 40'000;
  std::mt19937_64 random(GetParam());
  Tally tally;
  for (std::uint64_t i = 0; i < sequences; ++i) ASSERT_TRUE(Life(random, tally).live()) << "sequence " << i;
  EXPECT_GT(tally.allowed, sequences) << "the sequences have to reach what they are to test";
  EXPECT_GT(tally.denied, sequences);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RetryBudgetModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
