#pragma once
// What a chat provider says in a message or in a delta of one: the same members, whole or in pieces.
#include "protocol/json_scan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

/// A tool's call, or a piece of one.
struct CallPart {
  std::optional<std::int64_t> index;
  std::string id, name;   ///< decoded; empty: not named
  std::string arguments;  ///< decoded; an object in place of a text as it is written
};

/// Texts are insides of JSON strings, views of what is read.
struct ChatDelta {
  std::string_view thinking, refusal;
  std::string content;
  json::Value tool_calls, function_call;
};

ChatDelta read_delta(std::string_view message);

CallPart read_call(const json::Value& call);

/// The older form of a call, one a message.
CallPart read_function_call(const json::Value& call);

}  // namespace tollgate::protocol::anthropic::inbound
