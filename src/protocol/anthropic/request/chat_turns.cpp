// Anthropic wants results of tools in the one user's turn after the calls, no empty texts, and each id once. What the
// chat API spreads over several messages comes together here, message by message and in one pass.
#include "protocol/anthropic/request/chat_turns.hpp"

#include "protocol/anthropic/request/chat_text.hpp"
#include "protocol/anthropic/request/chat_tools.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::request {
namespace {

using json::Kind;
using json::Value;

/// Brackets around the input of a tool_use, and around a block, in the body that is made.
constexpr unsigned around_input = 5, around_block = 4;
constexpr std::string_view go_on = "Continue.";

/// The arguments of a call, which are JSON in a string, as an object; nothing where they are none.
std::optional<std::string> read_arguments(const Value& arguments) {
  if (!arguments.is_given()) return "{}";
  if (arguments.kind != Kind::string) return std::nullopt;
  if (is_blank(arguments.inside())) return "{}";
  std::string object = json::decode_lossy(arguments.inside());
  const std::size_t begin = object.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos || object[begin] != '{') return std::nullopt;
  if (!json::is_valid(object, json::max_depth - around_input)) return std::nullopt;
  return object;
}

}  // namespace

bool TurnWriter::write(const std::vector<ChatMessage>& messages) {
  for (std::size_t index = 0; index < messages.size(); ++index)
    if (!write_one(messages[index], index)) return false;
  if (!answered()) return false;
  end_results();
  if (turns_.text.empty() && !make_turn_of_system(messages)) return false;
  end_well();
  return true;
}

bool TurnWriter::write_one(const ChatMessage& message, std::size_t index) {
  switch (message.role) {
    case Role::system: return write_system(message, index);
    case Role::user: return write_user(message, index);
    case Role::assistant: return write_assistant(message, index);
    case Role::tool:
    case Role::function: return write_result(message, index);
  }
  return false;
}

/// A message's own cache mark, on its last block.
bool TurnWriter::mark(const ChatMessage& message, Blocks& blocks) {
  std::optional<CacheMark> mark;
  if (!read_cache_mark(message.cache_control, {}, false, mark, findings_)) return false;
  if (mark) blocks.mark_last(*mark);
  return true;
}

bool TurnWriter::write_system(const ChatMessage& message, std::size_t index) {
  const std::size_t before = system_.written().text.size();
  const ContentPlace place{index, Speaker::system, terms_.breakpoint_hour};
  if (!write_content(system_, message.content, place, findings_)) return false;
  if (system_.written().text.size() == before) return true;
  last_system_ = index;
  last_system_begin_ = before;
  return mark(message, system_);
}

bool TurnWriter::write_user(const ChatMessage& message, std::size_t index) {
  if (!answered()) return false;
  if (message.content.kind == Kind::string && results_.empty() && !message.cache_control.is_given()) {
    add_turn("user", message.content.inside());
    return true;
  }
  Blocks blocks;
  // Words that come with results stand in the same turn, after them.
  Blocks& turn = results_.empty() ? blocks : results_;
  const std::size_t before = turn.written().text.size();
  if (!write_content(turn, message.content, {index, Speaker::user, terms_.breakpoint_hour}, findings_)) return false;
  if (turn.written().text.size() != before && !mark(message, turn)) return false;
  end_results();
  add_turn("user", blocks);
  return true;
}

bool TurnWriter::write_assistant(const ChatMessage& message, std::size_t index) {
  if (!answered()) return false;
  end_results();
  if (message.audio.is_given()) return findings_.refuse(Field::message_audio, place_of("messages", index, "audio"));
  calls_at_ = index;
  const bool has_calls = message.calls.truthy() || message.function_call.truthy();
  const bool only_text = !has_calls && !message.refusal.truthy() && !message.cache_control.is_given();
  if (only_text && message.content.kind == Kind::string) {
    add_turn("assistant", message.content.inside());
    return true;
  }
  Blocks blocks;
  if (has_calls) write_thoughts(message, blocks);
  if (!write_words(message, index, blocks) || !write_calls(message, index, blocks)) return false;
  if (!mark(message, blocks)) return false;
  add_turn("assistant", blocks);
  return true;
}

bool TurnWriter::write_words(const ChatMessage& message, std::size_t index, Blocks& blocks) {
  if (!write_content(blocks, message.content, {index, Speaker::assistant, terms_.breakpoint_hour}, findings_))
    return false;
  if (message.refusal.kind == Kind::string) write_text_block(blocks, message.refusal.inside());
  return true;
}

void TurnWriter::write_thoughts(const ChatMessage& message, Blocks& blocks) {
  if (terms_.thoughts == nullptr) return;
  const std::string call = first_call(message);
  if (call.empty()) return;
  const std::string thoughts = terms_.thoughts->find(call);
  if (!thoughts.empty() && json::is_valid("[" + thoughts + "]", json::max_depth - around_block + 1))
    blocks.next().raw(thoughts);
}

bool TurnWriter::write_calls(const ChatMessage& message, std::size_t index, Blocks& blocks) {
  const std::string param = place_of("messages", index, "tool_calls");
  if (message.calls.is_given()) {
    json::Reader reader(message.calls.text);
    if (!reader.enter_array()) return findings_.refuse("'" + param + "' must be a list", param);
    for (std::size_t call = 0; reader.next_element(); ++call)
      if (!write_call(reader.take(), place_of(param, call), blocks)) return false;
  }
  if (!message.function_call.truthy()) return true;
  return write_function_call(message.function_call, place_of("messages", index, "function_call"), blocks);
}

bool TurnWriter::write_call(const Value& call, const std::string& param, Blocks& blocks) {
  const auto [id, function, custom] = json::pick<3>(call.text, {"id", "function", "custom"});
  if (id.kind != Kind::string || id.inside().empty()) return findings_.refuse("'" + param + "' needs an 'id'", param);
  const std::string key = "i" + json::decode_lossy(id.inside());
  if (custom.kind == Kind::object) {
    const auto [name, input] = json::pick<2>(custom.text, {"name", "input"});
    return write_use({key, name, input, true}, param, blocks);
  }
  if (function.kind != Kind::object) return findings_.refuse("'" + param + "' needs a 'function' or a 'custom'", param);
  const auto [name, arguments] = json::pick<2>(function.text, {"name", "arguments"});
  return write_use({key, name, arguments}, param, blocks);
}

bool TurnWriter::write_function_call(const Value& call, const std::string& param, Blocks& blocks) {
  const auto [name, arguments] = json::pick<2>(call.text, {"name", "arguments"});
  if (name.kind != Kind::string) return findings_.refuse("'" + param + "' needs a 'name'", param);
  return write_use({"f" + json::decode_lossy(name.inside()), name, arguments}, param, blocks);
}

bool TurnWriter::write_use(const NamedCall& call, const std::string& param, Blocks& blocks) {
  if (!is_tool_name(call.name))
    return findings_.refuse("'" + param + "' needs the name of a tool: " + std::string(tool_name_rule), param);
  const auto arguments = call.free_text ? std::nullopt : read_arguments(call.input);
  if (!call.free_text && !arguments)
    return findings_.refuse("'" + param + "' has arguments that are no JSON object", param);
  if (call.free_text && call.input.kind != Kind::string)
    return findings_.refuse("'" + param + "' has an input that is no string", param);
  const auto [open, is_new] = calls_.try_emplace(call.key);
  if (!is_new) return findings_.refuse("'" + param + "' has the id of another call of its turn", param);
  // A function's name is no id: it gets one that nobody else has.
  const bool by_id = call.key.starts_with('i');
  open->second = {calls_.size() - 1, ids_.take(by_id ? call.key.substr(1) : "function:" + call.key)};
  ++open_calls_;
  json::Writer writer = blocks.next();
  writer.open_object().key("type").text("tool_use").key("id").text(open->second.id);
  writer.key("name").raw(call.name.text).key("input");
  if (call.free_text) {
    writer.open_object().key("input");
    write_text(writer, call.input.inside());
    writer.close_object();
  } else {
    writer.raw(*arguments);
  }
  writer.close_object();
  return true;
}

bool TurnWriter::write_result(const ChatMessage& message, std::size_t index) {
  const bool by_name = message.role == Role::function;
  const std::string param = place_of("messages", index, by_name ? "name" : "tool_call_id");
  const Value& key = by_name ? message.name : message.call_id;
  if (key.kind != Kind::string) return findings_.refuse("'" + param + "' must be a string", param);
  const auto call = calls_.find((by_name ? "f" : "i") + json::decode_lossy(key.inside()));
  if (call == calls_.end())
    return findings_.refuse("'" + param + "' names no call of the assistant's turn before it", param);
  if (call->second.answered) return findings_.refuse("'" + param + "' names a call that has its answer", param);
  call->second.answered = true;
  --open_calls_;

  Blocks content;
  std::optional<CacheMark> inner;
  const ContentPlace place{index, Speaker::tool, terms_.breakpoint_hour};
  if (!write_content(content, message.content, place, findings_, &inner)) return false;
  json::Writer writer = results_.next();
  writer.open_object().key("type").text("tool_result").key("tool_use_id").text(call->second.id);
  if (!content.empty()) {
    writer.key("content");
    if (message.content.kind == Kind::string)
      write_text(writer, message.content.inside());
    else
      writer.open_array().raw(content.written().text).close_array();
  }
  writer.close_object();
  if (inner) results_.mark_last(*inner);
  return mark(message, results_);
}

bool TurnWriter::answered() {
  if (open_calls_ == 0) {
    calls_.clear();  // results that come later answer nothing any more
    return true;
  }
  std::size_t place = calls_.size();
  for (const auto& [key, call] : calls_)
    if (!call.answered) place = std::min(place, call.place);
  const std::string param = place_of("messages", calls_at_, place_of("tool_calls", place));
  return findings_.refuse("'" + param + "' is not answered by a message of the tool right after it", param);
}

void TurnWriter::end_results() {
  add_turn("user", results_);
  results_.clear();
}

void TurnWriter::begin_turn(std::string_view role) {
  if (!turns_.text.empty()) turns_.text += ',';
  last_turn_begin_ = turns_.text.size();
  last_role_ = role;
  has_user_ |= role == "user";
  turns_.text += R"({"role":")";
  turns_.text += role;
  turns_.text += R"(","content":)";
}

void TurnWriter::add_turn(std::string_view role, const Blocks& blocks) {
  if (blocks.empty()) return;
  begin_turn(role);
  turns_.text += '[';
  turns_.append(blocks.written());
  turns_.text += "]}";
}

void TurnWriter::add_turn(std::string_view role, std::string_view inside) {
  if (is_blank(inside)) return;
  begin_turn(role);
  json::Writer writer(turns_.text);
  write_text(writer, inside);
  turns_.text += '}';
}

/// The API wants a turn at least: where there is nothing but instructions, the last ones are what the user says.
bool TurnWriter::make_turn_of_system(const std::vector<ChatMessage>& messages) {
  if (system_.empty()) return findings_.refuse("'messages' holds no text, image or file", "messages");
  system_.cut_back(last_system_begin_);
  return write_user(messages[last_system_], last_system_);
}

void TurnWriter::end_well() {
  if (last_role_ != "assistant") return;
  if (terms_.prefill && has_user_)
    cut_end_blanks();
  else
    add_turn("user", go_on);
}

/// Of the assistant's last text, which the API does not take otherwise.
void TurnWriter::cut_end_blanks() {
  Value text = json::pick(std::string_view(turns_.text).substr(last_turn_begin_), "content");
  if (json::Reader reader(text.text); reader.enter_array()) {
    while (reader.next_element()) text = reader.take();
    text = json::pick(text.text, "text");
  }
  if (text.kind != Kind::string) return;
  const std::string whole = json::decode_lossy(text.inside());
  const std::string_view kept = without_end_blanks(whole);
  if (kept.size() == whole.size()) return;
  std::string inside;
  json::append_escaped(inside, kept);
  const auto at = static_cast<std::size_t>(text.inside().data() - turns_.text.data());
  turns_.text.replace(at, text.inside().size(), inside);
}

}  // namespace tollgate::protocol::anthropic::request
