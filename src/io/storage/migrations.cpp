// The tables, as the steps that made them. A step that was released is never edited: a change is one more step at the
// end, and it sets the version that it leads to.
#include "io/storage/migrations.hpp"

#include <cstdint>
#include <iterator>
#include <string>

namespace tollgate::io::storage {
namespace {

using sqlite::Database;
using sqlite::Rows;
using sqlite::Sql;
using sqlite::Statement;

// Times are nanoseconds since 1970. The trigger on inserts is there for INSERT OR REPLACE, which deletes without
// calling a trigger on deletions.
constexpr Sql migrations[] = {
    R"sql(
PRAGMA application_id = 1953459308;

CREATE TABLE api_key (
  id TEXT PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  digest BLOB UNIQUE NOT NULL CHECK (length(digest) = 32),
  hint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  settings TEXT NOT NULL
) STRICT;
CREATE INDEX api_key_by_name ON api_key (tenant, name);

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  state_before TEXT NOT NULL,
  state_after TEXT NOT NULL,
  config_digest TEXT NOT NULL,
  prev BLOB NOT NULL CHECK (length(prev) = 32),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TABLE answer (
  scope TEXT NOT NULL,
  key_digest BLOB NOT NULL CHECK (length(key_digest) = 32),
  body_digest BLOB NOT NULL CHECK (length(body_digest) = 32),
  claimed_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  is_done INTEGER NOT NULL DEFAULT 0,
  status INTEGER NOT NULL DEFAULT 0,
  fields TEXT NOT NULL DEFAULT '',
  body BLOB NOT NULL DEFAULT x'',
  PRIMARY KEY (scope, key_digest)
) STRICT;
CREATE INDEX answer_by_time ON answer (created_at);

PRAGMA user_version = 1;
)sql",
    R"sql(
CREATE TABLE budget_grant (
  id INTEGER PRIMARY KEY NOT NULL,
  budget TEXT NOT NULL,
  nanos INTEGER NOT NULL CHECK (nanos > 0),
  until INTEGER NOT NULL,
  reason TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  granted_by TEXT NOT NULL
) STRICT;
CREATE INDEX budget_grant_by_end ON budget_grant (until);

PRAGMA user_version = 2;
)sql",
};
constexpr std::int64_t application_id = 1953459308;  // "toll" in ASCII
constexpr std::int64_t newest = std::size(migrations);

/// The one number that a query answers with.
Result<std::int64_t> number(Database& database, Sql sql) {
  Statement statement(database, sql);
  Rows rows = statement.run();
  const std::int64_t value = rows.next() ? rows.integer(0) : 0;
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return value;
}

Result<void> expect_text(Database& database, Sql sql, std::string_view expected, const std::string& fault) {
  Statement statement(database, sql);
  Rows rows = statement.run();
  const std::string said = rows.next() ? rows.text(0) : std::string();
  while (rows.next()) {  // what it changes is in force at its end, and only there could that fail
  }
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  if (said != expected) return database.failure(fault + said);
  return {};
}

/// Reads only.
Result<std::int64_t> version_of(Database& database, Expect expect) {
  auto version = number(database, "PRAGMA user_version");
  if (!version) return version.error();
  const auto owner = number(database, "PRAGMA application_id");
  if (!owner) return owner.error();
  const auto objects = number(database, "SELECT count(*) FROM sqlite_schema");
  if (!objects) return objects.error();
  const bool is_empty = *version == 0 && *owner == 0 && *objects == 0;
  if (is_empty && expect == Expect::ours) return database.failure("the file has come to be empty");
  if (!is_empty && *owner != application_id) return database.failure("the file is a database of another program");
  if (*version < 0 || *version > newest) {
    return database.failure("the file is of version " + std::to_string(*version) + ", and this program knows up to " +
                            std::to_string(newest) + ". Use the newer program, or a copy of the file from before");
  }
  return version;
}

/// Reads the whole file, so that damage is met now and not by the first request that needs the page.
Result<void> check_content(Database& database) {
  return expect_text(database, "PRAGMA quick_check(1)", "ok", "the file is damaged, put a copy in its place: ");
}

Result<void> migrate(Database& database, std::int64_t version) {
  for (; version < newest; ++version) {
    sqlite::Transaction transaction(database);
    if (!transaction.begun()) return transaction.begun();
    if (auto done = database.execute(migrations[version]); !done) return done;
    if (auto done = transaction.commit(); !done) return done;
  }
  return {};
}

}  // namespace

Result<void> prepare(Database& database, Expect expect) {
  const auto version = version_of(database, expect);
  if (!version) return version.error();
  if (*version > 0) {
    if (auto sound = check_content(database); !sound) return sound;
  }
  database.trust();
  if (auto logged = expect_text(database, "PRAGMA journal_mode = WAL", "wal",
                                "the file system does not let SQLite keep a write-ahead log; the journal mode is ");
      !logged) {
    return logged;
  }
  // What is deleted is overwritten: answers hold what people asked.
  if (auto set = database.execute("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
                                  "PRAGMA journal_size_limit = 16777216");
      !set) {
    return set;
  }
  return migrate(database, *version);
}

}  // namespace tollgate::io::storage
