#pragma once
// The words of the gateway's own that stand in a client's API: its errors and its sign of life.
#include "tollgate/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol {

/// The API that a client speaks.
enum class Surface : std::uint8_t { openai, anthropic };

/// The failure as an error's body. `status` is the one it goes out with.
std::string error_body(Surface surface, const Failure& failure, std::uint16_t status, std::string_view request_id);
/// An error's body, whoever's, as an event of a stream that has begun.
std::string error_event(Surface surface, std::string_view body);
/// An event without meaning.
std::string_view heartbeat(Surface surface);

}  // namespace tollgate::protocol
