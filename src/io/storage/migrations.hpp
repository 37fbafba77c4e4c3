#pragma once
#include "io/storage/sqlite.hpp"

namespace tollgate::io::storage {

/// Whether the file must be one of ours already, or may be empty and become one.
enum class Expect { new_or_ours, ours };

/// Makes sure that the file is a store of ours that this version understands, and sound; where it is not, nothing has
/// been written to it. Then sets the connection up and brings an older file to this version, each step in one
/// transaction.
Result<void> prepare(sqlite::Database& database, Expect expect);

}  // namespace tollgate::io::storage
