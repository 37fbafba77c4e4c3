#pragma once
#include "tollgate/base/result.hpp"
#include "tollgate/pipeline/exchange.hpp"

/// The steps of serve(), in their order.
namespace tollgate::pipeline {

/// Scans the body once: model, stream, and the places that may be spliced.
Result<void> parse(Exchange& exchange);

/// Finds what the requested name means and plans the splices for its target.
Result<void> route(Exchange& exchange);

}  // namespace tollgate::pipeline
