#pragma once
// The parts of a message's content as content blocks.
#include "protocol/anthropic/request/blocks.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::request {

/// Whose content it is: who may say what.
enum class Speaker { system, user, assistant, tool };

struct ContentPlace {
  std::size_t message = 0;
  Speaker speaker = Speaker::user;
  bool breakpoint_hour = false;  ///< the lifetime of breakpoints
};

/// {"type":"text"} with the inside of a string; nothing where that is blank.
void write_text_block(Blocks& blocks, std::string_view inside);

/// Adds the blocks of a content: a text, a list of parts, or null. Marks stay on their blocks, or go to `mark` where
/// that is given. False where it is refused.
bool write_content(Blocks& blocks, const json::Value& content, const ContentPlace& place, Findings& findings,
                   std::optional<CacheMark>* mark = nullptr);

}  // namespace tollgate::protocol::anthropic::request
