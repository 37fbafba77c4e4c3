#pragma once
#include "protocol/anthropic/inbound/to_chat_notes.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/json_write.hpp"

namespace tollgate::protocol::anthropic::inbound {

/// Writes the members `tools`, `tool_choice` and `parallel_tool_calls` where there is something to say. False: refused.
bool write_tools(const json::Value& tools, const json::Value& choice, json::Writer& out, Notes& notes);

}  // namespace tollgate::protocol::anthropic::inbound
