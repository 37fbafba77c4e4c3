#include "tollgate/base/task.hpp"

#include "tollgate/base/wait_point.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace tollgate {
namespace {

Task<int> answer() { co_return 42; }
Task<int> doubled() { co_return 2 * co_await answer(); }
Task<void> fails() {
  throw std::runtime_error("broken");
  co_return;
}

TEST(Task, gives_its_result_to_the_one_who_awaits_it) {
  int got = 0;
  detach([](int& out) -> Task<void> { out = co_await doubled(); }(got));
  EXPECT_EQ(got, 84);
}

TEST(Task, carries_an_exception_to_the_one_who_awaits_it) {
  std::string caught;
  detach([](std::string& out) -> Task<void> {
    try {
      co_await fails();
    } catch (const std::runtime_error& error) {
      out = error.what();
    }
  }(caught));
  EXPECT_EQ(caught, "broken");
}

TEST(Task, does_not_run_before_it_is_awaited) {
  bool ran = false;
  {
    auto task = [](bool& flag) -> Task<void> {
      flag = true;
      co_return;
    }(ran);
  }
  EXPECT_FALSE(ran);
}

TEST(Task, a_long_chain_of_finished_tasks_needs_no_stack) {
  long sum = 0;
  detach([](long& out) -> Task<void> {
    for (int i = 0; i < 1'000'000; ++i) out += co_await answer();
  }(sum));
  EXPECT_EQ(sum, 42'000'000);
}

TEST(WaitPoint, takes_signals_that_came_before_the_wait) {
  WaitPoint point;
  bool timer = false, client = true;
  point.signal(Signal::timer);
  detach([](WaitPoint& p, bool& t, bool& c) -> Task<void> {
    const auto arrived = co_await p.wait();
    t = arrived.has(Signal::timer);
    c = arrived.has(Signal::client_readable);
  }(point, timer, client));
  EXPECT_TRUE(timer);
  EXPECT_FALSE(client);
}

TEST(WaitPoint, resumes_the_one_who_waits_and_forgets_the_signal) {
  WaitPoint point;
  int woken = 0;
  detach([](WaitPoint& p, int& count) -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      co_await p.wait();
      ++count;
    }
  }(point, woken));
  EXPECT_EQ(woken, 0);
  point.signal(Signal::timer);
  EXPECT_EQ(woken, 1);
  point.signal(Signal::timer);
  EXPECT_EQ(woken, 2);
}

}  // namespace
}  // namespace tollgate
