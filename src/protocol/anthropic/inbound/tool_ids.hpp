#pragma once
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

/// An id that is called so in one API, as the other one takes it: kept where it may be, else made of its digest, so
/// that the same id always becomes the same. For the chat API: at most 40 bytes (OpenAI).
std::string chat_call_id(std::string_view id);
/// For Anthropic's: letters, digits, `_` and `-`, at least one, and here at most 256.
std::string message_call_id(std::string_view id);

/// The first 16 bytes of the SHA-256 in hex: for a name that stands for someone without telling who.
std::string stand_in(std::string_view name);

}  // namespace tollgate::protocol::anthropic::inbound
