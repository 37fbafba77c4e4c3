#include "io/storage/store_audit.hpp"

namespace tollgate::io::storage {
namespace {

using policy::AuditChain;
using policy::AuditEntry;
using policy::AuditRow;
using sqlite::Rows;
using sqlite::Sql;

constexpr Sql last_sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
constexpr Sql insert_sql =
    "INSERT INTO audit (seq, at, actor, role, action, object, state_before, state_after, config_digest, prev, hash)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
constexpr Sql read_sql =
    "SELECT seq, at, actor, role, action, object, state_before, state_after, config_digest, prev, hash FROM audit"
    " WHERE seq > ?1 ORDER BY seq LIMIT ?2";

AuditRow read_row(const Rows& rows) {
  AuditRow row;
  row.seq = static_cast<std::uint64_t>(rows.integer(0));
  AuditEntry& entry = row.entry;
  entry.at = rows.time(1);
  entry.actor = rows.text(2);
  entry.role = rows.text(3);
  entry.action = rows.text(4);
  entry.object = rows.text(5);
  entry.before = rows.text(6);
  entry.after = rows.text(7);
  entry.config_digest = rows.text(8);
  row.prev = rows.digest(9);
  row.hash = rows.digest(10);
  return row;
}

}  // namespace

AuditTable::AuditTable(sqlite::Database& database)
    : last_(database, last_sql), insert_(database, insert_sql), read_(database, read_sql) {}

Result<void> AuditTable::append(const AuditEntry& entry) {
  AuditChain chain;
  {
    Rows rows = last_.run();
    if (rows.next()) chain = AuditChain::after(static_cast<std::uint64_t>(rows.integer(0)), rows.digest(1));
    if (auto outcome = rows.outcome(); !outcome) return outcome;
  }
  const AuditRow row = chain.append(entry);
  const auto added =
      insert_.execute(static_cast<std::int64_t>(row.seq), entry.at, entry.actor, entry.role, entry.action, entry.object,
                      entry.before, entry.after, entry.config_digest, row.prev, row.hash);
  if (!added) return added.error();
  return {};
}

Result<std::vector<AuditRow>> AuditTable::read(std::int64_t after_seq, std::int64_t limit) {
  std::vector<AuditRow> found;
  Rows rows = read_.run(after_seq, limit);
  while (rows.next()) found.push_back(read_row(rows));
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return found;
}

}  // namespace tollgate::io::storage
