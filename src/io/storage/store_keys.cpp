#include "io/storage/store_keys.hpp"

#include <utility>

namespace tollgate::io::storage {
namespace {

using sqlite::Rows;
using sqlite::Sql;

constexpr Sql list_sql =
    "SELECT id, tenant, name, digest, hint, created_at, created_by, expires_at, revoked_at, settings FROM api_key"
    " WHERE revoked_at IS NULL OR ?1 ORDER BY created_at, id";
constexpr Sql same_sql = "SELECT count(*) FROM api_key WHERE id = ?1 OR digest = ?2";
constexpr Sql live_sql =
    "SELECT count(*) FROM api_key WHERE tenant = ?1 AND name = ?2 AND revoked_at IS NULL"
    " AND (expires_at IS NULL OR expires_at > ?3)";
constexpr Sql insert_sql =
    "INSERT INTO api_key (id, tenant, name, digest, hint, created_at, created_by, expires_at, revoked_at, settings)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
constexpr Sql revoke_sql = "UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";

constexpr std::int64_t most_live = 2;

KeyRow read(const Rows& rows) {
  KeyRow row;
  row.id = rows.text(0);
  row.tenant = rows.text(1);
  row.name = rows.text(2);
  row.digest = rows.digest(3);
  row.hint = rows.text(4);
  row.created_at = rows.time(5);
  row.created_by = rows.text(6);
  row.expires_at = rows.optional_time(7);
  row.revoked_at = rows.optional_time(8);
  row.settings = rows.text(9);
  return row;
}

template <class... Values>
Result<std::int64_t> count(sqlite::Statement& statement, const Values&... values) {
  Rows rows = statement.run(values...);
  const std::int64_t found = rows.next() ? rows.integer(0) : 0;
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return found;
}

Failure refused(std::string why) {
  return Failure{.kind = FailureKind::bad_request, .source = Source::client, .message = std::move(why)};
}

}  // namespace

KeyTable::KeyTable(sqlite::Database& database)
    : list_(database, list_sql),
      same_(database, same_sql),
      live_(database, live_sql),
      insert_(database, insert_sql),
      revoke_(database, revoke_sql) {}

Result<std::vector<KeyRow>> KeyTable::list(bool include_revoked) {
  std::vector<KeyRow> keys;
  Rows rows = list_.run(std::int64_t{include_revoked});
  while (rows.next()) keys.push_back(read(rows));
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return keys;
}

Result<void> KeyTable::refuse_what_is_there(const KeyRow& row) {
  const auto same = count(same_, row.id, row.digest);
  if (!same) return same.error();
  if (*same > 0) return refused("This key, or another one with its id, is or was there already.");
  const auto live = count(live_, row.tenant, row.name, row.created_at);
  if (!live) return live.error();
  if (*live >= most_live) {
    return refused(
        "The tenant has two live keys of this name already. Revoke one of them first, or choose another name.");
  }
  return {};
}

Result<void> KeyTable::add(const KeyRow& row) {
  if (auto free = refuse_what_is_there(row); !free) return free;
  const auto added = insert_.execute(row.id, row.tenant, row.name, row.digest, row.hint, row.created_at, row.created_by,
                                     row.expires_at, row.revoked_at, row.settings);
  if (!added) return added.error();
  return {};
}

Result<bool> KeyTable::revoke(std::string_view id, SystemTime now) {
  const auto changed = revoke_.execute(id, now);
  if (!changed) return changed.error();
  return *changed > 0;
}

}  // namespace tollgate::io::storage
