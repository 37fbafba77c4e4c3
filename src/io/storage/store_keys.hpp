#pragma once
#include "tollgate/io/store.hpp"

#include "io/storage/sqlite.hpp"

#include <string_view>
#include <vector>

namespace tollgate::io::storage {

/// The table of keys. What changes it belongs into a transaction of the caller's.
class KeyTable {
 public:
  explicit KeyTable(sqlite::Database& database);

  Result<std::vector<KeyRow>> list(bool include_revoked);
  Result<void> add(const KeyRow& row);
  Result<bool> revoke(std::string_view id, SystemTime now);

 private:
  Result<void> refuse_what_is_there(const KeyRow& row);

  sqlite::Statement list_, same_, live_, insert_, revoke_;
};

}  // namespace tollgate::io::storage
