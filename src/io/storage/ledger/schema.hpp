#pragma once
#include "io/storage/sqlite.hpp"

#include <cstdint>

namespace tollgate::io::ledger {

/// What a file of the folder is.
enum class Kind : std::uint8_t { month, carried };

/// Makes sure that the file is one of ours, of this kind and of a version that is understood; where it is not, nothing
/// has been written to it. Makes the tables of an empty file, in one transaction. Of a month, what every write needs is
/// read whole, so that damage is met now; reading all of it would take a start too long.
Result<void> prepare(sqlite::Database& database, Kind kind, bool synchronous_full);

/// The same without writing. False: the file is empty, its tables are about to be made by another process.
Result<bool> is_readable(sqlite::Database& database, Kind kind);

/// The number that a one-number query answers with; 0 where it answers with nothing.
Result<std::int64_t> number(sqlite::Database& database, sqlite::Sql sql);

}  // namespace tollgate::io::ledger
