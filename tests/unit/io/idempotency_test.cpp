// The hub for Idempotency-Keys: who leads, who waits, what is remembered, and for how long. What must hold in memory
// and with a store alike stands here.
#include "idempotency_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tollgate::io::test {
namespace {

/// Both kinds of hub: what memory alone and what a store behind it must do alike.
class Hub : public testing::TestWithParam<bool> {
 protected:
  void work() {
    if (store) store->work();
  }
  PlayedStore* store = GetParam() ? new PlayedStore : nullptr;
  IdempotencyHub hub{std::unique_ptr<AnswerStore>(store)};
};

INSTANTIATE_TEST_SUITE_P(InMemoryAndWithAStore, Hub, testing::Bool(),
                         [](const auto& info) { return info.param ? "WithAStore" : "InMemory"; });

TEST_P(Hub, lets_one_lead_and_gives_its_answer_to_all_who_wait) {
  Asker first(hub, "b"), second(hub, "b"), third(hub, "b");
  work();
  EXPECT_EQ(first.turn(), Turn::lead);
  EXPECT_FALSE(first.told->front().waited);
  EXPECT_TRUE(second.waits());
  first.seat->finish(answer_of("hello"));
  for (const Asker* asker : {&second, &third}) {
    EXPECT_EQ(asker->turn(), Turn::replay);
    EXPECT_EQ(asker->body(), "hello");
    EXPECT_TRUE(asker->told->front().waited);
  }
  EXPECT_EQ(first.told->size(), 1u);
}

TEST_P(Hub, gives_the_answer_again_to_those_who_come_later) {
  {
    Asker first(hub, "b");
    work();
    first.seat->finish(answer_of("hello"));
  }
  work();
  Asker later(hub, "b", noon + std::chrono::hours(24));
  work();
  EXPECT_EQ(later.turn(), Turn::replay);
  EXPECT_EQ(*later.told->front().answer, *answer_of("hello"));
  EXPECT_FALSE(later.told->front().waited);
}

TEST_P(Hub, forgets_an_answer_after_a_day) {
  Asker first(hub, "b");
  work();
  first.seat->finish(answer_of("hello"));
  Asker later(hub, "other", noon + std::chrono::hours(24) + Millis(1));
  work();
  EXPECT_EQ(later.turn(), Turn::lead);
}

TEST_P(Hub, takes_a_key_for_one_body_only) {
  Asker first(hub, "b");
  Asker early(hub, "other");
  work();
  Asker meanwhile(hub, "other");
  first.seat->finish(answer_of("hello"));
  Asker after(hub, "other");
  work();
  EXPECT_EQ(first.turn(), Turn::lead);
  for (const Asker* asker : {&early, &meanwhile, &after}) EXPECT_EQ(asker->turn(), Turn::conflict);
}

TEST_P(Hub, keeps_scopes_and_keys_apart) {
  Asker one(hub, "b", noon, "k", "acme"), two(hub, "b", noon, "k", "other"), three(hub, "b", noon, "k2", "acme"),
      four(hub, "b", noon, "k", "");
  work();
  for (const Asker* asker : {&one, &two, &three, &four}) EXPECT_EQ(asker->turn(), Turn::lead);
}

TEST_P(Hub, lets_the_next_one_lead_where_the_leader_gives_up_and_one_at_a_time) {
  Asker first(hub, "b"), second(hub, "b"), third(hub, "b");
  work();
  first.leave();
  work();
  EXPECT_EQ(second.turn(), Turn::lead);
  EXPECT_TRUE(second.told->front().waited);
  EXPECT_TRUE(third.waits());
  second.leave();
  work();
  EXPECT_EQ(third.turn(), Turn::lead);
  third.leave();
  work();
  Asker with_another_body(hub, "other");
  work();
  EXPECT_EQ(with_another_body.turn(), Turn::lead) << "nobody got an answer, so the key is free again";
}

TEST_P(Hub, forgets_who_leaves_while_it_waits) {
  Asker first(hub, "b"), second(hub, "b"), third(hub, "b");
  work();
  second.leave();
  first.leave();
  work();
  EXPECT_TRUE(second.waits());
  EXPECT_EQ(third.turn(), Turn::lead);
}

TEST_P(Hub, gives_the_lead_on_where_the_leader_leaves_before_it_knows) {
  Asker first(hub, "b");
  Asker second(hub, "b");
  first.leave();
  work();
  EXPECT_EQ(second.turn(), Turn::lead);
}

TEST_P(Hub, remembers_that_there_was_an_answer_that_is_too_long) {
  Asker first(hub, "b"), second(hub, "b");
  work();
  first.seat->finish(nullptr);
  work();
  Asker later(hub, "b"), other(hub, "other");
  work();
  EXPECT_EQ(second.turn(), Turn::not_kept);
  EXPECT_EQ(later.turn(), Turn::not_kept);
  EXPECT_EQ(other.turn(), Turn::conflict);
}

TEST_P(Hub, holds_a_long_row_of_requests_in_a_bounded_memory) {
  PlayedStore* const behind = GetParam() ? new PlayedStore : nullptr;
  constexpr std::size_t limit = 100'000;
  IdempotencyHub small(std::unique_ptr<AnswerStore>(behind), limit);
  for (int i = 0; i < 500; ++i) {
    Asker asker(small, "b", noon, std::to_string(i));
    if (behind) behind->work();
    asker.seat->finish(answer_of(std::string(5000, 'x')));
    if (behind) behind->work();
    ASSERT_LE(small.memory_used(), limit);
  }
  Asker last(small, "b", noon, "499"), middle(small, "b", noon, "480"), first(small, "b", noon, "0");
  if (behind) behind->work();
  EXPECT_EQ(last.turn(), Turn::replay);
  // Memory alone knows of the middle one only that it was answered, and nothing of the first.
  EXPECT_EQ(middle.turn(), behind ? Turn::replay : Turn::not_kept);
  EXPECT_EQ(first.turn(), behind ? Turn::replay : Turn::lead);
}

TEST_P(Hub, gives_back_the_memory_of_what_is_older_than_a_day) {
  std::vector<Asker> askers;
  for (int i = 0; i < 10; ++i) {
    Asker asker(hub, "b", noon + std::chrono::hours(i), std::to_string(i));
    work();
    asker.seat->finish(answer_of("hello"));
    work();
  }
  const std::size_t all = hub.memory_used();
  hub.forget_old(noon + std::chrono::hours(24 + 5));
  EXPECT_EQ(hub.memory_used(), all / 2);
  hub.forget_old(noon + std::chrono::hours(48));
  EXPECT_EQ(hub.memory_used(), 0u);
  if (store) {
    EXPECT_EQ(store->forgotten_before, noon + std::chrono::hours(24));
  }
}

TEST(HubOfManyThreads, lets_one_lead_at_a_time_until_there_is_an_answer) {
  IdempotencyHub hub(nullptr);
  std::atomic<int> leading = 0, most = 0, failures = 3, answered = 0;
  const auto ask = [&] {
    std::atomic<int> told = -1;
    const Seat seat = hub.claim({"acme", sha256("k"), sha256("b"), noon},
                                [&told](const Verdict& verdict) { told = static_cast<int>(verdict.turn); });
    while (told < 0) std::this_thread::yield();
    if (told == static_cast<int>(Turn::replay)) ++answered;
    if (told != static_cast<int>(Turn::lead)) return;
    most = std::max(most.load(), ++leading);
    --leading;
    if (failures-- <= 0) seat->finish(answer_of("hello"));
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(ask);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(answered, 8 - 4);
}

}  // namespace
}  // namespace tollgate::io::test
