#pragma once
#include "tollgate/protocol/openai/request.hpp"

#include <optional>
#include <string_view>

namespace tollgate::protocol::openai {

/// What to splice into an answer, or into the data of an event, so that its usage says what it cost: the member
/// `cost_usd` as the last of the `usage` object (top level, else in `response`; of several the last, which is the one
/// that JSON readers believe). A `cost_usd` that is there already is replaced. `amount` is a JSON number, as text.
/// Nothing where there is no such object, or the text is no JSON object. Offsets are into `json`.
std::optional<Splice> plan_cost(std::string_view json, std::string_view amount);

}  // namespace tollgate::protocol::openai
