#pragma once
#include "tollgate/io/ledger_store.hpp"

#include "io/storage/place.hpp"
#include "io/storage/sqlite.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tollgate::io::ledger {

/// carried.db: what months that are gone hold of windows that may still be open. Its lock is the folder's: who has it
/// open is the one process that writes there.
class Carried {
 public:
  static Result<std::unique_ptr<Carried>> open(const std::string& folder, const LedgerStoreOptions& options);
  Carried(storage::Place place, std::unique_ptr<sqlite::Database> database);

  /// All of them, or none. Twice the same changes nothing. On the disk when it returns.
  Result<void> keep(std::int64_t identity, std::span<const BudgetBalance> balances);
  /// Of all files but these, which are still there to be asked themselves.
  Result<std::vector<BudgetBalance>> balances_without(const std::set<std::int64_t>& identities);

 private:
  const storage::Place place_;  // outlives the connection
  const std::unique_ptr<sqlite::Database> database_;
  sqlite::Statement keep_, read_;
};

}  // namespace tollgate::io::ledger
