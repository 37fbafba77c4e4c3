#include "store_fixture.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace tollgate::io::storage_tests {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

GrantRow grant_row(const std::string& reason, SystemTime until = at(seconds(100))) {
  return {.budget = "tenant/acme/monthly",
          .amount = {100 * Money::nanos_per_dollar},
          .until = until,
          .reason = reason,
          .granted_at = at(seconds(1)),
          .granted_by = "anna"};
}

class StoreGrants : public StoreTest {
 protected:
  Result<void> add_grant(const GrantRow& row) {
    return wait_for<void>(
        [&](Store::Done<void> done) { store->add_grant(row, audit_entry("budget.grant"), std::move(done)); });
  }
};

TEST_F(StoreGrants, come_back_as_they_were_in_their_order_also_after_a_restart) {
  const GrantRow first = grant_row("launch"), second = grant_row("'); DROP TABLE budget_grant; --");
  EXPECT_THAT(store->load_grants(at(seconds(1))).value(), IsEmpty());
  ASSERT_TRUE(add_grant(first));
  ASSERT_TRUE(add_grant(second));
  reopen();
  EXPECT_THAT(store->load_grants(at(seconds(99))).value(), ElementsAre(first, second));
  EXPECT_EQ(audit().value().size(), 2u);
}

TEST_F(StoreGrants, that_are_over_are_not_loaded) {
  ASSERT_TRUE(add_grant(grant_row("short", at(seconds(50)))));
  ASSERT_TRUE(add_grant(grant_row("long")));
  EXPECT_THAT(store->load_grants(at(seconds(50))).value(), ElementsAre(grant_row("long")));
  EXPECT_THAT(store->load_grants(at(seconds(100))).value(), IsEmpty());
}

TEST_F(StoreGrants, that_cannot_be_kept_leave_no_row_in_the_audit) {
  GrantRow row = grant_row("nothing");
  row.amount = {};
  EXPECT_FALSE(add_grant(row));
  EXPECT_THAT(store->load_grants(at(seconds(1))).value(), IsEmpty());
  EXPECT_THAT(audit().value(), IsEmpty());
}

TEST_F(StoreGrants, find_room_in_a_file_of_the_version_before) {
  ASSERT_TRUE(add(key_row("1")));
  close();
  ASSERT_EQ(raw("DROP TABLE budget_grant; PRAGMA user_version = 1"), "");
  open();
  EXPECT_TRUE(add_grant(grant_row("launch")));
  EXPECT_THAT(list().value(), ElementsAre(key_row("1")));
}

}  // namespace
}  // namespace tollgate::io::storage_tests
