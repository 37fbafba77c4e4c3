#pragma once
#include "io/storage/sqlite.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tollgate::io::ledger {

/// The numbers that stand for texts in the rows of one file, so that a row of a million names none. Remembers the last
/// few ten thousand. After a transaction that was undone it must not be used again: it may know numbers that are gone.
class NameWriter {
 public:
  explicit NameWriter(sqlite::Database& database);
  /// 0 for an empty text.
  Result<std::int64_t> number_of(std::string_view text);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  sqlite::Statement find_, add_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> known_;
};

}  // namespace tollgate::io::ledger
