#pragma once
// What is made of a row before it goes into a file: its id as bytes, its hour, its sums.
#include "tollgate/io/ledger_rows.hpp"
#include "tollgate/io/usage.hpp"

#include "io/storage/ledger/files.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::io::ledger {

/// 16 bytes that stand for an id: those that a UUID's text says, else the first of the SHA-256 of whatever it is.
using RowId = std::array<char, 16>;
RowId row_id(std::string_view text);

/// When the request began: by its id where that is a UUID of version 7, so that it and all of its attempts lie in one
/// month and count in one hour; else `otherwise`. Inside the years 1970-2261.
SystemTime request_time(std::string_view request_id, SystemTime otherwise);

std::int64_t hours_since_1970(SystemTime time);

/// At most what a column can hold.
std::int64_t clamped(std::uint64_t count);

UsageSums sums_of(const AttemptRow& row);
UsageSums sums_of(const RequestRow& row);
/// The same, of a row that is read back.
struct AttemptFigures {
  std::array<std::int64_t, 11> counts{};  ///< input to searches, in the order of Measure
  std::optional<std::int64_t> cost;
  pipeline::Waste waste = pipeline::Waste::none;
  bool estimated = false, recovered = false;
};
AttemptFigures figures_of(const AttemptRow& row);
UsageSums sums_of(const AttemptFigures& figures);

/// The parts of "k=v,k=v", each once.
std::vector<std::string_view> tags_in(std::string_view tags);

/// "BUDGET:WINDOW ..." in hex and decimal, for people who check a balance against its rows.
std::string text_of(const std::vector<pipeline::BudgetShare>& shares);

}  // namespace tollgate::io::ledger
