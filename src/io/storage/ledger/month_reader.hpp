#pragma once
#include "tollgate/io/usage.hpp"

#include "io/storage/ledger/rollups.hpp"
#include "io/storage/ledger/row_values.hpp"
#include "io/storage/ledger/usage_groups.hpp"
#include "io/storage/sqlite.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tollgate::io::ledger {

/// What a query comes to, the same for every month.
struct UsagePlan {
  const Rollup* rollup = nullptr;  ///< null: rows are read
  Dimensions by = 0;
  Dimensions about = 0;                                        ///< by it or where it
  std::vector<std::pair<UsageDimension, std::int64_t>> where;  ///< numbers of the NameBook, a user's bits
  std::int64_t from_hour = 0, to_hour = 0;  ///< from <= hour < to; whole days but for a query by hour
  bool is_about(UsageDimension dimension) const { return (about & bit(dimension)) != 0; }
};

/// Adds what one file holds to the groups of a query. Reads one consistent state of it.
class MonthReader {
 public:
  MonthReader(sqlite::Database& database, const UsagePlan& plan, NameBook& names, Groups& groups,
              const std::function<bool()>& cancelled);
  Result<void> read();

 private:
  /// A row's numbers by dimension, in the numbers of the NameBook where the plan is about it.
  using Values = GroupKey;

  Result<void> read_rollup();
  Result<void> read_attempts();
  Result<void> read_requests();
  /// Of columns that begin with: hour, tenant, key, route, task, model, target, user, tags.
  Result<bool> place_row(const sqlite::Rows& rows, Values& values);
  Result<void> take_row(const Values& values, std::int64_t tags, const UsageSums& sums);
  Result<std::int64_t> known_number(std::int64_t local);
  Result<std::string> text_of(std::int64_t local);
  Result<const std::vector<std::int64_t>*> tags_of(std::int64_t local);
  bool fits(const Values& values) const;
  void count(const Values& values, const UsageSums& sums);
  Result<void> go_on();

  const UsagePlan& plan_;
  NameBook& names_;
  Groups& groups_;
  const std::function<bool()>& cancelled_;
  sqlite::Database& database_;
  sqlite::Statement name_;
  std::vector<std::int64_t> numbers_;  ///< of the file's names; -1: not asked yet
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> tags_;
  std::uint32_t steps_ = 0;
};

}  // namespace tollgate::io::ledger
