// Whatever is accepted becomes a request that the API's own rules allow: valid JSON, turns that are not empty, calls
// and results that pair, at most four cache marks. Strict or not, and for each model.
#include "tollgate/protocol/anthropic/to_messages.hpp"

#include "protocol/anthropic/request/model_rules.hpp"
#include "protocol/json_pick.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>

namespace {

using namespace tollgate::protocol;
using namespace tollgate::protocol::anthropic;
using Document = nlohmann::json;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

class SomeThoughts : public ThoughtSource {
 public:
  std::string find(std::string_view call) const override {
    if (call.size() % 3 == 0) return {};
    return call.size() % 3 == 1 ? R"({"type":"redacted_thinking","data":"x"})" : "no json";
  }
};

bool is_id(const std::string& id) {
  return !id.empty() &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string::npos;
}

std::size_t marks_in(const Document& blocks) {
  return static_cast<std::size_t>(
      std::ranges::count_if(blocks, [](const Document& block) { return block.contains("cache_control"); }));
}

/// Every call is answered in the turn after it, and no id comes twice.
class Calls {
 public:
  void see(const Document& content) {
    std::set<std::string> asked;
    for (const Document& block : content) {
      if (block.at("type") == "tool_use") {
        const std::string id = block.at("id");
        require(is_id(id) && all_.insert(id).second && block.at("input").is_object());
        asked.insert(id);
      }
      if (block.at("type") == "tool_result") require(open_.erase(block.at("tool_use_id")) == 1);
      if (block.at("type") == "text") require(!block.at("text").get<std::string>().empty());
    }
    require(open_.empty());
    open_ = std::move(asked);
  }
  void end() const { require(open_.empty()); }

 private:
  std::set<std::string> all_, open_;
};

void check_body(const Document& body) {
  require(!body.at("messages").empty() && body.at("max_tokens") >= 1);
  std::size_t marks = body.contains("cache_control") ? 1 : 0;
  for (const char* list : {"tools", "system"})
    if (body.contains(list)) marks += marks_in(body.at(list));
  Calls calls;
  for (const Document& turn : body.at("messages")) {
    require(turn.at("role") == "user" || turn.at("role") == "assistant");
    const Document& content = turn.at("content");
    require(!content.empty());
    if (content.is_string()) {
      calls.see(Document::array());
      continue;
    }
    marks += marks_in(content);
    calls.see(content);
  }
  calls.end();
  require(marks <= 4);
  if (body.contains("tool_choice")) require(!body.at("tools").empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view chat(reinterpret_cast<const char*>(bytes), size);
  const SomeThoughts thoughts;
  const auto& models = request::model_rules();
  ToMessages terms{.model = models[size % models.size()].name,
                   .max_tokens = size % 2 == 0 ? std::nullopt : std::optional<std::uint64_t>(4096),
                   .thoughts = &thoughts};
  const auto made = to_messages(chat, terms);
  terms.strict = true;
  const auto strict = to_messages(chat, terms);
  if (!made) {
    require(!made.error().message.empty() && made.error().message.size() < 400 && !strict);
    return 0;
  }
  require(json::is_valid(made->body));
  require(strict.has_value() == made->dropped.empty());
  if (strict) require(strict->body == made->body && strict->shape == made->shape);
  for (const std::string& name : made->dropped)
    require(!name.empty() && name.size() <= 64 && name.find_first_of("\r\n\"\\") == std::string::npos);
  const Document body = Document::parse(made->body, nullptr, false);
  if (!body.is_discarded()) check_body(body);
  return 0;
}
