// Reads tools, system and messages of the Messages endpoint: checks them, counts their tokens, and notes where a prefix
// may be cached. One pass in the order of the cache, since every place depends on all that stands before it.
#include "simulator/messages_check.hpp"
#include "simulator/words.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace tollgate::simulator {

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_marks = 4;
constexpr std::size_t longest_name = 64;
constexpr std::array<std::string_view, 10> tool_fields = {
    "type",          "name",          "description",    "input_schema",          "strict",
    "cache_control", "defer_loading", "input_examples", "eager_input_streaming", "allowed_callers"};
constexpr std::array<std::string_view, 2> message_fields = {"role", "content"};
constexpr std::array<std::string_view, 2> mark_fields = {"type", "ttl"};

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool is_tool_name(std::string_view name) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.size() <= longest_name && name.find_first_not_of(letters) == std::string_view::npos;
}

Refused check_input_schema(const Json& tool, const std::string& path) {
  const Json* schema = field(tool, "input_schema");
  if (!schema) return invalid_request(path + ".input_schema", "Field required");
  if (!schema->is_object()) return invalid_request(path + ".input_schema", "Input should be a valid dictionary");
  if (!schema->contains("type")) return invalid_request(path + ".input_schema.type", "Field required");
  if ((*schema)["type"] != "object") return invalid_request(path + ".input_schema.type", "Input should be 'object'");
  for (const char* name : {"oneOf", "allOf", "anyOf"}) {
    if (!schema->contains(name)) continue;
    return invalid_request(path + ".input_schema",
                           "input_schema does not support oneOf, allOf, or anyOf at the top level");
  }
  const Json* strict = field(tool, "strict");
  const Json* closed = field(*schema, "additionalProperties");
  if (strict && *strict == true && !(closed && *closed == false)) {
    return invalid_request(path + ".input_schema",
                           "For 'object' type, 'additionalProperties' must be explicitly set to false");
  }
  return std::nullopt;
}

Refused check_tool(const Json& tool, const std::string& path) {
  if (!tool.is_object()) return invalid_request(path, "Input should be a valid dictionary");
  const std::string_view type = text_field(tool, "type");
  // Tools of the server's own are dated types, with fields of their own.
  if (!type.empty() && type != "custom") return std::nullopt;
  const std::string inner = path + ".custom";
  if (auto refused = only_fields(tool, tool_fields, inner)) return refused;
  if (!field(tool, "name")) return invalid_request(inner + ".name", "Field required");
  if (!is_tool_name(text_field(tool, "name"))) {
    return invalid_request(inner + ".name", "String should match pattern '^[a-zA-Z0-9_-]{1,64}$'");
  }
  const Json* description = field(tool, "description");
  if (description && !description->is_string()) {
    return invalid_request(inner + ".description", "Input should be a valid string");
  }
  return check_input_schema(tool, inner);
}

}  // namespace

Refused PromptReader::tools(const Json& tools) {
  if (!tools.is_array()) return invalid_request("tools", "Input should be a valid list");
  std::set<std::string, std::less<>> names;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const std::string path = "tools." + std::to_string(i);
    if (auto refused = check_tool(tools[i], path)) return refused;
    if (!names.emplace(text_field(tools[i], "name")).second) {
      return invalid_request("tools", "Tool names must be unique.");
    }
    if (auto refused = mark(tools[i], path)) return refused;
    // Beside the text of the prompt: a tool that is offered does not change what is said.
    call_.prompt_tokens += 1 + count_words(text_field(tools[i], "description"));
    end_block(tools[i]);
  }
  return std::nullopt;
}

Refused PromptReader::system(const Json& system) {
  if (system.is_string()) {
    call_.add_text(system.get_ref<const std::string&>());
    end_block(system);
    return std::nullopt;
  }
  if (!system.is_array()) return invalid_request("system", "Input should be a valid string or list");
  for (std::size_t i = 0; i < system.size(); ++i) {
    if (auto refused = block(system[i], "system." + std::to_string(i), Place::system)) return refused;
  }
  return std::nullopt;
}

Refused PromptReader::messages(const Json& messages) {
  if (!messages.is_array()) return invalid_request("messages", "Input should be a valid list");
  if (messages.empty()) return invalid_request("messages", "at least one message is required");
  std::vector<Turn> turns;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string path = "messages." + std::to_string(i);
    if (auto refused = message(messages[i], path, turns)) return refused;
    const bool last = i + 1 == messages.size();
    if (turns.back().blocks.empty() && !(last && turns.back().role == "assistant")) {
      return invalid_request(
          path, "all messages must have non-empty content except for the optional final assistant message");
    }
  }
  if (turns.back().role == "user") {
    for (const auto& [path, block] : turns.back().blocks) {
      if (text_field(*block, "type") == "text") wishes_.read(text_field(*block, "text"));
    }
  }
  return check_turns(turns, rules_);
}

Refused PromptReader::message(const Json& message, const std::string& path, std::vector<Turn>& turns) {
  if (auto refused = only_fields(message, message_fields, path)) return refused;
  const std::string_view role = text_field(message, "role");
  if (role.empty()) return invalid_request(path + ".role", "Field required");
  if (role != "user" && role != "assistant" && role != "system") {
    return invalid_request(path + ".role", "Input should be 'user' or 'assistant'");
  }
  const Json* content = field(message, "content");
  if (!content) return invalid_request(path + ".content", "Field required");
  if (!content->is_string() && !content->is_array()) {
    return invalid_request(path + ".content", "Input should be a valid string or list");
  }
  if (turns.empty() || turns.back().role != role) turns.push_back({role, path, {}});
  digest_ = mix(digest_, role);
  if (content->is_string()) {
    if (content->get_ref<const std::string&>().empty()) return std::nullopt;
    content = &made_.emplace_back(Json::array({{{"type", "text"}, {"text", *content}}}));
  }
  const Place place = role == "user" ? Place::user : role == "assistant" ? Place::assistant : Place::system;
  for (std::size_t i = 0; i < content->size(); ++i) {
    const std::string inner = path + ".content." + std::to_string(i);
    if (auto refused = block((*content)[i], inner, place)) return refused;
    turns.back().blocks.emplace_back(inner, &(*content)[i]);
  }
  return std::nullopt;
}

Refused PromptReader::block(const Json& block, const std::string& path, Place place) {
  if (auto refused = check_block(block, path, place, rules_)) return refused;
  if (auto refused = inner_blocks(block, path)) return refused;
  if (auto refused = mark(block, path)) return refused;
  count(block);
  end_block(block);
  return std::nullopt;
}

/// A mark on a block within a result is taken for one on the result.
Refused PromptReader::inner_blocks(const Json& result, const std::string& path) {
  const Json* content = text_field(result, "type") == "tool_result" ? field(result, "content") : nullptr;
  if (!content || !content->is_array()) return std::nullopt;
  for (std::size_t i = 0; i < content->size(); ++i) {
    const std::string inner = path + ".tool_result.content." + std::to_string(i);
    if (auto refused = check_block((*content)[i], inner, Place::result, rules_)) return refused;
    if (auto refused = mark((*content)[i], inner)) return refused;
    count((*content)[i]);
  }
  return std::nullopt;
}

Refused PromptReader::mark(const Json& holder, const std::string& path) {
  const Json* mark = field(holder, "cache_control");
  if (!mark) return std::nullopt;
  const std::string inner = (path.empty() ? "" : path + ".") + "cache_control";
  if (auto refused = only_fields(*mark, mark_fields, inner)) return refused;
  if (text_field(*mark, "type") != "ephemeral") return invalid_request(inner + ".type", "Input should be 'ephemeral'");
  const std::string_view ttl = field(*mark, "ttl") ? text_field(*mark, "ttl") : "5m";
  if (ttl != "5m" && ttl != "1h") return invalid_request(inner + ".ttl", "Input should be '5m' or '1h'");
  if (++marks_ > most_marks) {
    return invalid_request(
        "", "A maximum of 4 blocks with cache_control may be provided. Found " + std::to_string(marks_) + ".");
  }
  if (ttl == "1h" && short_mark_seen_) {
    return invalid_request(inner + ".ttl",
                           "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block");
  }
  short_mark_seen_ = short_mark_seen_ || ttl == "5m";
  mark_ = ttl == "1h" ? CacheLife::one_hour : CacheLife::five_minutes;
  return std::nullopt;
}

Refused PromptReader::own_mark(const Json& body) {
  if (auto refused = mark(body, "")) return refused;
  if (mark_ && !ask_.prefix_ends.empty()) ask_.prefix_ends.back().mark = mark_;
  return std::nullopt;
}

/// Words of texts; an image or a file is one token; what was thought is not counted again.
void PromptReader::count(const Json& block) {
  const std::string_view type = text_field(block, "type");
  if (type == "text") {
    call_.add_text(text_field(block, "text"));
  } else if (type == "tool_use") {
    call_.prompt_tokens += 1 + count_words(text_of(block["input"]));
  } else if (type == "tool_result") {
    call_.add_text(text_field(block, "content"));
  } else if (type == "document" && text_field(block["source"], "type") == "text") {
    call_.add_text(text_field(block["source"], "data"));
  } else if (type != "thinking" && type != "redacted_thinking") {
    ++call_.prompt_tokens;
  }
}

/// The mark itself is no part of what is cached: it moves on as a conversation grows.
void PromptReader::end_block(const Json& block) {
  Json bare = block;
  if (bare.is_object()) bare.erase("cache_control");
  digest_ = mix(digest_, text_of(bare));
  ask_.prefix_ends.push_back({digest_, call_.prompt_tokens, mark_});
  mark_.reset();
}

}  // namespace tollgate::simulator
