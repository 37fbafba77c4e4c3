#pragma once
#include "tollgate/base/result.hpp"
#include "tollgate/pipeline/record.hpp"

#include <cstdint>
#include <string_view>

namespace tollgate::pipeline {

/// The status for an error that an upstream sent under a 200: its own code where that is one, else what its words say,
/// else 502.
std::uint16_t status_of(std::string_view error_json);

/// How a request ends that has failed so. `content_sent`: part of an answer has gone out.
Outcome outcome_of(const Failure& failure, bool content_sent);

/// Whose fault an error status of the upstream is.
Outcome outcome_of(std::uint16_t status);

}  // namespace tollgate::pipeline
