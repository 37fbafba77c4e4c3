#pragma once
#include "tollgate/base/result.hpp"

#include "io/storage/ledger/schema.hpp"

#include <string>

namespace tollgate::io::ledger {

/// Makes the file with its tables where there is none: under another name first, so that a power cut at any moment
/// leaves no file or a whole one. On the disk when it returns.
Result<void> make_where_missing(const std::string& path, Kind kind);

}  // namespace tollgate::io::ledger
