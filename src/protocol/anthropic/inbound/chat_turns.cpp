// The turns of a conversation. One of a user becomes several chat messages: first what tools have answered, each a
// message of its own that must follow its calls at once, then all the rest.
#include "protocol/anthropic/inbound/chat_turns.hpp"

#include "protocol/anthropic/inbound/chat_blocks.hpp"
#include "protocol/anthropic/inbound/tool_ids.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <string>
#include <utility>

namespace tollgate::protocol::anthropic::inbound {
namespace {

using json::Kind;
using json::pick;
using json::Value;
using json::Writer;

constexpr std::string_view attached = "[attached in the next message]";

class TurnWriter {
 public:
  TurnWriter(Writer& out, Notes& notes) : out_(out), notes_(notes) {}

  bool write_system(const Value& content, std::string_view place);
  bool write_turn(const Value& turn, std::string place);
  std::size_t written() const { return written_; }

 private:
  bool write_user(const Value& content, const std::string& place);
  bool write_result(const Block& block, ChatParts& rest);
  bool write_assistant(const Value& content, const std::string& place);
  bool add_call(const Block& block, Writer& calls);
  Writer& open(std::string_view role);
  void close() { out_.close_object(); }

  Writer& out_;
  Notes& notes_;
  std::size_t written_ = 0;
};

Writer& TurnWriter::open(std::string_view role) {
  ++written_;
  return out_.open_object().key("role").text(role);
}

bool TurnWriter::write_system(const Value& content, std::string_view place) {
  ChatParts parts(ChatParts::Texts::joined, "\\n\\n");
  if (!add_content(content, place, parts, notes_)) return false;
  if (!parts.parts().empty()) return notes_.refuse(std::string(place) + " can hold texts only", place);
  if (parts.text().empty()) return true;
  open("system").key("content").escaped(parts.text());
  close();
  return true;
}

bool TurnWriter::write_turn(const Value& turn, std::string place) {
  const auto [role, content] = pick<2>(turn.text, {"role", "content"});
  const std::string who = role.kind == Kind::string ? json::decode_lossy(role.inside()) : std::string();
  place += ".content";
  if (content.kind != Kind::string && content.kind != Kind::array)
    return notes_.refuse(place + " must be a string or a list of blocks", place);
  if (who == "user") return write_user(content, place);
  if (who == "assistant") return write_assistant(content, place);
  if (who == "system") return write_system(content, place);
  return notes_.refuse(place + ": the turn's 'role' must be user, assistant or system", place);
}

bool TurnWriter::write_user(const Value& content, const std::string& place) {
  ChatParts rest(ChatParts::Texts::apart, "");
  const auto each_block = [&](bool results, auto use) {
    return each_element(content, [&](const Value& value, std::size_t at) {
      const Block block = read_block(value, place + "." + std::to_string(at), notes_);
      return (block.kind == "tool_result") != results || use(block);
    });
  };
  if (content.kind == Kind::string) {
    if (!add_content(content, place, rest, notes_)) return false;
  } else if (!each_block(true, [&](const Block& block) { return write_result(block, rest); }) ||
             !each_block(false, [&](const Block& block) { return add_block(block, rest, notes_); })) {
    return false;
  }
  if (rest.empty()) return true;
  rest.write_content(open("user").key("content"));
  close();
  return true;
}

/// The result's texts as a message of the tool; what they cannot hold goes to the user's.
bool TurnWriter::write_result(const Block& block, ChatParts& rest) {
  const auto [id, content, is_error] = pick<3>(block.whole.text, {"tool_use_id", "content", "is_error"});
  if (id.kind != Kind::string) return notes_.refuse(block.place + ".tool_use_id must be a string", block.place);
  ChatParts parts(ChatParts::Texts::joined, "\\n");
  if (!add_content(content, block.place + ".content", parts, notes_)) return false;
  const std::string call = chat_call_id(json::decode_lossy(id.inside()));
  if (!parts.parts().empty()) {
    parts.add_text(attached);
    std::string label;
    json::append_escaped(label, "Attached to the result of tool call " + call + ":");
    rest.add_text(label);
    rest.add_part(parts.parts());
  }
  open("tool").key("tool_call_id").text(call).key("content");
  out_.escaped(is_error.is_true() ? "Error: " + parts.text() : parts.text());
  close();
  return true;
}

bool TurnWriter::write_assistant(const Value& content, const std::string& place) {
  ChatParts parts(ChatParts::Texts::joined, "");
  std::string calls;
  Writer call_writer(calls);
  const auto add = [&](const Block& block) {
    if (block.kind == "tool_use") return add_call(block, call_writer);
    if (block.kind == "text") return add_block(block, parts, notes_);
    const auto field = find_message_field("content.", block.kind);
    if (field && message_fields[*field].fate == Fate::ignored) return notes_.leave_out(*field), true;
    return notes_.refuse(
        block.place + ": a block of this type, from Claude, cannot be sent to the provider of this model", block.place);
  };
  if (content.kind == Kind::string) {
    parts.add_text(content.inside());
  } else if (!each_element(content, [&](const Value& value, std::size_t at) {
               return add(read_block(value, place + "." + std::to_string(at), notes_));
             })) {
    return false;
  }
  if (parts.text().empty() && calls.empty()) return true;
  open("assistant").key("content");
  parts.text().empty() ? out_.null() : out_.escaped(parts.text());
  if (!calls.empty()) out_.key("tool_calls").open_array().raw(calls).close_array();
  close();
  return true;
}

bool TurnWriter::add_call(const Block& block, Writer& calls) {
  const auto [id, name, input] = pick<3>(block.whole.text, {"id", "name", "input"});
  if (id.kind != Kind::string || name.kind != Kind::string)
    return notes_.refuse(block.place + ": a tool_use needs 'id' and 'name'", block.place);
  if (input.is_given() && input.kind != Kind::object)
    return notes_.refuse(block.place + ".input must be an object", block.place);
  calls.open_object().key("id").text(chat_call_id(json::decode_lossy(id.inside()))).key("type").raw("\"function\"");
  calls.key("function").open_object().key("name").escaped(name.inside());
  calls.key("arguments").text(!input.is_given() ? "{}" : input.text);
  calls.close_object().close_object();
  return true;
}

}  // namespace

bool write_turns(const Value& system, const Value& messages, Writer& out, Notes& notes) {
  TurnWriter writer(out, notes);
  if (!writer.write_system(system, "system")) return false;
  const std::size_t before = writer.written();
  if (messages.kind != Kind::array) return notes.refuse("'messages' must be a list of turns", "messages");
  if (!each_element(messages, [&](const Value& turn, std::size_t at) {
        return writer.write_turn(turn, "messages." + std::to_string(at));
      })) {
    return false;
  }
  return writer.written() > before || notes.refuse("'messages' must hold at least one turn with a content", "messages");
}

}  // namespace tollgate::protocol::anthropic::inbound
