// The hash of a row against an independent implementation, and every way in which a chain of rows can be broken by
// somebody who can write to the table.
#include "tollgate/policy/audit.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

namespace tollgate::policy {
namespace {

using std::chrono::nanoseconds;

AuditEntry entry() {
  return {.at = SystemTime(nanoseconds(1'700'000'000'123'456'789)),
          .actor = "anna",
          .role = "admin",
          .action = "key.create",
          .object = "key/1",
          .before = "",
          .after = R"({"name":"ci"})",
          .config_digest = "cafe"};
}

std::vector<AuditRow> three_rows() {
  AuditChain chain;
  std::vector<AuditRow> rows;
  for (const char* action : {"one", "two", "three"}) {
    AuditEntry next = entry();
    next.action = action;
    rows.push_back(chain.append(next));
  }
  return rows;
}

std::size_t intact(const std::vector<AuditRow>& rows) {
  AuditChain chain;
  for (const AuditRow& row : rows) {
    if (!chain.take(row)) break;
  }
  return chain.rows();
}

TEST(AuditHash, is_that_of_an_independent_implementation) {
  const Digest first = audit_hash(1, Digest{}, entry());
  EXPECT_EQ(to_hex(first), "ea1cbd887d403a7f53c16a456c8368bf9be725622acb1fdcd2fde10f7c19895c");
  const AuditEntry empty{.at = SystemTime(nanoseconds(-1))};
  EXPECT_EQ(to_hex(audit_hash(2, first, empty)), "a597596b2de16afa4855b36b79c905ef3c7d8747c518f641be0fb4f9e4c3257c");
}

TEST(AuditHash, changes_with_every_field) {
  std::set<Digest> hashes = {audit_hash(1, Digest{}, entry()), audit_hash(2, Digest{}, entry()),
                             audit_hash(1, Digest{1}, entry())};
  const std::vector<std::function<void(AuditEntry&)>> changes = {
      [](AuditEntry& e) { e.at += nanoseconds(1); }, [](AuditEntry& e) { e.actor += 'x'; },
      [](AuditEntry& e) { e.role += 'x'; },          [](AuditEntry& e) { e.action += 'x'; },
      [](AuditEntry& e) { e.object += 'x'; },        [](AuditEntry& e) { e.before += 'x'; },
      [](AuditEntry& e) { e.after += 'x'; },         [](AuditEntry& e) { e.config_digest += 'x'; }};
  for (const auto& change : changes) {
    AuditEntry changed = entry();
    change(changed);
    hashes.insert(audit_hash(1, Digest{}, changed));
  }
  EXPECT_EQ(hashes.size(), 3 + changes.size());
}

TEST(AuditHash, tells_apart_what_stands_on_either_side_of_a_border) {
  const AuditEntry one{.actor = "ab", .role = "c"}, other{.actor = "a", .role = "bc"};
  EXPECT_NE(audit_hash(1, Digest{}, one), audit_hash(1, Digest{}, other));
  const AuditEntry nul{.actor = std::string("\0", 1)}, none{};
  EXPECT_NE(audit_hash(1, Digest{}, nul), audit_hash(1, Digest{}, none));
}

TEST(AuditChain, takes_the_rows_that_it_made) {
  const auto rows = three_rows();
  EXPECT_EQ(rows[0].seq, 1u);
  EXPECT_EQ(rows[0].prev, Digest{});
  EXPECT_EQ(rows[2].prev, rows[1].hash);
  EXPECT_EQ(intact(rows), 3u);
}

TEST(AuditChain, goes_on_where_it_was_left) {
  auto rows = three_rows();
  rows.push_back(AuditChain::after(3, rows[2].hash).append(entry()));
  EXPECT_EQ(rows[3].seq, 4u);
  EXPECT_EQ(intact(rows), 4u);
}

TEST(AuditChain, breaks_at_a_row_that_was_changed_removed_swapped_or_put_in) {
  auto changed = three_rows();
  changed[1].entry.actor = "bert";
  EXPECT_EQ(intact(changed), 1u);

  auto removed = three_rows();
  removed.erase(removed.begin());
  EXPECT_EQ(intact(removed), 0u);

  auto swapped = three_rows();
  std::swap(swapped[1], swapped[2]);
  EXPECT_EQ(intact(swapped), 1u);

  auto put_in = three_rows();
  put_in.insert(put_in.begin() + 2, AuditChain::after(2, put_in[1].hash).append(entry()));
  EXPECT_EQ(intact(put_in), 3u);
}

TEST(AuditChain, breaks_after_a_row_whose_hash_was_made_anew) {
  auto rows = three_rows();
  rows[1].entry.actor = "bert";
  rows[1].hash = audit_hash(2, rows[1].prev, rows[1].entry);
  EXPECT_EQ(intact(rows), 2u);
}

}  // namespace
}  // namespace tollgate::policy
