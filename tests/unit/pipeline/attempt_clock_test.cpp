#include "pipeline/attempt_clock.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline {
namespace {

constexpr SteadyTime start{std::chrono::hours(1)};

config::Timeouts timeouts() {
  config::Timeouts t;
  t.connect = Millis(5'000);
  t.first_token = Millis(60'000);
  t.idle = Millis(120'000);
  t.attempt = Millis(600'000);
  return t;
}

TEST(AttemptClock, connecting_is_bounded_by_its_own_timer) {
  const AttemptClock clock(timeouts(), start, never, true);
  const auto due = clock.next(Phase::connect);
  EXPECT_EQ(due.when, start + Millis(5'000));
  EXPECT_EQ(due.phase, Phase::connect);
}

TEST(AttemptClock, a_stream_waits_for_its_first_token_from_the_moment_it_is_connected) {
  AttemptClock clock(timeouts(), start, never, true);
  clock.connected(start + Millis(3'000));
  clock.connected(start + Millis(9'000));  // only the first counts
  const auto due = clock.next(Phase::first_byte);
  EXPECT_EQ(due.when, start + Millis(63'000));
  EXPECT_EQ(due.phase, Phase::first_token);
}

TEST(AttemptClock, a_plain_answer_may_take_the_whole_attempt_to_begin) {
  AttemptClock clock(timeouts(), start, never, false);
  clock.connected(start);
  EXPECT_EQ(clock.next(Phase::first_byte).when, start + Millis(600'000));
}

TEST(AttemptClock, bytes_that_are_no_content_do_not_stop_the_first_token_timer) {
  AttemptClock clock(timeouts(), start, never, true);
  clock.connected(start);
  clock.heard(start + Millis(50'000));
  EXPECT_EQ(clock.next(Phase::relay).phase, Phase::first_token);
  clock.content();
  const auto due = clock.next(Phase::relay);
  EXPECT_EQ(due.when, start + Millis(170'000));
  EXPECT_EQ(due.phase, Phase::relay);
}

TEST(AttemptClock, the_deadline_over_all_attempts_wins_when_it_is_nearer) {
  AttemptClock clock(timeouts(), start, start + Millis(1'000), true);
  const auto due = clock.next(Phase::connect);
  EXPECT_TRUE(due.deadline);
  EXPECT_EQ(due.when, start + Millis(1'000));
}

}  // namespace
}  // namespace tollgate::pipeline
