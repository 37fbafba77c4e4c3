// How the turns of a conversation have to follow each other: roles, calls with their results, thinking that comes back
// as it was given. What a translating gateway breaks first is refused here.
#include "simulator/messages_check.hpp"
#include "simulator/thinking.hpp"

#include <algorithm>
#include <set>

namespace tollgate::simulator {

namespace {

using Json = nlohmann::json;

bool is_of(const Json& block, std::string_view type) { return text_field(block, "type") == type; }

bool has(const Turn& turn, std::string_view type) {
  const auto matches = [&](const auto& each) { return is_of(*each.second, type); };
  return std::any_of(turn.blocks.begin(), turn.blocks.end(), matches);
}

bool thinks(const Json& block) { return is_of(block, "thinking") || is_of(block, "redacted_thinking"); }

std::vector<std::string> calls_of(const Turn& turn) {
  std::vector<std::string> ids;
  if (turn.role != "assistant") return ids;
  for (const auto& [path, block] : turn.blocks) {
    if (is_of(*block, "tool_use")) ids.emplace_back(text_field(*block, "id"));
  }
  return ids;
}

std::string joined(const std::set<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return text;
}

/// The results at the begin of the turn after `calls`, each once and each for one of them.
Refused check_results(const Turn& turn, const std::vector<std::string>& calls, const std::string& caller) {
  const std::set<std::string> known(calls.begin(), calls.end());
  std::set<std::string> open = known;
  bool leading = true;
  for (const auto& [path, block] : turn.blocks) {
    if (turn.role != "user" || !is_of(*block, "tool_result")) {
      leading = false;
      continue;
    }
    const std::string id(text_field(*block, "tool_use_id"));
    if (known.count(id) == 0) {
      return invalid_request(path, "unexpected `tool_use_id` found in `tool_result` blocks: " + id +
                                       ". Each `tool_result` block must have a corresponding `tool_use` block in the "
                                       "previous message.");
    }
    if (leading && open.erase(id) == 0) {
      return invalid_request(
          path, "each tool_use must have a single result. Found multiple `tool_result` blocks with id: " + id);
    }
  }
  if (open.empty()) return std::nullopt;
  return invalid_request(caller,
                         "`tool_use` ids were found without `tool_result` blocks immediately after: " + joined(open) +
                             ". Each `tool_use` block must have a corresponding `tool_result` block in the "
                             "next message.");
}

Refused check_calls(const std::vector<Turn>& turns) {
  std::set<std::string> seen;
  std::vector<std::string> calls;
  std::string caller;
  static const Turn nothing;
  for (std::size_t i = 0; i <= turns.size(); ++i) {
    const Turn& turn = i < turns.size() ? turns[i] : nothing;
    if (auto refused = check_results(turn, calls, caller)) return refused;
    calls = calls_of(turn);
    caller = turn.path;
    for (const std::string& id : calls) {
      if (!seen.insert(id).second) return invalid_request(caller, "`tool_use` ids must be unique");
    }
  }
  return std::nullopt;
}

/// While it thinks, the calls whose results come now must stand behind the thinking that led to them.
Refused check_thinking_kept(const std::vector<Turn>& turns, const MessagesRules& rules) {
  if (!rules.thinks || turns.size() < 2 || turns.back().role != "user") return std::nullopt;
  const Turn& caller = turns[turns.size() - 2];
  const std::vector<std::string> calls = calls_of(caller);
  if (calls.empty()) return std::nullopt;
  const auto after_thinking = [](const std::string& id) { return id.starts_with(thought_call_prefix); };
  const bool needs_it = rules.has_budget || std::any_of(calls.begin(), calls.end(), after_thinking);
  const Json& first = *caller.blocks.front().second;
  if (!needs_it || thinks(first)) return std::nullopt;
  return invalid_request(caller.path + ".content.0.type",
                         "Expected `thinking` or `redacted_thinking`, but found `" +
                             std::string(text_field(first, "type")) +
                             "`. When `thinking` is enabled, a final `assistant` message must start with a thinking "
                             "block (preceding the lastmost set of `tool_use` and `tool_result` blocks).");
}

Refused check_last(const Turn& turn, const MessagesRules& rules) {
  if (turn.role != "assistant") return std::nullopt;
  if (!rules.model.prefill || rules.thinks) {
    return invalid_request("",
                           "This model does not support assistant message prefill. The conversation must end with "
                           "a user message.");
  }
  const Json* last = turn.blocks.empty() ? nullptr : turn.blocks.back().second;
  const std::string_view text = last && is_of(*last, "text") ? text_field(*last, "text") : std::string_view();
  if (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos) {
    return invalid_request("messages", "final assistant content cannot end with trailing whitespace");
  }
  return std::nullopt;
}

/// `system` among the messages: never first, behind the user (or what a server tool answered), before the assistant.
Refused check_system_turn(const std::vector<Turn>& turns, std::size_t i, const MessagesRules& rules) {
  if (!rules.model.system_turns) {
    return invalid_request(turns[i].path + ".role", "Input should be 'user' or 'assistant'");
  }
  const bool behind = i > 0 && (turns[i - 1].role == "user" || has(turns[i - 1], "server_tool_use"));
  const bool before = i + 1 == turns.size() || turns[i + 1].role == "assistant";
  if (behind && before) return std::nullopt;
  return invalid_request(turns[i].path + ".role",
                         "`system` messages must follow a user message and be the last one "
                         "or be followed by an assistant message");
}

}  // namespace

Refused check_turns(const std::vector<Turn>& turns, const MessagesRules& rules) {
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (turns[i].role != "system") continue;
    if (auto refused = check_system_turn(turns, i, rules)) return refused;
  }
  if (turns.front().role != "user") {
    return invalid_request("messages", "first message must use the \"user\" role");
  }
  if (auto refused = check_calls(turns)) return refused;
  if (auto refused = check_thinking_kept(turns, rules)) return refused;
  return check_last(turns.back(), rules);
}

}  // namespace tollgate::simulator
