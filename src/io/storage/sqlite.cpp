// The only file that calls SQLite. What it says of a disk that fails, a file that is damaged or moved is remembered in
// the Database, since such a connection must not be used again.
#include "io/storage/sqlite.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace tollgate::io::sqlite {
namespace {

constexpr int busy_timeout_ms = 5000;  // somebody may be looking at the file with SQLite's own shell

/// Results after which neither the connection nor what it keeps in memory can be relied upon.
bool is_damage(int code) {
  switch (code & 0xFF) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: return true;
    default: return false;
  }
}

void harden(sqlite3* handle) {
  constexpr std::array<std::pair<int, int>, 7> settings{{
      {SQLITE_DBCONFIG_DEFENSIVE, 1},       // no statement may harm the file's structure
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},  // nor may what is written in the file call functions with effects
      {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 1},
      {SQLITE_DBCONFIG_DQS_DML, 0},  // a name in double quotes that is none is no text
      {SQLITE_DBCONFIG_DQS_DDL, 0},
      {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
  }};
  for (const auto& [setting, value] : settings) sqlite3_db_config(handle, setting, value, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
}

std::int64_t nanoseconds(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path, int way) {
  // A leading "./" keeps names like ":memory:" and "file:..." from meaning anything else than a file.
  const std::string name = path.starts_with('/') ? path : "./" + path;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, way | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  std::unique_ptr<Database> database(new Database(path, handle));
  if (code != SQLITE_OK) return database->failure(code);
  harden(handle);
  return database;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  auto database = open(path, SQLITE_OPEN_READWRITE);
  // Where writing is not allowed SQLite opens for reading, without a word.
  if (database && sqlite3_db_readonly((*database)->handle(), "main") != 0)
    return (*database)->failure("the file cannot be written to");
  return database;
}

Result<std::unique_ptr<Database>> Database::open_for_reading(const std::string& path) {
  return open(path, SQLITE_OPEN_READONLY);
}

Database::~Database() {
  if (moved_ && trusted_) {
    // Closing would leave the log behind, and whatever file has come to the path would take it for its own.
    sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  } else if (damage_) {
    // The log may be the last sound copy of what it holds; a damaged file is not the place for it.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  sqlite3_close(handle_);
}

void Database::trust() {
  trusted_ = true;
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

void Database::wait_for_locks(Millis most) { sqlite3_busy_timeout(handle_, static_cast<int>(most.count())); }

Result<void> Database::execute(Sql sql) {
  const int code = sqlite3_exec(handle_, sql.text(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return {};
}

Result<void> Database::check() {
  if (damage_) return *damage_;
  int moved = 0;
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0) {
    moved_ = true;
    damage_ = failure("the file was moved, removed or replaced");
    return *damage_;
  }
  // By SQLite's own descriptor: opening and closing the file once more would drop the locks that this process holds.
  constexpr std::string_view magic("SQLite format 3\0", 16);
  std::array<char, magic.size()> head{};
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  const int code = file != nullptr && file->pMethods != nullptr
                       ? file->pMethods->xRead(file, head.data(), static_cast<int>(head.size()), 0)
                       : SQLITE_CANTOPEN;
  if (code != SQLITE_OK || std::string_view(head.data(), head.size()) != magic) {
    damage_ = failure("the file was overwritten or cannot be read");
    return *damage_;
  }
  return {};
}

Failure Database::failure(int code) {
  Failure made = failure(std::string_view(sqlite3_errmsg(handle_)));
  made.message += " (SQLite " + std::to_string(code) + ")";
  if (is_damage(code) && !damage_) damage_ = made;
  return made;
}

Failure Database::failure(std::string_view words) const {
  return Failure{.kind = FailureKind::overloaded,
                 .source = Source::gateway,
                 .message = std::string("the store ").append(path_).append(": ").append(words)};
}

// === Statement ===

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::note(int code) {
  if (code != SQLITE_OK && !failure_) failure_ = database_.failure(code);
}

void Statement::begin() {
  failure_.reset();
  if (handle_ != nullptr) {
    sqlite3_reset(handle_);
    return;
  }
  note(sqlite3_prepare_v3(database_.handle(), sql_.text(), static_cast<int>(sql_.size() + 1), SQLITE_PREPARE_PERSISTENT,
                          &handle_, nullptr));
}

void Statement::bind(int position, std::int64_t value) {
  if (!failure_) note(sqlite3_bind_int64(handle_, position, value));
}

void Statement::bind(int position, std::string_view text) {
  const char* bytes = text.data() != nullptr ? text.data() : "";  // no pointer would be null, not an empty text
  if (!failure_) note(sqlite3_bind_text64(handle_, position, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind(int position, Blob blob) {
  const char* bytes = blob.bytes.data() != nullptr ? blob.bytes.data() : "";
  if (!failure_) note(sqlite3_bind_blob64(handle_, position, bytes, blob.bytes.size(), SQLITE_TRANSIENT));
}

void Statement::bind(int position, const Digest& digest) {
  if (!failure_) note(sqlite3_bind_blob64(handle_, position, digest.data(), digest.size(), SQLITE_TRANSIENT));
}

void Statement::bind(int position, SystemTime time) { bind(position, nanoseconds(time)); }

void Statement::bind(int position, const std::optional<SystemTime>& time) {
  if (time) {
    bind(position, nanoseconds(*time));
  } else if (!failure_) {
    note(sqlite3_bind_null(handle_, position));
  }
}

void Statement::bind(int position, const std::optional<std::int64_t>& value) {
  if (value) {
    bind(position, *value);
  } else if (!failure_) {
    note(sqlite3_bind_null(handle_, position));
  }
}

Result<std::int64_t> Statement::finish(Rows& rows) {
  while (rows.next()) {
  }
  if (failure_) return *failure_;
  return sqlite3_changes64(database_.handle());
}

// === Rows ===

Rows::~Rows() {
  if (statement_.handle_ == nullptr) return;
  sqlite3_reset(statement_.handle_);
  sqlite3_clear_bindings(statement_.handle_);
}

bool Rows::next() {
  if (statement_.failure_) return false;
  const int code = sqlite3_step(statement_.handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) statement_.note(code);
  return false;
}

Result<void> Rows::outcome() const {
  if (statement_.failure_) return *statement_.failure_;
  return {};
}

bool Rows::is_null(int column) const { return sqlite3_column_type(statement_.handle_, column) == SQLITE_NULL; }

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(statement_.handle_, column); }

std::string Rows::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.handle_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.handle_, column));
  return bytes != nullptr ? std::string(static_cast<const char*>(bytes), size) : std::string();
}

Digest Rows::digest(int column) const {
  const std::string bytes = text(column);
  Digest digest{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
  return digest;
}

SystemTime Rows::time(int column) const {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(integer(column))));
}

std::optional<SystemTime> Rows::optional_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

// === Transaction ===

Transaction::Transaction(Database& database) : database_(database), begun_(database.execute("BEGIN IMMEDIATE")) {}

Transaction::~Transaction() {
  // After some failures SQLite has undone it already; undoing it once more would fail.
  if (begun_ && sqlite3_get_autocommit(database_.handle()) == 0) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<void> Transaction::commit() { return database_.execute("COMMIT"); }

}  // namespace tollgate::io::sqlite
