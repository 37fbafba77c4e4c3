#include "protocol/anthropic/inbound/chat_delta.hpp"

#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

namespace tollgate::protocol::anthropic::inbound {
namespace {

using json::Kind;
using json::pick;
using json::Value;

std::string_view inside_of(const Value& value) {
  return value.kind == Kind::string ? value.inside() : std::string_view();
}

std::string text_of(const Value& value) { return json::decode_lossy(inside_of(value)); }

/// A text, or the texts of parts.
std::string content_of(const Value& content) {
  if (content.kind != Kind::array) return std::string(inside_of(content));
  std::string texts;
  json::Reader reader(content.text);
  if (reader.enter_array())
    while (reader.next_element()) texts += inside_of(pick(reader.take().text, "text"));
  return texts;
}

void read_function(const Value& function, CallPart& part) {
  const auto [name, arguments] = pick<2>(function.text, {"name", "arguments"});
  part.name = text_of(name);
  part.arguments = arguments.kind == Kind::object ? std::string(arguments.text) : text_of(arguments);
}

}  // namespace

ChatDelta read_delta(std::string_view message) {
  const auto [content, reasoning_content, reasoning, refusal, calls, call] =
      pick<6>(message, {"content", "reasoning_content", "reasoning", "refusal", "tool_calls", "function_call"});
  // Some send their thinking under both names.
  const std::string_view thinking = inside_of(reasoning_content);
  return {.thinking = thinking.empty() ? inside_of(reasoning) : thinking,
          .refusal = inside_of(refusal),
          .content = content_of(content),
          .tool_calls = calls,
          .function_call = call};
}

CallPart read_call(const Value& call) {
  const auto [index, id, function] = pick<3>(call.text, {"index", "id", "function"});
  CallPart part{.index = index.kind == Kind::number ? json::whole_number(index.text) : std::nullopt,
                .id = text_of(id),
                .name = {},
                .arguments = {}};
  read_function(function, part);
  return part;
}

CallPart read_function_call(const Value& call) {
  CallPart part{.index = -1, .id = {}, .name = {}, .arguments = {}};
  read_function(call, part);
  return part;
}

}  // namespace tollgate::protocol::anthropic::inbound
