#include "tollgate/protocol/structured_output.hpp"

#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"
#include "protocol/json_write.hpp"

namespace tollgate::protocol {
namespace {

using json::Kind;
using json::pick;
using json::Reader;
using json::Value;

constexpr std::string_view any_object = R"({"type":"object"})";

bool is_text(const Value& value, std::string_view text) {
  return value.kind == Kind::string && json::decode_lossy(value.inside()) == text;
}

std::string_view schema_of_chat(std::string_view request) {
  const auto [format, n] = pick<2>(request, {"response_format", "n"});
  if (n.kind == Kind::number && json::whole_number(n.text) != 1) return {};
  const auto [type, schema] = pick<2>(format.text, {"type", "json_schema"});
  if (is_text(type, "json_object")) return any_object;
  return is_text(type, "json_schema") ? pick(schema.text, "schema").text : std::string_view();
}

std::string_view schema_of_message(std::string_view request) {
  const auto [config, older] = pick<2>(request, {"output_config", "output_format"});
  const Value newer = pick(config.text, "format");
  const auto [type, schema] = pick<2>(newer.truthy() ? newer.text : older.text, {"type", "schema"});
  return is_text(type, "json_schema") ? schema.text : std::string_view();
}

std::optional<std::string> text_of_chat(std::string_view answer) {
  Reader choices(pick(answer, "choices").text);
  if (!choices.enter_array() || !choices.next_element()) return std::nullopt;
  const Value choice = choices.take();
  if (choices.next_element()) return std::nullopt;
  const auto [message, reason] = pick<2>(choice.text, {"message", "finish_reason"});
  const auto [content, calls, refusal] = pick<3>(message.text, {"content", "tool_calls", "refusal"});
  if (!is_text(reason, "stop") || content.kind != Kind::string || calls.truthy() || refusal.truthy())
    return std::nullopt;
  return json::decode_lossy(content.inside());
}

std::optional<std::string> text_of_message(std::string_view answer) {
  const auto [content, reason] = pick<2>(answer, {"content", "stop_reason"});
  if (!is_text(reason, "end_turn") && !is_text(reason, "stop_sequence")) return std::nullopt;
  Reader blocks(content.text);
  if (!blocks.enter_array()) return std::nullopt;
  std::optional<std::string> words;
  while (blocks.next_element()) {
    const auto [type, text] = pick<2>(blocks.take().text, {"type", "text"});
    if (!is_text(type, "text") || text.kind != Kind::string) continue;
    words = words.value_or(std::string()) + json::decode_lossy(text.inside());
  }
  return words;
}

void write_turn(json::Writer& writer, std::string_view role, std::string_view content) {
  writer.open_object().key("role").text(role).key("content").text(content).close_object();
}

}  // namespace

std::string_view schema_asked_for(Surface surface, std::string_view request) {
  return surface == Surface::anthropic ? schema_of_message(request) : schema_of_chat(request);
}

std::optional<std::string> finished_text(Surface surface, std::string_view answer) {
  return surface == Surface::anthropic ? text_of_message(answer) : text_of_chat(answer);
}

std::string asking_again(std::string_view request, std::string_view said, std::string_view fault) {
  const Value turns = pick(request, "messages");
  Reader reader(turns.text);
  if (!reader.enter_array() || !reader.next_element()) return {};
  const auto end = static_cast<std::size_t>(turns.text.data() - request.data()) + turns.text.size() - 1;
  std::string body(request.substr(0, end));
  body += ',';
  json::Writer writer(body);
  write_turn(writer, "assistant", said);
  write_turn(writer, "user",
             "Your answer does not match the JSON schema that it has to match: " + std::string(fault) +
                 ". Answer again, with nothing but JSON that matches the schema.");
  body.append(request.substr(end));
  return body;
}

}  // namespace tollgate::protocol
