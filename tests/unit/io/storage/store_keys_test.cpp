// Keys through their life: made, found after a restart, replaced by a second one of the same name, revoked. Each step
// with its row in the audit, or not at all.
#include "store_fixture.hpp"

#include <gmock/gmock.h>

namespace tollgate::io::storage_tests {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreKeys : public StoreTest {};

TEST_F(StoreKeys, come_back_as_they_were_also_after_a_restart) {
  KeyRow plain = key_row("1");
  KeyRow full = key_row("2", "other");
  full.created_at = at(seconds(2));
  full.expires_at = at(std::chrono::nanoseconds(987'654'321));
  ASSERT_TRUE(add(plain));
  ASSERT_TRUE(add(full));
  EXPECT_THAT(list().value(), ElementsAre(plain, full));
  reopen();
  EXPECT_THAT(store->load_keys().value(), ElementsAre(plain, full));
}

TEST_F(StoreKeys, are_none_in_a_new_store) { EXPECT_THAT(store->load_keys().value(), IsEmpty()); }

TEST_F(StoreKeys, that_are_revoked_are_listed_on_request_only) {
  ASSERT_TRUE(add(key_row("1")));
  ASSERT_TRUE(add(key_row("2")));
  EXPECT_EQ(revoke("1", at(seconds(9))).value(), true);
  KeyRow revoked = key_row("1");
  revoked.revoked_at = at(seconds(9));
  EXPECT_THAT(list(true).value(), ElementsAre(revoked, key_row("2")));
  EXPECT_THAT(list(false).value(), ElementsAre(key_row("2")));
  reopen();
  EXPECT_THAT(store->load_keys().value(), ElementsAre(key_row("2")));
}

TEST_F(StoreKeys, are_revoked_once) {
  ASSERT_TRUE(add(key_row("1")));
  EXPECT_EQ(revoke("1", at(seconds(9))).value(), true);
  EXPECT_EQ(revoke("1", at(seconds(10))).value(), false);
  EXPECT_EQ(revoke("none").value(), false);
  EXPECT_EQ(list().value().at(0).revoked_at, at(seconds(9)));
  EXPECT_EQ(audit().value().size(), 2u) << "what changed nothing is no change";
}

TEST_F(StoreKeys, of_one_name_are_two_at_most_while_they_live) {
  ASSERT_TRUE(add(key_row("1")));
  ASSERT_TRUE(add(key_row("2")));
  const auto third = add(key_row("3"));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, FailureKind::bad_request);
  EXPECT_THAT(third.error().message, HasSubstr("two live keys of this name"));
  EXPECT_EQ(list().value().size(), 2u);
  EXPECT_EQ(audit().value().size(), 2u) << "nor is there a row in the audit";

  ASSERT_TRUE(revoke("1").value());
  EXPECT_TRUE(add(key_row("3")));
}

TEST_F(StoreKeys, of_one_name_do_not_count_for_another_tenant_or_name) {
  ASSERT_TRUE(add(key_row("1")));
  ASSERT_TRUE(add(key_row("2")));
  EXPECT_TRUE(add(key_row("3", "deploy")));
  KeyRow elsewhere = key_row("4");
  elsewhere.tenant = "other";
  EXPECT_TRUE(add(elsewhere));
}

TEST_F(StoreKeys, that_have_expired_make_room_for_a_new_one_at_that_moment) {
  for (const char* id : {"1", "2"}) {
    KeyRow row = key_row(id);
    row.expires_at = at(seconds(100));
    ASSERT_TRUE(add(row));
  }
  KeyRow next = key_row("3");
  next.created_at = at(seconds(100)) - std::chrono::nanoseconds(1);
  EXPECT_FALSE(add(next));
  next.created_at = at(seconds(100));
  EXPECT_TRUE(add(next));
}

TEST_F(StoreKeys, are_refused_with_an_id_or_a_digest_that_was_there_before) {
  ASSERT_TRUE(add(key_row("1")));
  ASSERT_TRUE(revoke("1").value());
  KeyRow same_id = key_row("1");
  same_id.digest = digest_of("another secret");
  KeyRow same_digest = key_row("2");
  same_digest.digest = key_row("1").digest;
  for (const KeyRow& row : {same_id, same_digest}) {
    const auto added = add(row);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, FailureKind::bad_request);
  }
  EXPECT_EQ(list().value().size(), 1u);
  EXPECT_TRUE(store->reachable());
}

TEST_F(StoreKeys, change_together_with_their_row_in_the_audit_or_not_at_all) {
  ASSERT_TRUE(add(key_row("1")));
  ASSERT_EQ(raw("CREATE TRIGGER no_more BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no more'); END"), "");
  const auto added = add(key_row("2"));
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("no more"));
  EXPECT_FALSE(revoke("1"));
  EXPECT_THAT(list().value(), ElementsAre(key_row("1")));
  EXPECT_EQ(audit().value().size(), 1u);
}

TEST_F(StoreKeys, are_not_loaded_from_within_a_callback) {
  const auto outcome = wait_for<bool>([&](Store::Done<bool> done) {
    store->list_keys(true, [this, done](Result<std::vector<KeyRow>>) {
      try {
        static_cast<void>(store->load_keys());
        done(false);
      } catch (const std::logic_error&) {
        done(true);
      }
    });
  });
  EXPECT_EQ(outcome.value(), true);
}

}  // namespace
}  // namespace tollgate::io::storage_tests
