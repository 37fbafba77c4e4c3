#pragma once
#include "tollgate/io/usage.hpp"

#include <string>

namespace tollgate::server {

/// The JSON of GET /admin/v1/usage, which `tollgate usage --json` prints too. Amounts are texts with exact decimals of
/// dollars.
std::string usage_json(const io::UsageReport& report);

}  // namespace tollgate::server
