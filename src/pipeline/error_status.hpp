#pragma once
#include "tollgate/pipeline/record.hpp"

#include <cstdint>
#include <string_view>

namespace tollgate::pipeline {

/// The status for an error that an upstream sent under a 200: its own code where that is one, else what its words say,
/// else 502.
std::uint16_t status_of(std::string_view error_json);

/// Whose fault an error status of the upstream is.
Outcome outcome_of(std::uint16_t status);

}  // namespace tollgate::pipeline
