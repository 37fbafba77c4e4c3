#pragma once
#include "tollgate/base/result.hpp"
#include "tollgate/policy/time_zone.hpp"

#include <memory>
#include <string>
#include <vector>

/// The machine's time zone database (package tzdata). These read files; call them when the configuration is loaded. The
/// database is read once in a process: a newer one counts from the next start on.
namespace tollgate::io {

/// A zone by its IANA name, "Europe/Berlin", as far as the database says what clocks will show: with Debian's until
/// 2037, and as in its last year after that. The failure's message says why there is none.
Result<std::shared_ptr<const policy::TimeZone>> read_time_zone(const std::string& name);

/// All names, links included; none where there is no database.
std::vector<std::string> time_zone_names();

}  // namespace tollgate::io
