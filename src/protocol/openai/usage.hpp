#pragma once
#include "tollgate/protocol/openai/reply.hpp"

#include "protocol/json_scan.hpp"

#include <optional>

namespace tollgate::protocol::openai {

/// Steps over the next value and returns the counts in it. Nothing if it is not an object, has none of the known
/// counts, or one that is no whole number from 0 to 2^53: such a report is not believed in part.
std::optional<Usage> take_usage(json::Reader& reader);

/// Steps over the next value; where it is an object, returns the counts of its member `usage`.
std::optional<Usage> take_nested_usage(json::Reader& reader);

}  // namespace tollgate::protocol::openai
