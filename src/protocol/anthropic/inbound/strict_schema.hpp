#pragma once
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

/// A schema that OpenAI enforces strictly: each object in it is closed (`additionalProperties: false`) and requires
/// every one of its properties. Anthropic asks for the first only. The schema is valid JSON. Linear, as deep as a
/// Reader goes.
bool fits_strict(std::string_view schema);

}  // namespace tollgate::protocol::anthropic::inbound
