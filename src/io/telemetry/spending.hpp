#pragma once
#include "tollgate/pipeline/record.hpp"

#include "io/telemetry/cells.hpp"

namespace tollgate::io::telemetry {

using RequestEntry = Table<4, RequestCells>::Entry;

/// Counts what a request's attempts have used and cost, each under the model that it asked. `entry`: the request's own.
void count_spending(WorkerCells& cells, RequestEntry& entry, const pipeline::RequestRecord& record);

/// Counts a request that was put to a provider under the names that OpenTelemetry gives.
void count_operation(WorkerCells& cells, RequestEntry& entry, const pipeline::RequestRecord& record);

}  // namespace tollgate::io::telemetry
