#pragma once
#include "tollgate/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::io::ledger {

/// A UTC month, whose rows lie in one file.
using Month = std::chrono::year_month;

Month month_of(SystemTime time);
SystemTime begin_of(Month month);

std::string file_name(Month month);  ///< "ledger-2026-11.db"
std::optional<Month> month_named(std::string_view file_name);

/// The months that there are files of, the oldest first. A folder that is not there or cannot be read has none.
std::vector<Month> months_in(const std::string& folder);
std::string path_of(const std::string& folder, Month month);

}  // namespace tollgate::io::ledger
