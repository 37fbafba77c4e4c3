// The timer wheel with the time passed in: order, moving, clearing, and timers that are destroyed by the one that fires
// beside them.
#include "tollgate/io/timers.hpp"

#include "tollgate/base/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace tollgate::io {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(5) + std::chrono::microseconds(1234);

/// Lets time pass as a loop does that sleeps until there is something to do. The last moment is `end`.
SteadyTime moment;
void pass_time(Timers& timers, SteadyTime end) {
  while (timers.next() <= end) {
    moment = timers.next();
    timers.fire(moment);
  }
  moment = end;
  timers.fire(end);
}

/// Counts the signals at a point of its own.
struct Waiter {
  explicit Waiter(Timers& timers) : timer(timers, point) {}
  void listen() {
    detach([](Waiter& self) -> Task<void> {
      for (;;) {
        co_await self.point.wait();
        self.fired_at.push_back(moment);
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
  Timers timers(start);
  Waiter waiter(timers);
  waiter.listen();
  const SteadyTime due = start + Millis(35);
  waiter.timer.set(due);
  pass_time(timers, start + std::chrono::seconds(1));
  ASSERT_EQ(waiter.fired_at.size(), 1u);
  EXPECT_GE(waiter.fired_at[0], due);
}

TEST(Timers, fires_in_the_order_of_time_whatever_the_order_of_setting) {
  Timers timers(start);
  Waiter first(timers), second(timers), third(timers);
  for (Waiter* waiter : {&first, &second, &third}) waiter->listen();
  third.timer.set(start + Millis(90));
  first.timer.set(start + Millis(20));
  second.timer.set(start + Millis(50));
  pass_time(timers, start + std::chrono::seconds(1));
  EXPECT_LT(first.fired_at.at(0), second.fired_at.at(0));
  EXPECT_LT(second.fired_at.at(0), third.fired_at.at(0));
}

TEST(Timers, a_timer_moved_to_later_does_not_fire_at_its_old_time) {
  Timers timers(start);
  Waiter waiter(timers);
  waiter.listen();
  waiter.timer.set(start + Millis(20));
  waiter.timer.set(start + Millis(80));
  pass_time(timers, start + std::chrono::seconds(1));
  ASSERT_EQ(waiter.fired_at.size(), 1u);
  EXPECT_GE(waiter.fired_at[0], start + Millis(80));
}

TEST(Timers, a_timer_moved_to_earlier_fires_then) {
  Timers timers(start);
  Waiter moved(timers), later(timers);
  moved.listen();
  later.listen();
  moved.timer.set(start + std::chrono::hours(1));
  later.timer.set(start + Millis(150));
  moved.timer.set(start + Millis(20));
  pass_time(timers, start + Millis(40));
  EXPECT_EQ(moved.fired_at.size(), 1u);
  EXPECT_TRUE(later.fired_at.empty());
  later.point.signal(Signal::timer);  // lets its coroutine end
}

TEST(Timers, a_cleared_timer_does_not_fire) {
  Timers timers(start);
  Waiter cleared(timers), other(timers);
  other.listen();
  cleared.timer.set(start + Millis(20));
  cleared.timer.clear();
  other.timer.set(start + Millis(60));
  pass_time(timers, start + std::chrono::seconds(1));
  EXPECT_TRUE(cleared.fired_at.empty());
  EXPECT_EQ(other.fired_at.size(), 1u);
}

TEST(Timers, what_fires_may_destroy_and_set_other_timers_of_the_same_moment) {
  Timers timers(start);
  auto victim = std::make_unique<Waiter>(timers);
  Waiter killer(timers), late(timers);
  const SteadyTime due = start + Millis(25);
  killer.on_fire = [&] {
    victim.reset();
    late.timer.set(due);
  };
  killer.listen();
  late.listen();
  killer.timer.set(due);
  victim->timer.set(due);
  pass_time(timers, start + std::chrono::seconds(1));
  EXPECT_EQ(killer.fired_at.size(), 1u);
  EXPECT_EQ(late.fired_at.size(), 1u);
}

TEST(Timers, a_time_beyond_the_wheels_horizon_is_kept_not_shortened) {
  Timers timers(start);
  Waiter far(timers), near(timers);
  near.listen();
  far.timer.set(start + std::chrono::minutes(10));
  near.timer.set(start + Millis(30));
  pass_time(timers, start + std::chrono::minutes(9));
  EXPECT_EQ(near.fired_at.size(), 1u);
  EXPECT_TRUE(far.fired_at.empty());
  EXPECT_EQ(far.timer.deadline(), start + std::chrono::minutes(10));
  far.listen();
  pass_time(timers, start + std::chrono::minutes(11));
  ASSERT_EQ(far.fired_at.size(), 1u);
  EXPECT_GE(far.fired_at[0], start + std::chrono::minutes(10));
  EXPECT_LT(far.fired_at[0], start + std::chrono::minutes(10) + Millis(20));
}

TEST(Timers, say_when_to_look_next) {
  Timers timers(start);
  EXPECT_EQ(timers.next(), never);
  Waiter waiter(timers);
  waiter.timer.set(start + Millis(25));
  EXPECT_GE(timers.next(), start + Millis(25));
  EXPECT_LT(timers.next(), start + Millis(36));
}

TEST(Delay, calls_once_and_can_be_set_again_by_its_own_action) {
  Timers timers(start);
  Delay delay(timers);
  int calls = 0;
  std::function<void()> action = [&] {
    if (++calls < 3) delay.at(moment + Millis(100), action);
  };
  delay.at(start + Millis(100), action);
  pass_time(timers, start + Millis(150));
  EXPECT_EQ(calls, 1);
  pass_time(timers, start + std::chrono::seconds(5));
  EXPECT_EQ(calls, 3);
}

TEST(Delay, that_is_cleared_does_not_call) {
  Timers timers(start);
  Delay delay(timers);
  int calls = 0;
  delay.at(start + Millis(100), [&] { ++calls; });
  delay.clear();
  pass_time(timers, start + std::chrono::seconds(5));
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace tollgate::io
