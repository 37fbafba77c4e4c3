#include "tollgate/policy/key_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::policy {
namespace {

std::shared_ptr<const KnownKey> key_of(const std::string& text, const std::string& id) {
  auto known = std::make_shared<KnownKey>();
  known->key.digest = sha256(text);
  known->key.id = id;
  return known;
}

TEST(KeyTable, FindsAKeyByItsWholeDigest) {
  KeyTable table;
  table.add(key_of("one", "1"));
  table.add(key_of("two", "2"));
  ASSERT_TRUE(table.find(sha256("two")));
  EXPECT_EQ((*table.find(sha256("two")))->key.id, "2");
  EXPECT_FALSE(table.find(sha256("three")));
  Digest near = sha256("one");
  near.back() ^= 1;  // in the same place of the table
  EXPECT_FALSE(table.find(near));
}

TEST(KeyTable, TellsDigestsApartThatBeginAlike) {
  KeyTable table;
  for (std::uint8_t end = 0; end < 10; ++end) {
    auto known = std::make_shared<KnownKey>();
    known->key.digest.fill(7);
    known->key.digest.back() = end;
    known->key.id = std::to_string(end);
    table.add(std::move(known));
  }
  Digest sought;
  sought.fill(7);
  sought.back() = 4;
  table.remove(sought);
  EXPECT_FALSE(table.find(sought));
  sought.back() = 5;
  ASSERT_TRUE(table.find(sought));
  EXPECT_EQ((*table.find(sought))->key.id, "5");
  EXPECT_EQ(table.size(), 9u);
}

TEST(KeyTable, HoldsADigestOnce) {
  KeyTable table;
  table.add(key_of("one", "old"));
  table.add(key_of("one", "new"));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ((*table.find(sha256("one")))->key.id, "new");
  table.remove(sha256("one"));
  table.remove(sha256("one"));
  EXPECT_EQ(table.size(), 0u);
}

TEST(KeyTable, KeepsARemovedKeyForWhoeverStillHasIt) {
  KeyTable table;
  table.add(key_of("one", "1"));
  const std::shared_ptr<const KnownKey> held = *table.find(sha256("one"));
  table.clear();
  EXPECT_EQ(held->key.id, "1");
}

}  // namespace
}  // namespace tollgate::policy
