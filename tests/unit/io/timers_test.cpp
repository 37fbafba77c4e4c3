// The timer wheel on a real event loop: order, moving, clearing, and timers that are destroyed by the one that fires
// beside them.
#include "tollgate/io/timers.hpp"

#include "tollgate/base/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace tollgate::io {
namespace {

using boost::asio::io_context;

/// Counts the signals at a point of its own.
struct Waiter {
  explicit Waiter(Timers& timers) : timer(timers, point) {}
  void listen() {
    detach([](Waiter& self) -> Task<void> {
      for (;;) {
        co_await self.point.wait();
        self.fired_at.push_back(std::chrono::steady_clock::now());
        if (self.on_fire) self.on_fire();
        if (self.last) co_return;
      }
    }(*this));
  }
  WaitPoint point;
  Timer timer;
  std::vector<SteadyTime> fired_at;
  std::function<void()> on_fire;
  bool last = true;
};

TEST(Timers, fires_once_and_never_early) {
  io_context context(1);
  Timers timers(context);
  Waiter waiter(timers);
  waiter.listen();
  const SteadyTime due = std::chrono::steady_clock::now() + Millis(35);
  waiter.timer.set(due);
  context.run();
  ASSERT_EQ(waiter.fired_at.size(), 1u);
  EXPECT_GE(waiter.fired_at[0], due);
}

TEST(Timers, fires_in_the_order_of_time_whatever_the_order_of_setting) {
  io_context context(1);
  Timers timers(context);
  Waiter first(timers), second(timers), third(timers);
  for (Waiter* waiter : {&first, &second, &third}) waiter->listen();
  const SteadyTime now = std::chrono::steady_clock::now();
  third.timer.set(now + Millis(90));
  first.timer.set(now + Millis(20));
  second.timer.set(now + Millis(50));
  context.run();
  EXPECT_LT(first.fired_at.at(0), second.fired_at.at(0));
  EXPECT_LT(second.fired_at.at(0), third.fired_at.at(0));
}

TEST(Timers, a_timer_moved_to_later_does_not_fire_at_its_old_time) {
  io_context context(1);
  Timers timers(context);
  Waiter waiter(timers);
  waiter.listen();
  const SteadyTime now = std::chrono::steady_clock::now();
  waiter.timer.set(now + Millis(20));
  waiter.timer.set(now + Millis(80));
  context.run();
  ASSERT_EQ(waiter.fired_at.size(), 1u);
  EXPECT_GE(waiter.fired_at[0], now + Millis(80));
}

TEST(Timers, a_timer_moved_to_earlier_fires_then) {
  io_context context(1);
  Timers timers(context);
  Waiter moved(timers), later(timers);
  moved.listen();
  later.listen();
  const SteadyTime now = std::chrono::steady_clock::now();
  moved.timer.set(now + std::chrono::hours(1));
  later.timer.set(now + Millis(150));
  moved.timer.set(now + Millis(20));
  context.run_one_until(now + Millis(10'000));
  while (moved.fired_at.empty()) context.run_one();
  EXPECT_TRUE(later.fired_at.empty());
  later.point.signal(Signal::timer);  // lets its coroutine end
}

TEST(Timers, a_cleared_timer_does_not_fire) {
  io_context context(1);
  Timers timers(context);
  Waiter cleared(timers), other(timers);
  other.listen();
  const SteadyTime now = std::chrono::steady_clock::now();
  cleared.timer.set(now + Millis(20));
  cleared.timer.clear();
  other.timer.set(now + Millis(60));
  context.run();
  EXPECT_TRUE(cleared.fired_at.empty());
  EXPECT_EQ(other.fired_at.size(), 1u);
}

TEST(Timers, what_fires_may_destroy_and_set_other_timers_of_the_same_moment) {
  io_context context(1);
  Timers timers(context);
  auto victim = std::make_unique<Waiter>(timers);
  Waiter killer(timers), late(timers);
  const SteadyTime due = std::chrono::steady_clock::now() + Millis(25);
  killer.on_fire = [&] {
    victim.reset();
    late.timer.set(due);
  };
  killer.listen();
  late.listen();
  killer.timer.set(due);
  victim->timer.set(due);
  context.run();
  EXPECT_EQ(killer.fired_at.size(), 1u);
  EXPECT_EQ(late.fired_at.size(), 1u);
}

TEST(Timers, a_time_beyond_the_wheels_horizon_is_kept_not_shortened) {
  io_context context(1);
  Timers timers(context);
  Waiter far(timers), near(timers);
  near.listen();
  const SteadyTime now = std::chrono::steady_clock::now();
  far.timer.set(now + std::chrono::minutes(10));
  near.timer.set(now + Millis(30));
  while (near.fired_at.empty()) context.run_one();
  EXPECT_TRUE(far.fired_at.empty());
  EXPECT_EQ(far.timer.deadline(), now + std::chrono::minutes(10));
}

}  // namespace
}  // namespace tollgate::io
