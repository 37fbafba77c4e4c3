#include "protocol/anthropic/request/chat_turns.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <array>
#include <optional>

namespace tollgate::protocol::anthropic::request {
namespace {

using json::Kind;
using json::Value;

constexpr std::size_t most_messages = 100'000;

std::optional<Role> role_of(const Value& value) {
  if (value.kind != Kind::string || value.text.size() > 64) return std::nullopt;
  const std::string name = json::decode_lossy(value.inside());
  if (name == "system" || name == "developer") return Role::system;
  if (name == "user") return Role::user;
  if (name == "assistant") return Role::assistant;
  if (name == "tool") return Role::tool;
  if (name == "function") return Role::function;
  return std::nullopt;
}

}  // namespace

bool read_messages(const Value& messages, std::vector<ChatMessage>& read, Findings& findings) {
  json::Reader reader(messages.text);
  if (!reader.enter_array()) return findings.refuse("'messages' must be a list", "messages");
  while (reader.next_element()) {
    const Value value = reader.take();
    const std::size_t index = read.size();
    if (index == most_messages) return findings.refuse("'messages' has more than 100000 messages", "messages");
    if (value.kind != Kind::object) {
      const std::string param = place_of("messages", index);
      return findings.refuse("'" + param + "' must be an object", param);
    }
    const auto members = json::pick<9>(value.text, {"role", "content", "tool_calls", "tool_call_id", "function_call",
                                                    "refusal", "audio", "name", "cache_control"});
    const auto role = role_of(members[0]);
    if (!role) {
      const std::string param = place_of("messages", index, "role");
      return findings.refuse("'" + param + "' must be system, developer, user, assistant, tool or function", param);
    }
    read.push_back(
        {*role, members[1], members[2], members[3], members[4], members[5], members[6], members[7], members[8]});
    // The name of a function that answers says which call it answers.
    if (*role != Role::function && members[7].truthy() && !findings.drop(Field::message_name)) return false;
  }
  return true;
}

std::string first_call(const ChatMessage& message) {
  json::Reader reader(message.calls.text);
  if (!reader.enter_array() || !reader.next_element()) return {};
  const Value id = json::pick(reader.take().text, "id");
  return id.kind == Kind::string ? json::decode_lossy(id.inside()) : std::string();
}

bool ends_unthought(const std::vector<ChatMessage>& messages, const ThoughtSource* thoughts) {
  bool has_results = false;
  for (std::size_t at = messages.size(); at-- > 0;) {
    const Role role = messages[at].role;
    if (role == Role::user) return false;
    has_results |= role == Role::tool || role == Role::function;
    if (role != Role::assistant) continue;
    const std::string call = first_call(messages[at]);
    return has_results && (thoughts == nullptr || call.empty() || thoughts->find(call).empty());
  }
  return false;
}

}  // namespace tollgate::protocol::anthropic::request
