#pragma once
#include <cstdint>

namespace tollgate::policy {

/// A window of a budget that an attempt's cost counts against. Without initial values: every request has room for many
/// of them and fills a few.
struct BudgetShare {
  std::uint64_t budget;  ///< Budget::id()
  std::int64_t window;   ///< its begin, Unix seconds
  bool operator==(const BudgetShare&) const = default;
};

}  // namespace tollgate::policy
