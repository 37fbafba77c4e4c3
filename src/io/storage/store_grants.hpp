#pragma once
#include "tollgate/io/store.hpp"

#include "io/storage/sqlite.hpp"

#include <vector>

namespace tollgate::io::storage {

/// The table of grants, to which rows are only added. What changes it belongs into a transaction of the caller's.
class GrantTable {
 public:
  explicit GrantTable(sqlite::Database& database);

  /// Those that have not ended at `now`.
  Result<std::vector<GrantRow>> list(SystemTime now);
  Result<void> add(const GrantRow& row);

 private:
  sqlite::Statement list_, insert_;
};

}  // namespace tollgate::io::storage
