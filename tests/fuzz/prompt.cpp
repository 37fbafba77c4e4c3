// Whatever the body, the prompt is bounded; and where another JSON reader can read the body and nothing had to be left
// out, it is what that one finds.
#include "tollgate/protocol/openai/prompt.hpp"

#include "tollgate/protocol/openai/request.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace tollgate::protocol::openai;
using Json = nlohmann::json;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void add(std::string& text, bool& any, const Json& value) {
  if (any) text += '\n';
  text += value.get<std::string>();
  any = true;
}

void add_content(std::string& text, bool& any, const Json& content) {
  if (content.is_string()) add(text, any, content);
  if (!content.is_array()) return;
  for (const Json& part : content) {
    if (part.is_string()) add(text, any, part);
    if (part.is_object() && part.contains("text") && part["text"].is_string()) add(text, any, part["text"]);
  }
}

/// What tools have answered and no text: in a message request that is the user's too.
bool is_result(const Json& content) {
  if (!content.is_array() || content.empty()) return false;
  const auto type_of = [](const Json& part) { return part.is_object() ? part.value("type", Json()) : Json(); };
  for (const Json& part : content)
    if (type_of(part) == "text") return false;
  return type_of(content.front()) == "tool_result";
}

struct Expected {
  std::string system, user;
};

Expected expected_prompt(const Json& body) {
  Expected expected;
  bool any_system = false, any_user = false;
  Json user;
  const auto messages = body.value("messages", Json()), input = body.value("input", Json());
  add_content(expected.system, any_system, body.value("instructions", Json()));
  add_content(expected.system, any_system, body.value("system", Json()));
  if (messages.is_array() || input.is_array()) {
    for (const Json& message : messages.is_array() ? messages : input) {
      if (!message.is_object()) continue;
      const auto role = message.value("role", Json()), content = message.value("content", Json());
      if (role == "user" && !is_result(content)) user = content;
      if (role == "system" || role == "developer") add_content(expected.system, any_system, content);
    }
  } else {
    user = input.is_string() ? input : body.value("prompt", Json());
  }
  add_content(expected.user, any_user, user);
  return expected;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  const PromptText prompt = read_prompt(body);
  constexpr std::size_t most = prompt_head_kept + 1 + prompt_tail_kept;
  require(prompt.system.size() <= most && prompt.user.size() <= most && prompt.user_length <= size);
  require(prompt.tool_names.size() <= most_tool_names);
  for (const std::string& name : prompt.tool_names) require(!name.empty() && name.size() <= 3 * longest_tool_name);
  if (size > prompt_head_kept || !scan_request(body)) return 0;
  const Json document = Json::parse(body, nullptr, false);
  if (document.is_discarded()) return 0;
  const Expected expected = expected_prompt(document);
  require(prompt.system == expected.system && prompt.user == expected.user);
  return 0;
}
