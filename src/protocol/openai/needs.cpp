// Single questions about a body, each asked of few requests: so each walks what it needs, and nothing is kept.
// Values are found by name and compared as they are written; only a picture is looked for as text.
#include "tollgate/protocol/openai/needs.hpp"

#include "protocol/json_scan.hpp"

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

/// What ends in the value of a member, blanks and colon taken off, is that member's name.
bool ends_in_type(std::string_view before) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto trim = [&] { before = before.substr(0, before.find_last_not_of(blanks) + 1); };
  trim();
  if (!before.ends_with(':')) return false;
  before.remove_suffix(1);
  trim();
  return before.ends_with("\"type\"");
}

/// As a value a type stands between quotes; within a text those have a backslash before them. Anthropic's is a word
/// that may be a name or a value of anything, so that one must be a type.
bool has_picture(const Value& messages) {
  constexpr std::string_view begins = "\"image", chat = "_url\"", other = "\"input_image\"";
  const std::string_view text = messages.text;
  for (std::size_t at = text.find(begins); at != text.npos; at = text.find(begins, at + 1)) {
    const std::string_view rest = text.substr(at + begins.size());
    if (rest.starts_with(chat) || (rest.starts_with('"') && ends_in_type(text.substr(0, at)))) return true;
  }
  return text.find(other) != text.npos;
}

/// Where a message ends for who compares it with the same one in a later turn: of a list of parts behind the last one's
/// last member that is no mark for the cache, since clients move those on.
std::string_view without_last_mark(const Value& message) {
  const Value content = member(message, "content");
  Reader parts(content.text);
  if (content.kind != Kind::array || !parts.enter_array()) return message.text;
  Value last;
  while (parts.next_element()) last = parts.take();
  Reader members(last.text);
  std::string_view end;
  if (!members.enter_object()) return message.text;
  while (members.next_member()) {
    const bool mark = members.key() == "cache_control";
    const Value value = members.take();
    if (!mark) end = value.text;
  }
  if (end.empty()) return message.text;
  return {message.text.data(), static_cast<std::size_t>(end.data() + end.size() - message.text.data())};
}

/// Of a list of messages what ends with the first one of the user.
std::string_view up_to_first_user(const Value& messages) {
  Reader reader(messages.text);
  if (messages.kind != Kind::array || !reader.enter_array()) return {};
  while (reader.next_element()) {
    const Value message = reader.take();
    if (reader.failed()) return {};
    if (member(message, "role").text != "\"user\"") continue;
    const std::string_view kept = without_last_mark(message);
    return messages.text.substr(0, static_cast<std::size_t>(kept.data() + kept.size() - messages.text.data()));
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
    const bool format = key == "response_format" || key == "output_format";
    const bool text = key == "text" || key == "output_config";
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
