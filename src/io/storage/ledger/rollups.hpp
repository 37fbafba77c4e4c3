#pragma once
// The sums that are kept with the rows, so that a question about millions of requests reads thousands of sums. Which
// table holds which columns stands here once; writing and reading go by it.
#include "tollgate/io/usage.hpp"

#include "io/storage/sqlite.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace tollgate::io::ledger {

/// Set of dimensions, a bit each.
using Dimensions = std::uint32_t;
constexpr Dimensions bit(UsageDimension dimension) { return Dimensions{1} << static_cast<unsigned>(dimension); }

/// Where a row counts: names by their numbers in its file, 0 where it has none.
struct Place {
  std::int64_t hour = 0;  ///< since 1970, UTC
  std::int64_t tenant = 0, key = 0, route = 0, task = 0, model = 0, target = 0;
  std::int64_t user = 0;                            ///< the hash's bits
  std::vector<std::int64_t> tags;                   ///< of "k=v" each; empty: none
  std::int64_t of(UsageDimension dimension) const;  ///< not of a tag
  bool operator==(const Place&) const = default;
};

/// One table of sums. Its first column is the day or the hour.
struct Rollup {
  UsageDimension time;                      ///< day or hour
  std::span<const UsageDimension> columns;  ///< after the time
  sqlite::Sql add;                          ///< values: time, columns, measures
  sqlite::Sql read;                         ///< ?1 <= time < ?2; the same columns
};
std::span<const Rollup> rollups();
/// Makes their tables.
extern const sqlite::Sql rollup_tables;

/// The first table that has all these dimensions, or null. One that has tags counts a row once for each of them, and is
/// taken only where tags are asked for.
const Rollup* rollup_for(Dimensions needed);

/// Adds up what a batch adds to the tables, then writes each sum once. Lives with its database.
class RollupWriter {
 public:
  explicit RollupWriter(sqlite::Database& database);
  void add(const Place& place, const UsageSums& sums);
  /// Writes and forgets.
  Result<void> flush();
  void forget();

 private:
  static constexpr std::size_t most_columns = 6;
  using Key = std::array<std::int64_t, most_columns>;
  struct Table {
    const Rollup* rollup;
    std::unique_ptr<sqlite::Statement> statement;
    std::map<Key, UsageSums> sums;  ///< in the order of the table, which is the cheapest to write in
  };
  static Result<void> flush(Table& table);
  void spread();
  std::vector<Table> tables_;
  /// Of the rows of one place that came one after the other: not in the tables yet.
  std::optional<Place> place_;
  UsageSums sums_;
};

}  // namespace tollgate::io::ledger
