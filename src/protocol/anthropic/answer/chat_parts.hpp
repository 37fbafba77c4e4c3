#pragma once
// What whole answers and streams of the chat API have in common when they are made of Anthropic's.
// docs/claude-answers.md has the table.
#include "tollgate/protocol/anthropic/to_messages.hpp"
#include "tollgate/protocol/usage.hpp"

#include "protocol/json_pick.hpp"
#include "protocol/json_write.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::answer {

/// A string without its quotes, still escaped; empty for anything else.
inline std::string_view inside_of(const json::Value& value) {
  return value.kind == json::Kind::string ? value.inside() : std::string_view();
}
inline bool is(const json::Value& value, std::string_view word) {
  return value.kind == json::Kind::string && value.inside() == word;
}

/// The inside of a string as it may be written anew: `inside` itself where it is text, else `scratch`, with U+FFFD for
/// what is none. The escapes of `inside` must be valid.
std::string_view clean(std::string_view inside, std::string& scratch);

/// The Unicode characters of a clean inside.
std::uint64_t count_characters(std::string_view inside);

/// Valid JSON without the blanks between its tokens.
std::string compact(std::string_view json);

/// A tool_use block as a call.
struct Call {
  std::string id, name;
  bool is_custom = false;  ///< called with free text
};
/// `number` of the call in its answer, for an id where the block has none.
Call read_call(const json::Value& id, const json::Value& name, const ChatShape& shape, std::string_view request_id,
               std::uint64_t number);
/// The members of a call but for its index; `input` is the inside of a string: arguments, or a custom tool's text.
void write_call(json::Writer& writer, const Call& call, std::string_view input);

/// The members `url` and `title` of a citation, as JSON; empty where it has no url.
std::string read_citation(std::string_view citation);
/// An element of `annotations`, for the characters from `begin` to `end` of the content.
void write_annotation(json::Writer& writer, std::string_view citation, std::uint64_t begin, std::uint64_t end);

/// `calls`: it calls tools, as the client sees it. Agents go on or stop by this, so it is never at odds with the calls.
std::string_view finish_reason(const json::Value& stop_reason, bool calls);
/// For the member `refusal`, of an answer that was refused.
std::string refusal_text(const json::Value& stop_details);

/// The members that all answers and chunks begin with: id, object, created, model.
void write_head(json::Writer& writer, std::string_view object, const AnswerNames& names);

/// OpenAI's usage object.
void write_usage(json::Writer& writer, const Usage& usage);

}  // namespace tollgate::protocol::anthropic::answer
