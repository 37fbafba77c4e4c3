#pragma once
#include "tollgate/base/money.hpp"

#include "io/telemetry/cells.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tollgate::io::telemetry {

using LabelValues = std::vector<std::string>;

struct HistogramTotal {
  std::vector<std::uint64_t> buckets;  ///< not cumulative, as in Histogram
  std::int64_t sum = 0;                ///< in the unit of its bounds
};

/// The workers' counts added up, each under the label values that its metric has. What never happened has no entry.
struct Totals {
  std::map<LabelValues, std::uint64_t> requests, attempts, retries, fallbacks, tokens, limited, unpriced, estimated;
  std::map<LabelValues, Money> cost, wasted;
  std::map<LabelValues, HistogramTotal> durations, first_tokens;
  std::map<LabelValues, HistogramTotal> operation_tokens, operation_durations, operation_first_tokens;
  HistogramTotal overhead;
  std::map<LabelValues, std::int64_t> connections;
  std::int64_t in_flight = 0, streams = 0;

  void add(const WorkerCells& worker);
};

}  // namespace tollgate::io::telemetry
