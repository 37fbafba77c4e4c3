#pragma once
#include "tollgate/base/result.hpp"
#include "tollgate/config/snapshot.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::simulator {

/// "25%" or "0.25". Nothing if it is neither, or not a share.
std::optional<double> parse_share(std::string_view text);

/// A phase of the schedule on one line, with the keys of the file:
/// "from=10s,to=70s,failure_rate=100%,faults=error_503:1", "from=90s,to=150s,every=10s,for=3s,failure_rate=1",
/// "to=60s,ramp=0%:80%,slow=10". Several faults are joined by "+". Whether the keys make sense together is the
/// schedule's to say. The failure says which pair is wrong.
Result<config::SimulatorPhase> parse_phase(std::string_view text);

}  // namespace tollgate::simulator
