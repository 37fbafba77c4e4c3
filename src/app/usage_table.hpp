#pragma once
#include "tollgate/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tollgate::app {

/// A usage report as people and spreadsheets read it, made of the admin API's JSON.
class UsageTable {
 public:
  /// A text that is no such report is a Failure.
  static Result<UsageTable> read(std::string_view json);

  /// Aligned columns, the totals in the last line. What would act on a terminal is shown as '?'.
  std::string text() const;
  /// All figures, as RFC 4180 has it; no totals.
  std::string csv() const;
  /// What has to be said beside: the time it covers, what was cut off, how much of the cost is not what a provider has
  /// said. A line each.
  std::string notes() const;

 private:
  using Line = std::vector<std::string>;
  std::vector<std::string> groups_, figures_;  ///< names of columns
  std::vector<Line> lines_;                    ///< groups, then figures
  Line totals_;                                ///< figures
  std::string since_, until_;
  bool truncated_ = false, from_rows_ = false, saturated_ = false;
  std::string figure_of_totals(std::string_view name) const;
};

}  // namespace tollgate::app
