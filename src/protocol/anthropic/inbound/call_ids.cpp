#include "protocol/anthropic/inbound/call_ids.hpp"

#include "protocol/anthropic/inbound/tool_ids.hpp"

namespace tollgate::protocol::anthropic::inbound {

std::string CallIds::give(std::string_view id) {
  const std::string made = "toolu_" + answer_ + "_" + std::to_string(given_.size());
  std::string own = id.empty() ? made : message_call_id(id);
  // A provider's id may look like one that is made; with one more letter each it is nobody's.
  for (std::string other = made; !given_.insert(own).second; other += 'x') own = other;
  return own;
}

}  // namespace tollgate::protocol::anthropic::inbound
