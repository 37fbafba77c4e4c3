#pragma once
#include "protocol/anthropic/inbound/to_chat_notes.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/json_write.hpp"

namespace tollgate::protocol::anthropic::inbound {

/// Writes `system` and `messages` of a message request, valid JSON both, as the elements of the chat API's `messages`.
/// False: refused, and the notes say why.
bool write_turns(const json::Value& system, const json::Value& messages, json::Writer& out, Notes& notes);

}  // namespace tollgate::protocol::anthropic::inbound
