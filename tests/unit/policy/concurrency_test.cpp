// The limit of a target by example, under threads, and in random lives against a second telling that keeps a list of
// all that happened.
#include "tollgate/policy/concurrency.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace tollgate::policy {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(7);
constexpr Micros round_trip = Millis(200);

ConcurrencySettings fixed(std::uint64_t limit) { return {.limit = limit, .adaptive = false}; }
ConcurrencySettings adaptive(std::uint64_t limit) { return {.limit = limit, .adaptive = true}; }

TEST(Concurrency, gives_as_many_places_as_the_limit_and_takes_them_back) {
  Concurrency concurrency(fixed(2));
  EXPECT_TRUE(concurrency.try_begin());
  EXPECT_TRUE(concurrency.try_begin());
  EXPECT_FALSE(concurrency.try_begin());
  EXPECT_EQ(concurrency.in_flight(), 2u);
  concurrency.end();
  EXPECT_TRUE(concurrency.try_begin());
}

TEST(Concurrency, never_counts_below_nothing) {
  Concurrency concurrency(fixed(1));
  concurrency.end();
  EXPECT_TRUE(concurrency.try_begin());
  EXPECT_FALSE(concurrency.try_begin());
}

TEST(Concurrency, lets_one_through_where_the_limit_is_none) {
  Concurrency concurrency(fixed(0));
  EXPECT_TRUE(concurrency.try_begin());
  EXPECT_FALSE(concurrency.try_begin());
}

TEST(Concurrency, keeps_a_fixed_limit_whatever_happens) {
  Concurrency concurrency(fixed(100));
  concurrency.on_overload(round_trip, start);
  concurrency.on_success(100);
  EXPECT_EQ(concurrency.limit(), 100u);
}

TEST(Concurrency, falls_to_nine_tenths_once_per_round_trip) {
  Concurrency concurrency(adaptive(100));
  for (int i = 0; i < 50; ++i) concurrency.on_overload(round_trip, start + Millis(i));
  EXPECT_EQ(concurrency.limit(), 90u);
  concurrency.on_overload(round_trip, start + round_trip);
  EXPECT_EQ(concurrency.limit(), 81u);
}

TEST(Concurrency, never_falls_below_four_nor_below_what_is_configured) {
  for (const auto& [most, least] : {std::pair{100u, 4u}, std::pair{3u, 3u}}) {
    Concurrency concurrency(adaptive(most));
    for (int i = 0; i < 100; ++i) concurrency.on_overload(round_trip, start + i * round_trip);
    EXPECT_EQ(concurrency.limit(), least);
  }
}

TEST(Concurrency, grows_by_one_for_each_limit_of_answers_up_to_what_is_configured) {
  Concurrency concurrency(adaptive(12));
  for (int i = 0; i < 20; ++i) concurrency.on_overload(round_trip, start + i * round_trip);
  ASSERT_EQ(concurrency.limit(), 4u);
  for (int i = 0; i < 4; ++i) concurrency.on_success(4);
  EXPECT_EQ(concurrency.limit(), 4u) << "1/4 + 1/4.25 + ... is a little less than one";
  concurrency.on_success(4);
  EXPECT_EQ(concurrency.limit(), 5u);
  for (int i = 0; i < 1000; ++i) concurrency.on_success(12);
  EXPECT_EQ(concurrency.limit(), 12u);
}

TEST(Concurrency, does_not_grow_by_answers_that_did_not_need_it) {
  Concurrency concurrency(adaptive(100));
  concurrency.on_overload(round_trip, start);
  for (int i = 0; i < 1000; ++i) concurrency.on_success(44);
  EXPECT_EQ(concurrency.limit(), 90u);
  for (int i = 0; i < 100; ++i) concurrency.on_success(46);
  EXPECT_EQ(concurrency.limit(), 91u);
}

TEST(Concurrency, lets_a_lower_limit_take_effect_while_more_are_in_flight) {
  Concurrency concurrency(fixed(10));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(concurrency.try_begin());
  concurrency.configure(fixed(5));
  for (int i = 0; i < 5; ++i) concurrency.end();
  EXPECT_FALSE(concurrency.try_begin());
  concurrency.end();
  EXPECT_TRUE(concurrency.try_begin());
}

TEST(Concurrency, keeps_what_it_found_over_a_reload_and_takes_the_new_most_where_it_found_nothing) {
  Concurrency found(adaptive(100));
  found.on_overload(round_trip, start);
  found.configure(adaptive(200));
  EXPECT_EQ(found.limit(), 90u);
  found.configure(adaptive(50));
  EXPECT_EQ(found.limit(), 50u);
  found.configure(fixed(70));
  EXPECT_EQ(found.limit(), 70u);
  Concurrency untouched(adaptive(100));
  untouched.configure(adaptive(200));
  EXPECT_EQ(untouched.limit(), 200u);
}

TEST(Concurrency, never_gives_more_places_than_there_are_to_threads) {
  constexpr std::uint64_t limit = 3;
  Concurrency concurrency(fixed(limit));
  std::atomic<std::uint64_t> inside{0}, most{0}, entered{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        if (!concurrency.try_begin()) continue;
        const std::uint64_t seen = ++inside;
        for (std::uint64_t before = most; before < seen && !most.compare_exchange_weak(before, seen);) continue;
        ++entered;
        --inside;
        concurrency.end();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, limit);
  EXPECT_GT(entered, 0u);
  EXPECT_EQ(concurrency.in_flight(), 0u);
}

/// Keeps all events and works out the limit from the first one, whenever it is asked.
class Model {
 public:
  explicit Model(std::uint64_t most) : most_(static_cast<double>(most)) {}
  void success(std::uint64_t in_flight) { events_.push_back({true, in_flight, {}, {}}); }
  void overload(Micros trip, SteadyTime now) { events_.push_back({false, 0, trip, now}); }

  std::uint64_t limit() const {
    double limit = most_;
    std::optional<SteadyTime> fell;
    for (const Event& event : events_) {
      if (event.good && static_cast<double>(event.in_flight) * 2 >= limit) limit = std::min(most_, limit + 1 / limit);
      if (event.good || (fell && *fell + event.trip > event.at)) continue;
      limit = std::max(limit * 0.9, std::min(4.0, most_));
      fell = event.at;
    }
    return static_cast<std::uint64_t>(limit);
  }

 private:
  struct Event {
    bool good;
    std::uint64_t in_flight;
    Micros trip;
    SteadyTime at;
  };
  double most_;
  std::vector<Event> events_;
};

class ConcurrencyModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ConcurrencyModel, agrees_over_100000_random_sequences) {
  std::mt19937_64 random(GetParam());
  const auto below = [&random](std::uint64_t end) { return random() % end; };
  std::uint64_t falls = 0, refusals = 0;
  for (int sequence = 0; sequence < 100'000; ++sequence) {
    const std::uint64_t most = 1 + below(below(2) == 0 ? 8 : 100);
    Concurrency concurrency(adaptive(most));
    Model model(most);
    std::uint64_t in_flight = 0;
    SteadyTime now = start;
    for (std::uint64_t step = below(40); step > 0; --step) {
      const std::uint64_t choice = below(10);
      if (choice < 5) {
        const bool free = in_flight < model.limit();
        ASSERT_EQ(concurrency.try_begin(), free) << "sequence " << sequence;
        in_flight += free ? 1 : 0;
        refusals += free ? 0 : 1;
      } else if (choice < 8) {
        if (in_flight == 0) continue;
        if (below(3) != 0) {
          concurrency.on_success(in_flight);
          model.success(in_flight);
        }
        concurrency.end();
        --in_flight;
      } else if (choice < 9) {
        const Micros trip(below(1'000'000));
        const std::uint64_t before = concurrency.limit();
        concurrency.on_overload(trip, now);
        model.overload(trip, now);
        falls += concurrency.limit() < before ? 1 : 0;
      } else {
        now += Micros(below(500'000));
      }
      ASSERT_EQ(concurrency.limit(), model.limit()) << "sequence " << sequence;
      ASSERT_EQ(concurrency.in_flight(), in_flight);
      ASSERT_GE(concurrency.limit(), std::min<std::uint64_t>(4, most));
      ASSERT_LE(concurrency.limit(), most);
    }
  }
  EXPECT_GT(falls, 10'000u) << "the steps have to reach what they are to test";
  EXPECT_GT(refusals, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ConcurrencyModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
