#include "tollgate/policy/thought_store.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::policy {
namespace {

protocol::Thoughts thoughts(std::vector<std::string> calls, std::string blocks) {
  return {std::move(calls), std::move(blocks)};
}

TEST(ThoughtStore, finds_a_turn_by_any_of_its_calls_and_for_its_owner_only) {
  ThoughtStore store(1000);
  store.keep("acme", thoughts({"call_1", "call_2"}, "{b}"));
  EXPECT_EQ(store.find("acme", "call_1"), "{b}");
  EXPECT_EQ(store.find("acme", "call_2"), "{b}");
  EXPECT_EQ(store.find("globex", "call_1"), "");
  EXPECT_EQ(store.find("acm", "ecall_1"), "");
}

TEST(ThoughtStore, forgets_what_was_not_asked_for_the_longest) {
  const std::size_t each = std::string("t").size() + 1 + std::string("a").size() + 100;
  ThoughtStore store(2 * each);
  store.keep("t", thoughts({"a"}, std::string(100, '1')));
  store.keep("t", thoughts({"b"}, std::string(100, '2')));
  EXPECT_NE(store.find("t", "a"), "");
  store.keep("t", thoughts({"c"}, std::string(100, '3')));
  EXPECT_NE(store.find("t", "a"), "");
  EXPECT_EQ(store.find("t", "b"), "");
  EXPECT_NE(store.find("t", "c"), "");
  EXPECT_EQ(store.bytes(), 2 * each);
}

TEST(ThoughtStore, lets_a_newer_turn_stand_for_an_id_that_comes_again) {
  ThoughtStore store(1000);
  store.keep("t", thoughts({"a", "b"}, "old"));
  store.keep("t", thoughts({"b"}, "new"));
  EXPECT_EQ(store.find("t", "b"), "new");
  EXPECT_EQ(store.find("t", "a"), "");
  EXPECT_EQ(store.bytes(), std::string("t?b").size() + std::string("new").size());
}

TEST(ThoughtStore, keeps_nothing_that_is_larger_than_itself_or_cannot_be_found_again) {
  ThoughtStore store(50);
  store.keep("t", thoughts({"a"}, std::string(60, 'x')));
  store.keep("t", thoughts({}, "x"));
  EXPECT_EQ(store.bytes(), 0U);
  store.keep("t", thoughts({"a", "a"}, "twice"));
  EXPECT_EQ(store.find("t", "a"), "twice");
}

}  // namespace
}  // namespace tollgate::policy
