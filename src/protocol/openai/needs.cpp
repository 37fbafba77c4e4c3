#include "tollgate/protocol/openai/needs.hpp"

#include "protocol/json_scan.hpp"

#include <array>

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;
using json::Value;

bool is_empty(const Value& array) {
  Reader reader(array.text);
  return array.kind != Kind::array || !reader.enter_array() || !reader.next_element();
}

/// The member of an object, or nothing of any kind.
Value member(const Value& object, std::string_view name) {
  Value found;
  Reader reader(object.text);
  if (object.kind != Kind::object || !reader.enter_object()) return found;
  while (reader.next_member()) {
    const bool is_it = reader.key() == name;
    const Value value = reader.take();
    if (is_it) found = value;
  }
  return found;
}

bool is_schema(const Value& format) { return member(format, "type").text == "\"json_schema\""; }

/// As a value it stands between quotes; within a text those have a backslash before them.
bool has_picture(const Value& messages) {
  constexpr std::array<std::string_view, 2> types{"\"image_url\"", "\"input_image\""};
  for (const std::string_view type : types)
    if (messages.text.find(type) != std::string_view::npos) return true;
  return false;
}

/// Of a list of messages what ends with the first one of the user.
std::string_view up_to_first_user(const Value& messages) {
  Reader reader(messages.text);
  if (messages.kind != Kind::array || !reader.enter_array()) return {};
  while (reader.next_element()) {
    const Value message = reader.take();
    if (reader.failed()) return {};
    if (member(message, "role").text != "\"user\"") continue;
    return messages.text.substr(
        0, static_cast<std::size_t>(message.text.data() + message.text.size() - messages.text.data()));
  }
  return {};
}

}  // namespace

Needs read_needs(std::string_view body) {
  Needs needs;
  Reader reader(body);
  if (!reader.enter_object()) return needs;
  while (reader.next_member()) {
    const std::string_view key = reader.key();
    const bool tools = key == "tools" || key == "functions", messages = key == "messages" || key == "input";
    const bool format = key == "response_format", text = key == "text";
    const Value value = reader.take();
    if (tools) needs.tools = needs.tools || !is_empty(value);
    if (messages) needs.vision = needs.vision || has_picture(value);
    if (format) needs.json_schema = needs.json_schema || is_schema(value);
    if (text) needs.json_schema = needs.json_schema || is_schema(member(value, "format"));
  }
  return needs;
}

std::string_view conversation_start(std::string_view body) {
  Reader reader(body);
  if (!reader.enter_object()) return {};
  std::string_view start;
  while (reader.next_member()) {
    const std::string_view key = reader.key();
    const bool named = key == "prompt_cache_key", messages = key == "messages" || key == "input";
    const Value value = reader.take();
    if (named && value.kind == Kind::string) return value.text;
    if (messages && start.empty()) start = up_to_first_user(value);
  }
  return start;
}

}  // namespace tollgate::protocol::openai
