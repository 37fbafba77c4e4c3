#pragma once
#include "tollgate/simulator/server.hpp"

#include "simulator/responder.hpp"

#include <optional>
#include <string>

namespace tollgate::simulator {

/// The body of GET /stats; docs/simulator.md says what it holds.
std::string stats_json(const Stats& stats, const Gauges& gauges, const std::optional<Moment>& moment);

}  // namespace tollgate::simulator
