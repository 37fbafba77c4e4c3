// Finds the words of a request without a tree: places of values first, and only those that count are read. A long
// conversation costs a step over its text, and the decoding of one turn.
#include "tollgate/protocol/openai/prompt.hpp"

#include "protocol/json_each.hpp"
#include "protocol/json_text.hpp"
#include "protocol/kept_text.hpp"

#include <utility>

namespace tollgate::protocol::openai {
namespace {

using json::KeptText;
using json::Kind;
using json::Reader;
using json::Value;

/// A content as it is written everywhere: a text, or a list of texts and of parts that have one.
void add_content(const Value& content, KeptText& text) {
  if (content.kind == Kind::string) text.add(content.inside());
  if (content.kind != Kind::array) return;
  json::for_each_element(content, [&](Reader& reader) {
    if (reader.peek() == Kind::string) {
      if (const Value part = reader.take(); part.kind == Kind::string) text.add(part.inside());
      return;
    }
    Value part;
    const bool whole = json::for_each_member(reader, [&](std::string_view key) {
      const bool is_text = key == "text";
      const Value value = reader.take();
      if (is_text) part = value;
    });
    if (whole && part.kind == Kind::string) text.add(part.inside());
  });
}

/// A short string, decoded; empty where it is none.
std::string short_text(const Value& value) {
  if (value.kind != Kind::string || value.text.size() > longest_tool_name + 2) return {};
  return json::decode_lossy(value.inside());
}

/// Whether a turn holds what tools have answered and no text: in a message request that is the user's too. Results
/// stand first, so that of any other turn little is read.
bool is_result(const Value& content) {
  Reader reader(content.text);
  if (content.kind != Kind::array || !reader.enter_array()) return false;
  bool any = false;
  while (reader.next_element()) {
    bool result = false, text = false;
    json::for_each_member(reader, [&](std::string_view key) {
      const bool is_type = key == "type";
      const Value value = reader.take();
      if (!is_type) return;
      result = value.text == "\"tool_result\"";
      text = value.text == "\"text\"";
    });
    if (text || (!any && !result)) return false;
    any = true;
  }
  return any && !reader.failed();
}

class PromptReader {
 public:
  PromptText read(std::string_view body);

 private:
  void read_messages(const Value& messages);
  void read_tools(const Value& tools);

  KeptText system_{prompt_head_kept, prompt_tail_kept};
  Value user_;
  std::vector<std::string> tool_names_;
};

PromptText PromptReader::read(std::string_view body) {
  Reader reader(body);
  Value messages, input, prompt, instructions, system, tools, functions;
  json::for_each_member(reader, [&](std::string_view key) {
    Value* const known = key == "messages"       ? &messages
                         : key == "input"        ? &input
                         : key == "prompt"       ? &prompt
                         : key == "instructions" ? &instructions
                         : key == "system"       ? &system
                         : key == "tools"        ? &tools
                         : key == "functions"    ? &functions
                                                 : nullptr;
    const Value value = reader.take();
    if (known != nullptr) *known = value;
  });
  add_content(instructions, system_);
  add_content(system, system_);
  if (messages.kind == Kind::array) {
    read_messages(messages);
  } else if (input.kind == Kind::array) {
    read_messages(input);
  } else {
    user_ = input.kind == Kind::string ? input : prompt;
  }
  read_tools(tools);
  read_tools(functions);
  KeptText user(prompt_head_kept, prompt_tail_kept);
  add_content(user_, user);
  return {system_.text(), user.text(), user.length(), std::move(tool_names_)};
}

void PromptReader::read_messages(const Value& messages) {
  json::for_each_element(messages, [&](Reader& reader) {
    Value role, content;
    const bool whole = json::for_each_member(reader, [&](std::string_view key) {
      const bool is_role = key == "role", is_content = key == "content";
      const Value value = reader.take();
      if (is_role) role = value;
      if (is_content) content = value;
    });
    if (!whole) return;
    const std::string name = short_text(role);
    if (name == "user" && !is_result(content)) user_ = content;
    if (name == "system" || name == "developer") add_content(content, system_);
  });
}

void PromptReader::read_tools(const Value& tools) {
  json::for_each_element(tools, [&](Reader& reader) {
    Value type, name, function_name;
    json::for_each_member(reader, [&](std::string_view key) {
      if (key == "function") {
        json::for_each_member(reader, [&](std::string_view inside) {
          const bool is_name = inside == "name";
          const Value value = reader.take();
          if (is_name) function_name = value;
        });
        return;
      }
      const bool is_type = key == "type", is_name = key == "name";
      const Value value = reader.take();
      if (is_type) type = value;
      if (is_name) name = value;
    });
    const Value& known = function_name.kind == Kind::string ? function_name : name.kind == Kind::string ? name : type;
    if (std::string text = short_text(known); !text.empty() && tool_names_.size() < most_tool_names)
      tool_names_.push_back(std::move(text));
  });
}

}  // namespace

PromptText read_prompt(std::string_view body) { return PromptReader().read(body); }

}  // namespace tollgate::protocol::openai
