#pragma once
#include "tollgate/config/snapshot.hpp"

#include <string>

namespace tollgate::config {

/// The JSON Schema (2020-12) of routes.yaml, for editors. Made from the same tables that the loader reads by.
std::string schema();

/// The whole configuration in effect, in the keys of the file as JSON: includes merged, every default spelled out,
/// every secret "***".
std::string effective(const Snapshot& snapshot);

}  // namespace tollgate::config
