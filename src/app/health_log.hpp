#pragma once
#include "tollgate/io/diagnostics.hpp"
#include "tollgate/pipeline/health.hpp"

namespace tollgate::app {

/// A line for every circuit and every credential that has changed since the last call: the operator's alarm. Of a
/// credential only its configured name.
void tell_health(pipeline::HealthBook& book, io::Diagnostics& log);

}  // namespace tollgate::app
