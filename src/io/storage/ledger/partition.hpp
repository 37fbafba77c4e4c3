#pragma once
#include "tollgate/io/ledger_rows.hpp"
#include "tollgate/io/ledger_store.hpp"

#include "io/storage/ledger/files.hpp"
#include "io/storage/ledger/names.hpp"
#include "io/storage/ledger/rollups.hpp"
#include "io/storage/place.hpp"
#include "io/storage/sqlite.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::io::ledger {

/// The rows of a batch that belong to one month.
struct MonthRows {
  std::vector<const AttemptRow*> attempts;
  std::vector<const RequestRow*> requests;
};

/// One month's file, open for writing. After a failure it must be dropped: what it remembers may not be in the file.
class Partition {
 public:
  static Result<std::unique_ptr<Partition>> open(const std::string& path, const LedgerStoreOptions& options);
  Partition(storage::Place place, std::unique_ptr<sqlite::Database> database);

  /// One transaction.
  Result<void> write(const MonthRows& rows);
  Result<std::vector<BudgetBalance>> balances();
  Result<std::int64_t> identity();
  /// Moves the log into the file, so that the file alone is all.
  Result<void> empty_log();

 private:
  Result<Place> place_of(const RowAttribution& of, const std::string& target, SystemTime began_at);
  Result<void> add(const AttemptRow& row);
  Result<void> add(const RequestRow& row);
  Result<void> write_balances();

  const storage::Place place_;  // outlives the connection
  const std::unique_ptr<sqlite::Database> database_;
  NameWriter names_;
  RollupWriter rollups_;
  sqlite::Statement add_attempt_, add_request_, add_balance_, read_balances_;
  std::map<std::pair<std::uint64_t, std::int64_t>, std::int64_t> spent_;  ///< what this batch adds
};

}  // namespace tollgate::io::ledger
