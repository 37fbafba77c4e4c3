// The hub for Idempotency-Keys with a store behind it: what it asks it, when, and what it makes of a store that has
// gone or that an earlier process has left.
#include "idempotency_fixture.hpp"

#include <gtest/gtest.h>

namespace tollgate::io::test {
namespace {

class StoredHub : public testing::Test {
 protected:
  PlayedStore::Key id(const std::string& key = "k") const { return {"acme", sha256(key)}; }
  PlayedStore* store = new PlayedStore;
  IdempotencyHub hub{std::unique_ptr<AnswerStore>(store)};
};

TEST_F(StoredHub, lets_nobody_lead_before_the_claim_is_in_the_store) {
  Asker first(hub, "b");
  EXPECT_TRUE(first.waits());
  EXPECT_TRUE(store->rows.empty());
  store->work();
  EXPECT_EQ(first.turn(), Turn::lead);
  EXPECT_EQ(store->rows.at(id()).body, sha256("b"));
}

TEST_F(StoredHub, asks_the_store_once_for_all_who_come_at_once) {
  std::vector<Asker> askers;
  for (int i = 0; i < 100; ++i) askers.emplace_back(hub, "b");
  store->work();
  EXPECT_EQ(store->claims, 1);
}

TEST_F(StoredHub, gives_the_answer_of_an_earlier_process) {
  store->rows[id()] = {sha256("b"), noon, false, Answer{201, "A: b\r\n", "hello"}};
  Asker first(hub, "b"), second(hub, "b"), other(hub, "other");
  store->work();
  EXPECT_EQ(*first.told->front().answer, (KeptAnswer{201, "A: b\r\n", "hello"}));
  EXPECT_EQ(second.turn(), Turn::replay);
  EXPECT_EQ(other.turn(), Turn::conflict);
  EXPECT_EQ(hub.memory_used(), 0u);
}

TEST_F(StoredHub, refuses_what_an_earlier_process_did_not_finish) {
  store->rows[id()] = {sha256("b"), noon, false, {}};
  Asker first(hub, "b"), other(hub, "other"), second(hub, "b");
  store->work();
  EXPECT_EQ(first.turn(), Turn::interrupted);
  EXPECT_EQ(second.turn(), Turn::interrupted);
  EXPECT_EQ(other.turn(), Turn::conflict);
  EXPECT_EQ(store->rows.size(), 1u);
}

TEST_F(StoredHub, lets_those_with_the_stored_body_in_though_another_one_asked_first) {
  store->rows[id()] = {sha256("b"), noon, false, Answer{200, "", "hello"}};
  Asker other(hub, "other"), first(hub, "b");
  store->work();
  EXPECT_EQ(other.turn(), Turn::conflict);
  EXPECT_EQ(first.turn(), Turn::replay);
}

TEST_F(StoredHub, lets_another_body_in_where_the_one_that_asked_has_left) {
  Asker first(hub, "b"), other(hub, "other");
  first.leave();
  store->work();
  EXPECT_EQ(other.turn(), Turn::lead);
  EXPECT_EQ(store->rows.at(id()).body, sha256("other"));
}

TEST_F(StoredHub, sends_nothing_upstream_where_the_store_is_not_there) {
  store->broken = true;
  Asker first(hub, "b"), second(hub, "b");
  store->work();
  EXPECT_EQ(first.turn(), Turn::unavailable);
  EXPECT_EQ(second.turn(), Turn::unavailable);
  store->broken = false;
  Asker later(hub, "b");
  store->work();
  EXPECT_EQ(later.turn(), Turn::lead);
}

TEST_F(StoredHub, takes_up_again_what_it_gave_up_while_the_store_was_away) {
  Asker first(hub, "b");
  store->work();
  store->broken = true;
  first.leave();
  store->work();
  store->broken = false;
  Asker later(hub, "b");
  store->work();
  EXPECT_EQ(later.turn(), Turn::lead);
}

TEST_F(StoredHub, keeps_the_answers_that_the_store_could_not_take_and_brings_them_later) {
  Asker first(hub, "b"), second(hub, "b", noon, "k2");
  store->work();
  store->broken = true;
  first.seat->finish(answer_of("hello"));
  second.seat->finish(nullptr);
  store->work();
  Asker meanwhile(hub, "b"), too_long(hub, "b", noon, "k2");
  EXPECT_EQ(meanwhile.turn(), Turn::replay);
  EXPECT_EQ(too_long.turn(), Turn::not_kept);
  store->broken = false;
  hub.save_again();
  hub.save_again();
  EXPECT_EQ(store->jobs.size(), 2u) << "an answer on its way is not sent twice";
  store->work();
  EXPECT_EQ(store->rows.at(id()).answer->body, "hello");
  EXPECT_EQ(store->rows.at(id("k2")).answer->body, "");
  Asker later(hub, "b", noon, "k2");
  store->work();
  EXPECT_EQ(later.turn(), Turn::not_kept);
}

TEST_F(StoredHub, never_leads_again_after_an_answer_that_neither_memory_nor_store_could_hold) {
  PlayedStore* const behind = new PlayedStore;
  IdempotencyHub small(std::unique_ptr<AnswerStore>(behind), 20'000);
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 8; ++i) askers.push_back(std::make_unique<Asker>(small, "b", noon, std::to_string(i)));
  behind->work();
  behind->broken = true;
  for (const auto& asker : askers) asker->seat->finish(answer_of(std::string(5000, 'x')));
  behind->work();
  Asker first(small, "b", noon, "0"), last(small, "b", noon, "7");
  EXPECT_EQ(first.turn(), Turn::not_kept);
  EXPECT_EQ(last.turn(), Turn::replay);
  EXPECT_LE(small.memory_used(), 20'000u);
}

}  // namespace
}  // namespace tollgate::io::test
