// The wrapper itself, and the promise that no statement is ever put together while the program runs: by type, and by
// reading the sources for ways around the type.
#include "io/storage/sqlite.hpp"

#include "support/paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <type_traits>

namespace tollgate::io::sqlite {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

static_assert(!std::is_convertible_v<std::string, Sql> && !std::is_convertible_v<std::string_view, Sql>);
static_assert(!std::is_convertible_v<const char*, Sql> && !std::is_convertible_v<char*, Sql>);

class SqliteTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sqlite_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    path = (folder / "a.db").string();
    std::ofstream{path};
    database = Database::open(path).value();
    ASSERT_TRUE(database->execute("CREATE TABLE t (a, b)"));
  }
  void TearDown() override {
    database.reset();
    fs::remove_all(folder);
  }
  std::int64_t rows() {
    Statement count(*database, "SELECT count(*) FROM t");
    Rows run = count.run();
    return run.next() ? run.integer(0) : -1;
  }

  fs::path folder;
  std::string path;
  std::unique_ptr<Database> database;
};

TEST_F(SqliteTest, gives_back_what_was_bound) {
  Statement insert(*database, "INSERT INTO t VALUES (?1, ?2)");
  const std::string bytes("a\0b\xFF", 4);
  const SystemTime time(std::chrono::nanoseconds(1'700'000'000'000'000'001));
  ASSERT_TRUE(insert.execute(std::string_view(bytes), Blob{bytes}));
  ASSERT_TRUE(insert.execute(std::int64_t{INT64_MIN}, time));
  ASSERT_TRUE(insert.execute(std::optional<SystemTime>(), std::optional<SystemTime>(time)));
  ASSERT_TRUE(insert.execute(std::string_view(), Blob{}));

  Statement select(*database, "SELECT a, b, typeof(a), typeof(b) FROM t ORDER BY rowid");
  Rows run = select.run();
  ASSERT_TRUE(run.next());
  EXPECT_EQ(run.text(0), bytes);
  EXPECT_EQ(run.text(1), bytes);
  EXPECT_EQ(run.text(2) + " " + run.text(3), "text blob");
  ASSERT_TRUE(run.next());
  EXPECT_EQ(run.integer(0), INT64_MIN);
  EXPECT_EQ(run.time(1), time);
  ASSERT_TRUE(run.next());
  EXPECT_TRUE(run.is_null(0));
  EXPECT_EQ(run.optional_time(0), std::nullopt);
  EXPECT_EQ(run.optional_time(1), time);
  ASSERT_TRUE(run.next());
  EXPECT_EQ(run.text(2) + " " + run.text(3), "text blob");
  EXPECT_FALSE(run.next());
  EXPECT_TRUE(run.outcome());
}

TEST_F(SqliteTest, a_statement_forgets_the_values_of_the_run_before) {
  Statement insert(*database, "INSERT INTO t VALUES (?1, ?2)");
  ASSERT_TRUE(insert.execute(std::int64_t{1}, std::int64_t{2}));
  ASSERT_TRUE(insert.execute(std::int64_t{3}));
  Statement select(*database, "SELECT b FROM t WHERE a = 3");
  Rows run = select.run();
  ASSERT_TRUE(run.next());
  EXPECT_TRUE(run.is_null(0));
}

TEST_F(SqliteTest, a_failure_names_the_file_and_says_what_sqlite_says) {
  Statement wrong(*database, "SELECT * FROM missing");
  Rows run = wrong.run();
  EXPECT_FALSE(run.next());
  ASSERT_FALSE(run.outcome());
  const Failure failure = run.outcome().error();
  EXPECT_THAT(failure.message, HasSubstr(path));
  EXPECT_THAT(failure.message, HasSubstr("no such table: missing"));
  EXPECT_EQ(failure.kind, FailureKind::overloaded);
  EXPECT_EQ(failure.source, Source::gateway);
  EXPECT_FALSE(database->execute("NONSENSE"));
  EXPECT_TRUE(database->check()) << "a wrong statement is no damage";
}

TEST_F(SqliteTest, too_many_values_are_a_failure) {
  Statement insert(*database, "INSERT INTO t VALUES (?1, 0)");
  EXPECT_FALSE(insert.execute(std::int64_t{1}, std::int64_t{2}));
  EXPECT_EQ(rows(), 0);
  EXPECT_TRUE(insert.execute(std::int64_t{1}).has_value()) << "the next run is a new one";
}

TEST_F(SqliteTest, a_transaction_that_is_not_committed_is_undone) {
  {
    Transaction transaction(*database);
    ASSERT_TRUE(transaction.begun());
    ASSERT_TRUE(database->execute("INSERT INTO t VALUES (1, 2)"));
  }
  EXPECT_EQ(rows(), 0);
  Transaction transaction(*database);
  ASSERT_TRUE(transaction.begun());
  ASSERT_TRUE(database->execute("INSERT INTO t VALUES (1, 2)"));
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(rows(), 1);
}

TEST_F(SqliteTest, a_transaction_within_one_does_not_begin) {
  Transaction outer(*database);
  Transaction inner(*database);
  EXPECT_TRUE(outer.begun());
  EXPECT_FALSE(inner.begun());
}

TEST_F(SqliteTest, names_with_a_meaning_for_sqlite_are_files_like_any_other) {
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  for (const char* name : {":memory:", "file:x?mode=memory"}) {
    EXPECT_FALSE(Database::open(name)) << name;  // there is no such file
    std::ofstream{folder / name};
    EXPECT_TRUE(Database::open(name)) << name;
  }
  fs::current_path(before);
}

TEST_F(SqliteTest, damage_that_a_statement_has_met_is_not_forgotten) {
  database.reset();
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);  // the page of the table; the first page stays good
    file << std::string(4096, '\xA5');
  }
  database = Database::open(path).value();
  EXPECT_TRUE(database->check());
  EXPECT_EQ(rows(), -1);
  ASSERT_FALSE(database->check());
  EXPECT_THAT(database->check().error().message, HasSubstr("malformed"));
}

// --- the sources ---

struct Source {
  std::string name, text;
};

std::vector<Source> sources() {
  std::vector<Source> found;
  for (const char* below : {"src", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(test::in_project(below))) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
      std::ifstream in(entry.path());
      found.push_back({entry.path().string(), {std::istreambuf_iterator<char>(in), {}}});
    }
  }
  return found;
}

/// The calls that take text of statements, and how: "sqlite3_exec(db, sql.text(), ...)" gives "sql.text()".
std::vector<std::string> statement_arguments(const std::string& text) {
  static const std::regex call(R"(sqlite3_(?:exec|prepare\w*|get_table)\s*\(\s*[^,]+,\s*([^,]+),)");
  std::vector<std::string> arguments;
  for (std::sregex_iterator found(text.begin(), text.end(), call), end; found != end; ++found) {
    arguments.push_back((*found)[1]);
  }
  return arguments;
}

bool is_constant(const std::string& argument) {
  static const std::regex constant(R"rx("[^"]*"|(?:sql|sql_)\.text\(\))rx");
  return std::regex_match(argument, constant);
}

TEST(SqlSources, are_looked_at_by_a_check_that_finds_what_it_looks_for) {
  const auto found = statement_arguments("sqlite3_exec(a, \"X\", 0);\nsqlite3_prepare_v3(db,\n  text.c_str(), -1);");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(is_constant(found[0]));
  EXPECT_FALSE(is_constant(found[1]));
  EXPECT_FALSE(is_constant("\"a\" + b"));
  EXPECT_FALSE(is_constant("\"a\" + b + \"c\""));
}

TEST(SqlSources, hand_sqlite_nothing_but_constants_and_from_one_file) {
  std::size_t calls = 0;
  for (const Source& source : sources()) {
    const auto arguments = statement_arguments(source.text);
    calls += arguments.size();
    for (const auto& argument : arguments) EXPECT_TRUE(is_constant(argument)) << source.name << ": " << argument;
    for (const char* word : {"sqlite3_mprintf", "sqlite3_snprintf", "sqlite3_vmprintf", "sqlite3_str_"}) {
      EXPECT_EQ(source.text.find(word), std::string::npos) << source.name << ": " << word;
    }
    if (source.name.ends_with("src/io/storage/sqlite.cpp")) continue;
    EXPECT_EQ(source.text.find("sqlite3.h>"), std::string::npos) << source.name << " goes past the wrapper";
  }
  EXPECT_EQ(calls, 3u) << "Database::execute, Statement::begin, the rollback";
}

}  // namespace
}  // namespace tollgate::io::sqlite
