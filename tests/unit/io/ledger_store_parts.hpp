#pragma once
// What the tests of the ledger's store share: a folder of their own, rows by chance, the sums that a report must come
// to made the plain way, and SQLite's own way into a file.
#include "tollgate/base/digest.hpp"
#include "tollgate/base/ids.hpp"
#include "tollgate/base/random.hpp"
#include "tollgate/io/ledger_store.hpp"
#include "tollgate/io/usage.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::io {

inline void PrintTo(const UsageSums& sums, std::ostream* out) {
  for (std::size_t i = 0; i < usage_measures; ++i)
    if (sums.values[i] != 0) *out << name_of(static_cast<Measure>(i)) << "=" << sums.values[i] << " ";
}

}  // namespace tollgate::io

namespace tollgate::io::ledger_tests {

namespace fs = std::filesystem;
using std::chrono::hours;
using enum UsageDimension;

inline SystemTime day_of(int year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day));
}
inline std::int64_t unix_seconds(SystemTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

class Folder {
 public:
  Folder() {
    // In memory where that is possible: what is tested are the calls, and a busy disk takes a second for a sync.
    for (const fs::path& parent : {fs::path("/dev/shm"), fs::temp_directory_path()}) {
      std::string name = (parent / "ledger_XXXXXX").string();
      if (::mkdtemp(name.data()) == nullptr) continue;
      path = name;
      return;
    }
    throw std::runtime_error("no temporary folder");
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

/// Rows by chance, all from one seed. A request has one to three attempts.
class Rows {
 public:
  explicit Rows(std::uint64_t seed, SystemTime begin = day_of(2026, 10, 1), hours span = hours(24 * 92))
      : random_(seed), begin_(begin), span_(span) {}

  void add_request(LedgerBatch& batch) {
    const SystemTime began_at = begin_ + std::chrono::milliseconds(below(std::chrono::milliseconds(span_).count()));
    RequestRow request;
    RowAttribution& of = request.of;
    of.request_id = id(began_at);
    of.tenant = pick("tenant", 4);
    of.key = of.tenant.empty() ? "" : of.tenant + pick("-key", 3);
    of.route = pick("route", 2);
    of.task = pick("task", 3);
    of.model = pick("model", 4);
    of.end_user = below(3) == 0 ? 0 : below(20) + 1;
    of.tags = tags();
    request.target = "p/" + of.model;
    request.endpoint = "/v1/chat/completions";
    request.began_at = began_at;
    request.attempts = static_cast<std::uint16_t>(1 + below(3));
    for (std::uint16_t number = 1; number <= request.attempts; ++number) {
      batch.attempts.push_back(attempt(request, number));
      const AttemptRow& row = batch.attempts.back();
      request.cost = Money{request.cost.value_or(Money{}).nanos + row.cost.value_or(Money{}).nanos};
    }
    batch.requests.push_back(request);
  }
  LedgerBatch batch(std::size_t requests) {
    LedgerBatch made;
    for (std::size_t i = 0; i < requests; ++i) add_request(made);
    return made;
  }
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  std::string id(SystemTime time) { return std::string(Uuid::v7(time, random_).text()); }

 private:
  AttemptRow attempt(const RequestRow& request, std::uint16_t number) {
    AttemptRow row;
    row.of = request.of;
    row.attempt_id = id(request.began_at);
    row.number = number;
    row.target = number == request.attempts ? request.target : "p/other";
    row.credential = "main";
    // A later attempt may begin in the next month; it belongs to its request's.
    row.began_at = request.began_at + hours(number - 1);
    row.usage.input = below(5000);
    row.usage.cached_input = row.usage.input / 3;
    row.usage.output = below(800);
    row.usage.reasoning = row.usage.output / 2;
    row.usage.searches = below(2);
    if (below(20) != 0) row.cost = Money{static_cast<std::int64_t>(below(2'000'000'000))};
    if (number < request.attempts) row.waste = static_cast<pipeline::Waste>(1 + below(5));
    row.estimated = below(10) == 0;
    row.recovered = below(30) == 0;
    row.price = "gpt@2026-01-01";
    row.budgets = {{7, unix_seconds(day_of(2026, 10, 1))}, {9, 0}};
    return row;
  }
  std::string pick(const char* name, std::uint64_t count) {
    const std::uint64_t number = below(count + 1);
    return number == 0 ? std::string() : name + std::to_string(number);
  }
  std::string tags() {
    std::string text;
    if (below(2) == 0) text = "cost_center=" + std::to_string(below(3));
    if (below(3) == 0) text += (text.empty() ? "" : ",") + std::string("team=") + (below(2) == 0 ? "red" : "blue");
    return text;
  }

  Random random_;
  SystemTime begin_;
  hours span_;
};

/// What a report must say, made from the rows themselves and by other means than the store's.
class Model {
 public:
  void add(const LedgerBatch& batch) {
    for (const RequestRow& row : batch.requests) {
      began_[row.of.request_id] = row.began_at;
      if (!ids_.insert("r" + row.of.request_id).second) continue;
      UsageSums sums;
      sums[Measure::requests] = 1;
      rows_.push_back({row.of, row.target, row.began_at, sums});
    }
    for (const AttemptRow& row : batch.attempts) {
      if (!ids_.insert("a" + row.attempt_id).second) continue;
      rows_.push_back({row.of, row.target, began_.at(row.of.request_id), sums_of(row)});
      for (const auto& share : row.budgets) balances_[{share.budget, share.window}] += row.cost.value_or(Money{}).nanos;
    }
  }

  using Where = std::vector<std::pair<UsageDimension, std::string>>;
  std::map<std::vector<std::string>, UsageSums> grouped(const std::vector<UsageDimension>& by, const Where& where = {},
                                                        SystemTime since = SystemTime(),
                                                        SystemTime until = SystemTime::max()) const {
    std::map<std::vector<std::string>, UsageSums> groups;
    for (const Row& row : rows_) {
      if (row.began_at < since || row.began_at >= until) continue;
      const bool about_tags = std::count(by.begin(), by.end(), tag) > 0 ||
                              std::any_of(where.begin(), where.end(), [](const auto& w) { return w.first == tag; });
      for (const std::string& one : about_tags ? tags_of(row.of.tags) : std::vector<std::string>{""}) {
        const auto fits = [&](const auto& w) { return value(row, w.first, one) == w.second; };
        if (!std::all_of(where.begin(), where.end(), fits)) continue;
        std::vector<std::string> group;
        for (const UsageDimension dimension : by) group.push_back(value(row, dimension, one));
        groups[group].add(row.sums);
      }
    }
    return groups;
  }
  const auto& balances() const { return balances_; }

 private:
  struct Row {
    RowAttribution of;
    std::string target;
    SystemTime began_at;
    UsageSums sums;
  };
  static std::vector<std::string> tags_of(const std::string& tags) {
    const auto comma = tags.find(',');
    if (comma == tags.npos) return {tags};
    return {tags.substr(0, comma), tags.substr(comma + 1)};
  }
  static std::string value(const Row& row, UsageDimension dimension, const std::string& one_tag) {
    switch (dimension) {
      case tenant: return row.of.tenant;
      case key: return row.of.key;
      case route: return row.of.route;
      case task: return row.of.task;
      case model: return row.of.model;
      case target: return row.target;
      case tag: return one_tag;
      case user: return row.of.end_user == 0 ? "" : hex(row.of.end_user);
      case day: return date(row.began_at);
      case hour: return date(row.began_at) + "T" + two((unix_seconds(row.began_at) / 3600) % 24) + ":00Z";
    }
    return {};
  }
  static std::string two(std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }
  static std::string date(SystemTime time) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
    return std::to_string(static_cast<int>(day.year())) + "-" + two(static_cast<unsigned>(day.month())) + "-" +
           two(static_cast<unsigned>(day.day()));
  }
  static std::string hex(std::uint64_t number) {
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; number >>= 4) text[i] = "0123456789abcdef"[number & 15];
    return text;
  }
  static UsageSums sums_of(const AttemptRow& row) {
    UsageSums sums;
    const std::int64_t cost = row.cost.value_or(Money{}).nanos;
    sums[Measure::attempts] = 1;
    sums[Measure::input_tokens] = static_cast<std::int64_t>(row.usage.input);
    sums[Measure::cached_input_tokens] = static_cast<std::int64_t>(row.usage.cached_input);
    sums[Measure::output_tokens] = static_cast<std::int64_t>(row.usage.output);
    sums[Measure::reasoning_tokens] = static_cast<std::int64_t>(row.usage.reasoning);
    sums[Measure::searches] = static_cast<std::int64_t>(row.usage.searches);
    sums[Measure::cost] = cost;
    if (!row.cost) sums[Measure::unpriced] = 1;
    if (row.waste == pipeline::Waste::retry) sums[Measure::wasted_retry] = cost;
    if (row.waste == pipeline::Waste::fallback) sums[Measure::wasted_fallback] = cost;
    if (row.waste == pipeline::Waste::hedge) sums[Measure::wasted_hedge] = cost;
    if (row.waste == pipeline::Waste::truncated) sums[Measure::wasted_truncated] = cost;
    if (row.waste == pipeline::Waste::abandoned) sums[Measure::wasted_abandoned] = cost;
    if (row.estimated) sums[Measure::estimated] = 1, sums[Measure::estimated_cost] = cost;
    if (row.recovered) sums[Measure::recovered] = 1, sums[Measure::recovered_cost] = cost;
    return sums;
  }

  std::vector<Row> rows_;
  std::set<std::string> ids_;
  std::map<std::string, SystemTime> began_;
  std::map<std::pair<std::uint64_t, std::int64_t>, std::int64_t> balances_;
};

inline std::map<std::vector<std::string>, UsageSums> groups_of(const UsageReport& report) {
  std::map<std::vector<std::string>, UsageSums> groups;
  for (const UsageRow& row : report.rows) {
    EXPECT_FALSE(groups.contains(row.group));
    groups[row.group] = row.sums;
  }
  return groups;
}

class LedgerStoreTest : public testing::Test {
 protected:
  void open() {
    store.reset();
    auto opened = LedgerStore::open(where(), options);
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
  }
  void write(const LedgerBatch& batch) {
    const auto written = store->write(batch);
    ASSERT_TRUE(written) << written.error().message;
  }
  std::string where() const { return folder.path.string(); }
  std::string file(const std::string& month = "2026-11") const { return where() + "/ledger-" + month + ".db"; }

  UsageReport report(std::vector<UsageDimension> by, Model::Where filters = {}, SystemTime since = day_of(2020, 1, 1),
                     SystemTime until = day_of(2030, 1, 1)) const {
    UsageQuery query{std::move(by), since, until, std::move(filters), 1'000'000};
    auto made = UsageReader(where()).usage(query);
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : UsageReport();
  }
  std::map<std::pair<std::uint64_t, std::int64_t>, std::int64_t> balances(std::int64_t since = 0) {
    std::map<std::pair<std::uint64_t, std::int64_t>, std::int64_t> found;
    const auto read = store->balances(since);
    EXPECT_TRUE(read) << read.error().message;
    if (read)
      for (const BudgetBalance& one : *read) found[{one.budget, one.window}] = one.spent.nanos;
    return found;
  }
  void expect_equal(const Model& model) {
    for (const std::vector<UsageDimension>& by : {std::vector{tenant},
                                                  {tenant, key, model_},
                                                  {task, route},
                                                  {user},
                                                  {tag},
                                                  {day},
                                                  {hour, model_},
                                                  {key, task, user}})
      EXPECT_EQ(groups_of(report(by)), model.grouped(by));
    EXPECT_EQ(balances(), model.balances());
  }
  static constexpr UsageDimension model_ = UsageDimension::model;

  /// Every table of a file as text, past the store.
  static std::string dump(const std::string& path) {
    std::string text;
    for (const char* table : {"names", "attempts", "requests", "balances", "tag_days", "key_task_days",
                              "key_model_days", "route_days", "user_days", "model_hours"})
      text += std::string(table) + ":" + raw(path, std::string("SELECT * FROM ") + table) + "\n";
    return text;
  }
  /// What a statement says, "error: ..." where SQLite refuses it.
  static std::string raw(const std::string& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    std::string said;
    char* error = nullptr;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5000);
    const auto take = [](void* to, int count, char** values, char**) {
      for (int i = 0; i < count; ++i)
        static_cast<std::string*>(to)->append(values[i] ? values[i] : "NULL").append(i + 1 < count ? "|" : "\n");
      return 0;
    };
    if (sqlite3_exec(handle, sql.c_str(), take, &said, &error) != SQLITE_OK) said = std::string("error: ") + error;
    sqlite3_free(error);
    sqlite3_close(handle);
    return said;
  }
  static std::string content_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  Folder folder;
  LedgerStoreOptions options;
  std::unique_ptr<LedgerStore> store;
};

}  // namespace tollgate::io::ledger_tests
