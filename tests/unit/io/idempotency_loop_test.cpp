// What a request on a loop sees of the hub: its verdict comes by a post, to its WaitPoint, as long as it is there.
#include "tollgate/base/task.hpp"
#include "tollgate/io/idempotency.hpp"
#include "tollgate/io/loop.hpp"

#include <gtest/gtest.h>

namespace tollgate::io {
namespace {

using pipeline::Turn;

/// Counts what it is woken for.
struct Sleeper {
  Sleeper() {
    detach([](Sleeper& self) -> Task<void> {
      while (self.woken < 2) {
        const auto arrived = co_await self.point.wait();
        if (arrived.has(Signal::stop)) co_return;
        if (arrived.has(Signal::answered)) ++self.woken;
      }
    }(*this));
  }
  ~Sleeper() { point.signal(Signal::stop); }
  WaitPoint point;
  int woken = 0;
};

/// Runs what has been posted to the loop so far. Once.
void run_posted(Loop& loop) {
  loop.post([&loop] { loop.stop(); });
  loop.run();
}

pipeline::IdempotentRequest request() { return {"", sha256("k"), sha256("b"), SystemTime{}}; }

TEST(HubOnALoop, signals_each_verdict_on_the_loop_of_its_request) {
  IdempotencyHub hub(nullptr);
  Loop one(1), other(2);
  const auto here = hub.on(one), there = hub.on(other);
  Sleeper leader, waiter;
  const auto led = here->claim(request(), leader.point);
  const auto waited = there->claim(request(), waiter.point);
  EXPECT_EQ(led->verdict(), nullptr);
  run_posted(one);
  ASSERT_EQ(leader.woken, 1);
  EXPECT_EQ(led->verdict()->turn, Turn::lead);
  EXPECT_EQ(waited->verdict(), nullptr);
  led->finish(std::make_shared<const pipeline::KeptAnswer>(pipeline::KeptAnswer{200, "", "hello"}));
  EXPECT_EQ(waited->verdict(), nullptr) << "told on a foreign thread";
  run_posted(other);
  ASSERT_EQ(waiter.woken, 1);
  EXPECT_EQ(waited->verdict()->answer->body, "hello");
}

TEST(HubOnALoop, leaves_a_request_alone_that_is_gone_when_its_verdict_comes) {
  IdempotencyHub hub(nullptr);
  Loop one(1), other(2);
  const auto here = hub.on(one), there = hub.on(other);
  Sleeper gone, next;
  auto claim = here->claim(request(), gone.point);
  const auto second = there->claim(request(), next.point);
  claim.reset();
  run_posted(one);
  EXPECT_EQ(gone.woken, 0);
  run_posted(other);
  ASSERT_EQ(next.woken, 1) << "the lead went to somebody who had left";
  EXPECT_EQ(second->verdict()->turn, Turn::lead);
}

}  // namespace
}  // namespace tollgate::io
