#pragma once
#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace tollgate::simulator {

/// What Anthropic does not take in the schema of a structured output: objects that are not closed, limits of numbers,
/// lengths and counts, formats it does not know, and schemas that ask for themselves. Nothing: all is well.
std::optional<std::string> unsupported_in(const nlohmann::json& schema);

}  // namespace tollgate::simulator
