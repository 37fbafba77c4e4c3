// The places at a target and the queue before them: who gets one, and that none is ever lost, whatever those do who
// wait for it.
#include "tollgate/pipeline/places.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace tollgate::pipeline {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(5);

/// A worker that does what was posted to it when it is told to.
class Later final : public Waker {
 public:
  void post(std::function<void()> action) override { actions_.push_back(std::move(action)); }
  void run() {
    for (auto& action : std::exchange(actions_, {})) action();
  }

 private:
  std::vector<std::function<void()>> actions_;
};

class PlacesTest : public testing::Test {
 protected:
  std::unique_ptr<Places::Turn> wait(Places& places, std::uint64_t tenant = 1,
                                     policy::Priority priority = policy::Priority::normal) {
    return places.wait(tenant, priority, start + std::chrono::seconds(1), start, waker_, point_);
  }
  bool was_signalled() {
    waker_.run();
    if (!point_.wait().await_ready()) return false;
    return point_.wait().await_resume().has(Signal::answered);
  }
  WaitPoint point_;
  Later waker_;
};

TEST_F(PlacesTest, are_as_many_as_the_limit_says) {
  Places places({.limit = 2});
  EXPECT_TRUE(places.try_take(start));
  EXPECT_TRUE(places.try_take(start));
  EXPECT_FALSE(places.try_take(start));
  places.give_back(start);
  EXPECT_TRUE(places.try_take(start));
}

TEST_F(PlacesTest, go_to_whoever_has_waited_and_not_to_whoever_comes_then) {
  Places places({.limit = 1});
  ASSERT_TRUE(places.try_take(start));
  const auto turn = wait(places);
  ASSERT_TRUE(turn);
  EXPECT_FALSE(turn->take());
  EXPECT_FALSE(was_signalled());
  places.give_back(start);
  EXPECT_FALSE(places.try_take(start)) << "it was given away";
  EXPECT_TRUE(was_signalled());
  EXPECT_TRUE(turn->take());
  EXPECT_FALSE(turn->take()) << "once";
  EXPECT_EQ(places.view().in_flight, 1u);
}

TEST_F(PlacesTest, turn_away_who_finds_the_queue_full) {
  Places places({.limit = 1, .queue = 1});
  ASSERT_TRUE(places.try_take(start));
  const auto turn = wait(places);
  EXPECT_TRUE(turn);
  EXPECT_FALSE(wait(places));
  Places nobody({.limit = 1, .queue = 0});
  ASSERT_TRUE(nobody.try_take(start));
  EXPECT_FALSE(wait(nobody));
}

TEST_F(PlacesTest, are_not_lost_with_those_who_give_up) {
  Places places({.limit = 1});
  ASSERT_TRUE(places.try_take(start));
  auto waits = wait(places), was_given = wait(places), next = wait(places);
  waits.reset();
  places.give_back(start);
  was_given.reset();  // before it was told
  waker_.run();
  EXPECT_TRUE(next->take()) << "what one gives up the next one gets";
  next.reset();
  places.give_back(start);
  EXPECT_TRUE(places.try_take(start));
  EXPECT_EQ(places.view().waiting, 0u);
}

TEST_F(PlacesTest, do_not_go_to_those_whose_time_is_over) {
  Places places({.limit = 1});
  ASSERT_TRUE(places.try_take(start));
  const auto late = wait(places);
  places.give_back(start + std::chrono::seconds(2));
  EXPECT_FALSE(late->take());
  EXPECT_TRUE(places.try_take(start + std::chrono::seconds(2)));
}

TEST_F(PlacesTest, come_free_at_once_where_the_limit_is_raised) {
  Places places({.limit = 1});
  ASSERT_TRUE(places.try_take(start));
  const auto turn = wait(places);
  places.configure({.limit = 2}, start);
  EXPECT_TRUE(turn->take());
}

TEST_F(PlacesTest, become_fewer_where_the_target_has_too_much_and_more_where_it_answers) {
  Places places({.limit = 10, .adaptive = true});
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(places.try_take(start));
  places.overloaded(Millis(10), start);
  EXPECT_EQ(places.view().limit, 9u);
  places.overloaded(Millis(10), start + Millis(5));
  EXPECT_EQ(places.view().limit, 9u) << "it speaks of the limit before";
  places.overloaded(Millis(10), start + Millis(20));
  EXPECT_EQ(places.view().limit, 8u);
  EXPECT_FALSE(places.try_take(start));
  for (int i = 0; i < 40; ++i) places.answered();
  EXPECT_EQ(places.view().limit, 10u);
}

TEST_F(PlacesTest, are_shared_by_high_priority_before_low) {
  Places places({.limit = 1});
  ASSERT_TRUE(places.try_take(start));
  const auto low = wait(places, 1, policy::Priority::low);
  const auto high = wait(places, 2, policy::Priority::high);
  places.give_back(start);
  EXPECT_FALSE(low->take());
  EXPECT_TRUE(high->take());
}

TEST(PlacesOfManyThreads, are_never_more_than_the_limit_and_all_there_in_the_end) {
  Places places({.limit = 3, .queue = 100});
  std::atomic<int> inside{0}, most{0}, served{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&, i] {
      Later unused;
      WaitPoint point;
      for (int round = 0; round < 2'000; ++round) {
        bool has_place = places.try_take(start);
        if (!has_place) {
          const auto turn = places.wait(static_cast<std::uint64_t>(i), policy::Priority::normal,
                                        start + std::chrono::hours(1), start, unused, point);
          // One in three gives up at once, given a place or not.
          if (turn && round % 3 != 0) has_place = turn->take();
        }
        if (!has_place) continue;
        const int now = ++inside;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        ++served;
        --inside;
        places.give_back(start);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_LE(most, 3);
  EXPECT_GT(served, 0);
  EXPECT_EQ(places.view().in_flight, 0u);
  EXPECT_EQ(places.view().waiting, 0u);
}

}  // namespace
}  // namespace tollgate::pipeline
