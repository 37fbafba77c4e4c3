#pragma once
#include "tollgate/io/store.hpp"

#include "io/storage/sqlite.hpp"

#include <cstdint>
#include <vector>

namespace tollgate::io::storage {

/// The table of the audit. Triggers in the file keep it from being changed or shortened.
class AuditTable {
 public:
  explicit AuditTable(sqlite::Database& database);

  /// Belongs into a transaction of the caller's: it reads the last row before it adds one.
  Result<void> append(const policy::AuditEntry& entry);
  Result<std::vector<policy::AuditRow>> read(std::int64_t after_seq, std::int64_t limit);

 private:
  sqlite::Statement last_, insert_, read_;
};

}  // namespace tollgate::io::storage
