// The tables of sums. Their set is a choice: docs/usage-report.md says which questions each of them answers, and what
// is left to the rows.
#include "io/storage/ledger/rollups.hpp"

#include "io/storage/ledger/columns.hpp"

#include <algorithm>
#include <tuple>

namespace tollgate::io::ledger {

namespace {

using sqlite::Sql;
using enum UsageDimension;

// A table by its name, its column of time and its further columns: "NAME INTEGER NOT NULL" each, and plainly.
#define TOLLGATE_ROLLUP_TABLE(name, time, definitions, columns)                                      \
  "CREATE TABLE " name " (" time " INTEGER NOT NULL, " definitions ", " TOLLGATE_MEASURE_DEFINITIONS \
  ", PRIMARY KEY (" time ", " columns ")) STRICT, WITHOUT ROWID;"
#define TOLLGATE_ROLLUP_ADD(name, time, columns, places)                                        \
  "INSERT INTO " name " (" time ", " columns ", " TOLLGATE_MEASURE_NAMES ") VALUES (?, " places \
  ", " TOLLGATE_MEASURE_PLACES ") ON CONFLICT DO UPDATE SET " TOLLGATE_MEASURE_SUMS
#define TOLLGATE_ROLLUP_READ(name, time, columns) \
  "SELECT " time ", " columns ", " TOLLGATE_MEASURE_NAMES " FROM " name " WHERE " time " >= ?1 AND " time " < ?2"

constexpr std::array tag_columns{tenant, tag};
constexpr std::array key_task_columns{tenant, key, task};
constexpr std::array key_model_columns{tenant, key, model};
constexpr std::array route_columns{tenant, route, task, model, target};
constexpr std::array user_columns{tenant, user};
constexpr std::array hour_columns{tenant, model};

// The smallest first: the first that fits is read.
constexpr std::array table{
    Rollup{day, tag_columns, TOLLGATE_ROLLUP_ADD("tag_days", "day", "tenant, tag", "?, ?"),
           TOLLGATE_ROLLUP_READ("tag_days", "day", "tenant, tag")},
    Rollup{day, key_task_columns, TOLLGATE_ROLLUP_ADD("key_task_days", "day", "tenant, key, task", "?, ?, ?"),
           TOLLGATE_ROLLUP_READ("key_task_days", "day", "tenant, key, task")},
    Rollup{day, key_model_columns, TOLLGATE_ROLLUP_ADD("key_model_days", "day", "tenant, key, model", "?, ?, ?"),
           TOLLGATE_ROLLUP_READ("key_model_days", "day", "tenant, key, model")},
    Rollup{day, route_columns,
           TOLLGATE_ROLLUP_ADD("route_days", "day", "tenant, route, task, model, target", "?, ?, ?, ?, ?"),
           TOLLGATE_ROLLUP_READ("route_days", "day", "tenant, route, task, model, target")},
    Rollup{day, user_columns, TOLLGATE_ROLLUP_ADD("user_days", "day", "tenant, user", "?, ?"),
           TOLLGATE_ROLLUP_READ("user_days", "day", "tenant, user")},
    Rollup{hour, hour_columns, TOLLGATE_ROLLUP_ADD("model_hours", "hour", "tenant, model", "?, ?"),
           TOLLGATE_ROLLUP_READ("model_hours", "hour", "tenant, model")},
};

constexpr std::int64_t hours_of_day = 24;

std::int64_t floored_day(std::int64_t hours) {
  return hours >= 0 ? hours / hours_of_day : -((-hours + hours_of_day - 1) / hours_of_day);
}

Dimensions dimensions_of(const Rollup& rollup) {
  Dimensions all = bit(rollup.time);
  for (const UsageDimension column : rollup.columns) all |= bit(column);
  if (rollup.time == hour) all |= bit(day);
  return all;
}

}  // namespace

const Sql rollup_tables = TOLLGATE_ROLLUP_TABLE(
    "tag_days", "day", "tenant INTEGER NOT NULL, tag INTEGER NOT NULL",
    "tenant, tag") TOLLGATE_ROLLUP_TABLE("key_task_days", "day",
                                         "tenant INTEGER NOT NULL, key INTEGER NOT NULL, task INTEGER NOT NULL",
                                         "tenant, key, task")
    TOLLGATE_ROLLUP_TABLE("key_model_days", "day",
                          "tenant INTEGER NOT NULL, key INTEGER NOT NULL, model INTEGER NOT NULL", "tenant, key, model")
        TOLLGATE_ROLLUP_TABLE("route_days", "day",
                              "tenant INTEGER NOT NULL, route INTEGER NOT NULL, task INTEGER NOT NULL, "
                              "model INTEGER NOT NULL, target INTEGER NOT NULL",
                              "tenant, route, task, model, target")
            TOLLGATE_ROLLUP_TABLE("user_days", "day", "tenant INTEGER NOT NULL, user INTEGER NOT NULL", "tenant, user")
                TOLLGATE_ROLLUP_TABLE("model_hours", "hour", "tenant INTEGER NOT NULL, model INTEGER NOT NULL",
                                      "tenant, model");

std::span<const Rollup> rollups() { return table; }

const Rollup* rollup_for(Dimensions needed) {
  const auto found = std::find_if(table.begin(), table.end(), [needed](const Rollup& rollup) {
    const Dimensions there = dimensions_of(rollup);
    return (needed & ~there) == 0 && (there & bit(tag)) == (needed & bit(tag));
  });
  return found != table.end() ? &*found : nullptr;
}

std::int64_t Place::of(UsageDimension dimension) const {
  switch (dimension) {
    case UsageDimension::tenant: return tenant;
    case UsageDimension::key: return key;
    case UsageDimension::route: return route;
    case UsageDimension::task: return task;
    case UsageDimension::model: return model;
    case UsageDimension::target: return target;
    case UsageDimension::user: return user;
    case UsageDimension::day: return floored_day(hour);
    case UsageDimension::hour: return hour;
    case UsageDimension::tag: break;
  }
  return 0;
}

RollupWriter::RollupWriter(sqlite::Database& database) {
  for (const Rollup& rollup : table)
    tables_.push_back({&rollup, std::make_unique<sqlite::Statement>(database, rollup.add), {}});
}

void RollupWriter::add(const Place& place, const UsageSums& sums) {
  if (place_ != place) {
    spread();
    place_ = place;
  }
  sums_.add(sums);
}

/// Into every table what has come together for one place.
void RollupWriter::spread() {
  if (!place_) return;
  static const std::vector<std::int64_t> no_tag{0};
  const Place& place = *place_;
  const UsageSums& sums = sums_;
  for (Table& each : tables_) {
    Key key{};
    key[0] = place.of(each.rollup->time);
    std::size_t tag_at = 0;
    for (std::size_t i = 0; i < each.rollup->columns.size(); ++i) {
      key[i + 1] = place.of(each.rollup->columns[i]);
      if (each.rollup->columns[i] == tag) tag_at = i + 1;
    }
    if (tag_at == 0) {
      each.sums[key].add(sums);
      continue;
    }
    for (const std::int64_t one : place.tags.empty() ? no_tag : place.tags) {
      key[tag_at] = one;
      each.sums[key].add(sums);
    }
  }
  place_.reset();
  sums_ = {};
}

namespace {

/// Binds a time, so many columns and all measures.
template <std::size_t columns>
Result<std::int64_t> add_sums(sqlite::Statement& statement, const std::int64_t* key, const UsageSums& sums) {
  std::array<std::int64_t, 1 + columns + usage_measures> values{};
  std::copy_n(key, 1 + columns, values.begin());
  std::copy(sums.values.begin(), sums.values.end(), values.begin() + 1 + columns);
  return std::apply([&statement](auto... each) { return statement.execute(each...); }, values);
}

}  // namespace

Result<void> RollupWriter::flush(Table& each) {
  for (const auto& [key, sums] : each.sums) {
    const std::size_t columns = each.rollup->columns.size();
    const auto added = columns == 2   ? add_sums<2>(*each.statement, key.data(), sums)
                       : columns == 3 ? add_sums<3>(*each.statement, key.data(), sums)
                                      : add_sums<5>(*each.statement, key.data(), sums);
    if (!added) return added.error();
  }
  each.sums.clear();
  return {};
}

Result<void> RollupWriter::flush() {
  spread();
  for (Table& each : tables_)
    if (auto flushed = flush(each); !flushed) return flushed;
  return {};
}

void RollupWriter::forget() {
  place_.reset();
  sums_ = {};
  for (Table& each : tables_) each.sums.clear();
}

}  // namespace tollgate::io::ledger
