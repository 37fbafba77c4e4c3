#include "protocol/anthropic/inbound/tool_ids.hpp"

#include "tollgate/base/digest.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::inbound {
namespace {

constexpr std::size_t longest_chat_id = 40;
constexpr std::size_t longest_message_id = 256;

bool is_id_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' ||
         byte == '-';
}

}  // namespace

std::string stand_in(std::string_view name) { return to_hex(sha256(name)).substr(0, 32); }

std::string chat_call_id(std::string_view id) {
  return id.size() <= longest_chat_id ? std::string(id) : "call_" + stand_in(id);
}

std::string message_call_id(std::string_view id) {
  const bool fits = !id.empty() && id.size() <= longest_message_id && std::ranges::all_of(id, is_id_byte);
  return fits ? std::string(id) : "toolu_" + stand_in(id);
}

}  // namespace tollgate::protocol::anthropic::inbound
