#pragma once
#include "protocol/anthropic/inbound/chat_parts.hpp"
#include "protocol/anthropic/inbound/to_chat_notes.hpp"
#include "protocol/json_scan.hpp"

#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

/// One block of a content, as the members that matter. Its text is valid JSON.
struct Block {
  json::Value whole;
  json::Value type;
  std::string kind;   ///< its type, decoded; empty: it is no object, or has none
  std::string place;  ///< as "messages.2.content.0", for messages
};

/// Reads a block and notes the marks that have no effect.
Block read_block(const json::Value& value, std::string place, Notes& notes);

/// Puts a block that can stand in any content, of a user or of a tool's result, into `parts`: text, image, document,
/// search_result, tool_reference. Others are refused.
bool add_block(const Block& block, ChatParts& parts, Notes& notes);

/// The same for a whole content: a text, or a list of such blocks. Nothing where it is absent or null.
bool add_content(const json::Value& content, std::string_view place, ChatParts& parts, Notes& notes);

/// Calls `use` with each element of a list and its place; stops where that says false.
template <class Use>
bool each_element(const json::Value& list, Use use) {
  json::Reader reader(list.text);
  if (!reader.enter_array()) return true;
  for (std::size_t at = 0; reader.next_element(); ++at)
    if (!use(reader.take(), at)) return false;
  return true;
}

}  // namespace tollgate::protocol::anthropic::inbound
