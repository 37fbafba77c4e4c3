// The audit as it is meant, and what somebody can do to it: by plain statements nothing, by taking its guards away
// nothing that the chain would not show.
#include "store_fixture.hpp"

#include <gmock/gmock.h>

namespace tollgate::io::storage_tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class StoreAudit : public StoreTest {
 protected:
  void append_rows(int count) {
    for (int i = 1; i < count; ++i) store->append_audit(audit_entry("action " + std::to_string(i)), {});
    ASSERT_TRUE(append(audit_entry("action " + std::to_string(count))));
  }
  /// Changes the file as somebody would who may do everything.
  void tamper(const std::string& sql) {
    ASSERT_EQ(
        raw("DROP TRIGGER audit_only_grows; DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted;" +
            sql),
        "");
  }
  std::optional<std::uint64_t> broken() { return verify().value().first_broken; }
};

TEST_F(StoreAudit, comes_back_as_it_was_written_also_after_a_restart) {
  append_rows(2);
  reopen();
  ASSERT_TRUE(append(audit_entry("action 3")));
  const auto rows = audit().value();
  ASSERT_EQ(rows.size(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rows[i].seq, i + 1);
    EXPECT_EQ(rows[i].entry, audit_entry("action " + std::to_string(i + 1)));
    EXPECT_EQ(rows[i].prev, i == 0 ? Digest{} : rows[i - 1].hash);
    EXPECT_EQ(rows[i].hash, policy::audit_hash(rows[i].seq, rows[i].prev, rows[i].entry));
  }
}

TEST_F(StoreAudit, is_read_page_by_page) {
  append_rows(5);
  const auto page = audit(2, 2).value();
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].seq, 3u);
  EXPECT_EQ(page[1].seq, 4u);
  EXPECT_EQ(audit(4, 100).value().size(), 1u);
  EXPECT_THAT(audit(5, 100).value(), IsEmpty());
  EXPECT_THAT(audit(UINT64_MAX, SIZE_MAX).value(), IsEmpty());
  EXPECT_THAT(audit(0, 0).value(), IsEmpty());
}

TEST_F(StoreAudit, holds_together) {
  EXPECT_EQ(verify().value().rows, 0u);
  append_rows(2500);  // more than two portions
  const AuditVerdict verdict = verify().value();
  EXPECT_EQ(verdict.rows, 2500u);
  EXPECT_EQ(verdict.first_broken, std::nullopt);
  EXPECT_EQ(verdict.last, audit(2499).value().at(0).hash);
}

TEST_F(StoreAudit, holds_together_to_the_row_where_a_portion_ends) {
  append_rows(1000);
  EXPECT_EQ(verify().value().rows, 1000u);
  EXPECT_EQ(broken(), std::nullopt);
}

TEST_F(StoreAudit, shows_a_row_that_was_changed) {
  append_rows(1500);
  tamper("UPDATE audit SET actor = 'bert' WHERE seq = 1200");
  EXPECT_EQ(broken(), 1200u);
  EXPECT_EQ(verify().value().rows, 1199u);
}

TEST_F(StoreAudit, shows_a_row_that_was_taken_out) {
  append_rows(5);
  tamper("DELETE FROM audit WHERE seq = 3");
  EXPECT_EQ(broken(), 3u);
}

TEST_F(StoreAudit, shows_that_it_lost_its_beginning) {
  append_rows(5);
  tamper("DELETE FROM audit WHERE seq < 3");
  EXPECT_EQ(broken(), 1u);
}

TEST_F(StoreAudit, shows_rows_that_changed_places) {
  append_rows(5);
  tamper(
      "UPDATE audit SET seq = 100 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;"
      "UPDATE audit SET seq = 3 WHERE seq = 100");
  EXPECT_EQ(broken(), 2u);
}

TEST_F(StoreAudit, shows_a_row_that_was_put_before_the_first) {
  append_rows(2);
  tamper(
      "INSERT INTO audit SELECT -5, at, actor, role, action, object, state_before, state_after, config_digest, prev,"
      " hash FROM audit WHERE seq = 1");
  EXPECT_EQ(broken(), 1u);
}

TEST_F(StoreAudit, is_not_changed_deleted_or_written_over_by_plain_statements) {
  append_rows(3);
  const auto before = audit().value();
  for (const char* sql :
       {"UPDATE audit SET actor = 'bert'", "UPDATE audit SET seq = seq + 10", "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT seq, at, 'bert', role, action, object, state_before, state_after,"
        " config_digest, prev, hash FROM audit WHERE seq = 2",
        "INSERT INTO audit SELECT 100, at, actor, role, action, object, state_before, state_after, config_digest, prev,"
        " hash FROM audit WHERE seq = 2"}) {
    EXPECT_THAT(raw(sql), HasSubstr("the audit is append-only")) << sql;
  }
  EXPECT_EQ(audit().value(), before);
}

}  // namespace
}  // namespace tollgate::io::storage_tests
