#pragma once
// SQLite in a few words, so that nothing of the store can be done in an unsafe way: text of statements is constant by
// type, values are bound by position, a statement ends where its Rows end, a transaction that is not committed is
// undone.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/digest.hpp"
#include "tollgate/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tollgate::io::sqlite {

/// The text of statements. It takes only what the compiler knows, a literal: text put together while the program runs
/// does not compile, so that no value can ever become a part of a statement.
class Sql {
 public:
  template <std::size_t size>
  consteval Sql(const char (&text)[size]) : text_(text), size_(size - 1) {  // NOLINT(google-explicit-constructor)
    for (std::size_t i = 0; i < size; ++i) {
      if ((text[i] == '\0') != (i == size_)) throw "a statement is one whole text";
    }
  }
  const char* text() const { return text_; }
  std::size_t size() const { return size_; }

 private:
  const char* text_;
  std::size_t size_;
};

/// One connection to one file that exists already. One thread at a time. Failures are those of the gateway's own
/// weather (FailureKind::overloaded); their message names the file and has SQLite's own words.
class Database {
 public:
  /// Reads and writes nothing yet, and leaves the write-ahead log alone when closed, until trust() is called.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  /// For looking alone, also at a file that another process writes: no statement of this connection changes the file.
  static Result<std::unique_ptr<Database>> open_for_reading(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs one or more statements that take no values; rows are dropped.
  Result<void> execute(Sql sql);
  /// The content has proved sound: from now on the log may be written into the file when this is closed.
  void trust();
  /// How long a statement waits for another process that holds the file; 5 s where this is not called.
  void wait_for_locks(Millis most);
  /// Looks at the disk, without a lock: the path still leads to this file, it still begins as a database does, and no
  /// statement has met damage. Once it has failed it goes on failing.
  Result<void> check();

  const std::string& path() const { return path_; }
  sqlite3* handle() { return handle_; }
  /// The failure of the last call, whose result was `code`.
  Failure failure(int code);
  /// A failure in our own words.
  Failure failure(std::string_view words) const;

 private:
  static Result<std::unique_ptr<Database>> open(const std::string& path, int way);
  Database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  const std::string path_;
  sqlite3* const handle_;
  std::optional<Failure> damage_;
  bool moved_ = false;
  bool trusted_ = false;
};

/// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

class Statement;

/// One run of a statement and its rows. Ends the run when destroyed; the statement must live longer, and may have one
/// run at a time.
class Rows {
 public:
  explicit Rows(Statement& statement) : statement_(statement) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Goes on to the next row; false after the last one and on a failure, which outcome() tells apart.
  bool next();
  Result<void> outcome() const;

  // Columns of the current row, from 0; null reads as zero or empty.
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  /// Text or bytes, whatever they hold.
  std::string text(int column) const;
  /// Filled up with zeros where it is too short.
  Digest digest(int column) const;
  SystemTime time(int column) const;
  std::optional<SystemTime> optional_time(int column) const;

 private:
  Statement& statement_;
};

/// A statement, prepared at its first run and kept. Lives at most as long as its database.
class Statement {
 public:
  Statement(Database& database, Sql sql) : database_(database), sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Begins a run with these values for ?1, ?2, ...; they are copied. Types: integers, std::string_view, Blob, Digest,
  /// SystemTime (nanoseconds since 1970), std::optional of an integer or a SystemTime.
  template <class... Values>
  Rows run(const Values&... values) {
    begin();
    int position = 0;
    (bind(++position, values), ...);
    return Rows(*this);
  }
  /// Runs to the end; how many rows were inserted, changed or deleted.
  template <class... Values>
  Result<std::int64_t> execute(const Values&... values) {
    Rows rows = run(values...);
    return finish(rows);
  }

 private:
  friend class Rows;
  void begin();
  void bind(int position, std::int64_t value);
  void bind(int position, std::string_view text);
  void bind(int position, Blob blob);
  void bind(int position, const Digest& digest);
  void bind(int position, SystemTime time);
  void bind(int position, const std::optional<SystemTime>& time);
  void bind(int position, const std::optional<std::int64_t>& value);
  Result<std::int64_t> finish(Rows& rows);
  void note(int code);

  Database& database_;
  const Sql sql_;
  sqlite3_stmt* handle_ = nullptr;
  std::optional<Failure> failure_;  ///< of this run
};

/// All or nothing: undone when destroyed, unless committed. It takes the right to write at once, so that what it reads
/// stays true until it ends.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Whether it has begun.
  const Result<void>& begun() const { return begun_; }
  Result<void> commit();

 private:
  Database& database_;
  Result<void> begun_;
};

}  // namespace tollgate::io::sqlite
