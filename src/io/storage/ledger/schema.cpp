// The tables of a month's file and of what is carried from months that are gone. A version that was released is never
// edited: a change is one more step.
#include "io/storage/ledger/schema.hpp"

#include "io/storage/ledger/rollups.hpp"

#include <string>

namespace tollgate::io::ledger {

namespace {

using sqlite::Database;
using sqlite::Rows;
using sqlite::Sql;
using sqlite::Statement;

// Times are nanoseconds since 1970, amounts nano-dollars, hours and days since 1970. Names are numbers of `names`, 0
// for none. `identity` tells a file from one that is made anew for the same month.
constexpr Sql month_tables = R"sql(
CREATE TABLE identity (value INTEGER PRIMARY KEY NOT NULL) STRICT;
INSERT INTO identity VALUES (random());

CREATE TABLE names (id INTEGER PRIMARY KEY NOT NULL, text TEXT UNIQUE NOT NULL) STRICT;

CREATE TABLE attempts (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  request BLOB NOT NULL CHECK (length(request) = 16),
  number INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  duration_us INTEGER NOT NULL,
  tenant INTEGER NOT NULL,
  key INTEGER NOT NULL,
  route INTEGER NOT NULL,
  task INTEGER NOT NULL,
  model INTEGER NOT NULL,
  target INTEGER NOT NULL,
  credential INTEGER NOT NULL,
  user INTEGER NOT NULL,
  tags INTEGER NOT NULL,
  task_id TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  waste INTEGER NOT NULL,
  status INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  recovered INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cache_write_long_tokens INTEGER NOT NULL,
  audio_input_tokens INTEGER NOT NULL,
  image_input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  audio_output_tokens INTEGER NOT NULL,
  image_output_tokens INTEGER NOT NULL,
  searches INTEGER NOT NULL,
  cost INTEGER,
  price INTEGER NOT NULL,
  budgets INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  hour INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  duration_us INTEGER NOT NULL,
  first_token_us INTEGER,
  tenant INTEGER NOT NULL,
  key INTEGER NOT NULL,
  route INTEGER NOT NULL,
  task INTEGER NOT NULL,
  model INTEGER NOT NULL,
  target INTEGER NOT NULL,
  endpoint INTEGER NOT NULL,
  user INTEGER NOT NULL,
  tags INTEGER NOT NULL,
  task_id TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  status INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  recovered INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost INTEGER,
  wasted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE balances (
  budget INTEGER NOT NULL,
  window INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  PRIMARY KEY (budget, window)
) STRICT, WITHOUT ROWID;

PRAGMA application_id = 1953459298;
PRAGMA user_version = 1;
)sql";

// By the identity of the file it comes from: carrying a month twice changes nothing, and while its file is there, that
// is asked and not this.
constexpr Sql carried_tables = R"sql(
CREATE TABLE carried (
  identity INTEGER NOT NULL,
  budget INTEGER NOT NULL,
  window INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  PRIMARY KEY (identity, budget, window)
) STRICT, WITHOUT ROWID;

PRAGMA application_id = 1953459299;
PRAGMA user_version = 1;
)sql";

constexpr std::int64_t newest = 1;

std::int64_t application_of(Kind kind) { return kind == Kind::month ? 1953459298 : 1953459299; }  // "tolb", "tolc"

/// What a statement says in one word must be this.
Result<void> expect(Database& database, Sql sql, std::string_view expected, const std::string& fault) {
  Statement statement(database, sql);
  Rows rows = statement.run();
  const std::string said = rows.next() ? rows.text(0) : std::string();
  while (rows.next()) {  // what it changes is in force at its end, and only there could that fail
  }
  if (auto outcome = rows.outcome(); !outcome) return outcome;
  if (said != expected) return database.failure(fault + said);
  return {};
}

Result<void> check_content(Database& database, Kind kind) {
  const std::string fault = "the file is damaged, put a copy in its place: ";
  if (kind == Kind::carried) return expect(database, "PRAGMA quick_check(1)", "ok", fault);
  if (auto sound = expect(database, "PRAGMA quick_check(balances)", "ok", fault); !sound) return sound;
  return expect(database, "PRAGMA quick_check(names)", "ok", fault);
}

Result<void> make_tables(Database& database, Kind kind) {
  sqlite::Transaction transaction(database);
  if (!transaction.begun()) return transaction.begun();
  if (kind == Kind::month) {
    if (auto made = database.execute(rollup_tables); !made) return made;
  }
  if (auto made = database.execute(kind == Kind::month ? month_tables : carried_tables); !made) return made;
  return transaction.commit();
}

}  // namespace

Result<std::int64_t> number(Database& database, Sql sql) {
  Statement statement(database, sql);
  Rows rows = statement.run();
  const std::int64_t value = rows.next() ? rows.integer(0) : 0;
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return value;
}

Result<bool> is_readable(Database& database, Kind kind) {
  const auto version = number(database, "PRAGMA user_version");
  if (!version) return version.error();
  const auto owner = number(database, "PRAGMA application_id");
  if (!owner) return owner.error();
  const auto objects = number(database, "SELECT count(*) FROM sqlite_schema");
  if (!objects) return objects.error();
  if (*version == 0 && *owner == 0 && *objects == 0) return false;
  if (*owner != application_of(kind)) return database.failure("the file is no part of a ledger of tollgate");
  if (*version < 1 || *version > newest) {
    return database.failure("the file is of version " + std::to_string(*version) + ", and this program knows up to " +
                            std::to_string(newest) + ". Use the newer program");
  }
  return true;
}

Result<void> prepare(Database& database, Kind kind, bool synchronous_full) {
  const auto is_ours = is_readable(database, kind);
  if (!is_ours) return is_ours.error();
  if (*is_ours) {
    if (auto sound = check_content(database, kind); !sound) return sound;
  }
  database.trust();
  if (auto logged = expect(database, "PRAGMA journal_mode = WAL", "wal",
                           "the file system does not let SQLite keep a write-ahead log; the journal mode is ");
      !logged) {
    return logged;
  }
  if (auto set =
          database.execute(synchronous_full ? Sql("PRAGMA synchronous = FULL") : Sql("PRAGMA synchronous = NORMAL"));
      !set) {
    return set;
  }
  if (auto set = database.execute("PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 2000;"
                                  "PRAGMA cache_size = -32768");
      !set) {
    return set;
  }
  if (*is_ours) return {};
  return make_tables(database, kind);
}

}  // namespace tollgate::io::ledger
