#include "io/storage/store_grants.hpp"

namespace tollgate::io::storage {
namespace {

using sqlite::Rows;
using sqlite::Sql;

constexpr Sql list_sql =
    "SELECT budget, nanos, until, reason, granted_at, granted_by FROM budget_grant WHERE until > ?1 ORDER BY id";
constexpr Sql insert_sql =
    "INSERT INTO budget_grant (budget, nanos, until, reason, granted_at, granted_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

}  // namespace

GrantTable::GrantTable(sqlite::Database& database) : list_(database, list_sql), insert_(database, insert_sql) {}

Result<std::vector<GrantRow>> GrantTable::list(SystemTime now) {
  std::vector<GrantRow> grants;
  Rows rows = list_.run(now);
  while (rows.next()) {
    GrantRow& row = grants.emplace_back();
    row.budget = rows.text(0);
    row.amount = {rows.integer(1)};
    row.until = rows.time(2);
    row.reason = rows.text(3);
    row.granted_at = rows.time(4);
    row.granted_by = rows.text(5);
  }
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return grants;
}

Result<void> GrantTable::add(const GrantRow& row) {
  const auto added =
      insert_.execute(row.budget, row.amount.nanos, row.until, row.reason, row.granted_at, row.granted_by);
  if (!added) return added.error();
  return {};
}

}  // namespace tollgate::io::storage
