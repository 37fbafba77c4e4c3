#pragma once
// How a message ends, whole or as a stream: why it stopped and what it used.
#include "tollgate/protocol/usage.hpp"

#include "protocol/json_write.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

struct Ending {
  std::string finish_reason;  ///< as the chat API's provider has said it; empty: it has not
  bool calls = false;         ///< tools are called
  bool cut_short = false;     ///< the last call's arguments are not whole
  std::string refusal;        ///< the inside of a JSON string; empty: nothing was refused
};

/// Writes `stop_reason`, `stop_sequence` (the chat API does not say at which one) and, of a refusal, `stop_details`.
void write_ending(json::Writer& out, const Ending& ending);

/// Writes the value of `usage`. Nothing known is all zeros: clients require the object.
void write_usage(json::Writer& out, const std::optional<Usage>& usage);

}  // namespace tollgate::protocol::anthropic::inbound
