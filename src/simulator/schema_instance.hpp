#pragma once
#include <nlohmann/json_fwd.hpp>

#include <string>

namespace tollgate::simulator {

/// The text of a small JSON value that satisfies a JSON schema: required members only, the shortest lists, the first of
/// any choice. Understands type, const, enum, default, properties, required, items, prefixItems, anyOf, oneOf, allOf,
/// $ref within the document, format, and the limits of lengths and numbers; not `pattern`. Where the schema asks for
/// itself without an end, null ends it.
std::string instance_of(const nlohmann::json& schema);

}  // namespace tollgate::simulator
