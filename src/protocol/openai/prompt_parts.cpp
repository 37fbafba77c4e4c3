// Walks a request for everything that is counted, without a tree: each value is stepped over once and read once on each
// level that is known, and nested schemas are walked where they lie, so that depth costs nothing.
#include "tollgate/protocol/openai/prompt_parts.hpp"

#include "protocol/json_each.hpp"
#include "protocol/json_text.hpp"
#include "protocol/kept_text.hpp"

#include <algorithm>

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;
using json::Value;

class PartsReader {
 public:
  explicit PartsReader(const std::function<void(std::string_view)>& text) : text_(text) {}
  PromptShape read(std::string_view body);

 private:
  void add_text(const Value& value);
  void add_content(const Value& content, unsigned depth = 0);
  void add_part(Reader& reader, unsigned depth = 0);
  bool add_source(const Value& source);
  void add_prompt(const Value& prompt);
  void add_message(Reader& reader);
  void add_messages(const Value& messages);
  void add_tool_calls(const Value& calls);
  void add_tools(const Value& tools);
  void add_tool(Reader& reader);
  void add_schema(Reader& reader, bool names_properties);
  void add_strings(Reader& reader);
  void add_format(const Value& format);

  const std::function<void(std::string_view)>& text_;
  PromptShape shape_;
};

/// Where to cut a text with escapes: at a blank of its last bytes, else anywhere between two characters.
std::size_t part_end(std::string_view inside) {
  if (inside.size() <= prompt_part_decoded) return inside.size();
  constexpr std::size_t near = 256;
  const std::size_t blank = inside.rfind(' ', prompt_part_decoded);
  if (blank != inside.npos && blank > prompt_part_decoded - near) return blank;
  return json::cut_before(inside, prompt_part_decoded);
}

void PartsReader::add_text(const Value& value) {
  if (value.kind != Kind::string) return;
  std::string_view inside = value.inside();
  if (inside.find('\\') == inside.npos) {
    if (!inside.empty()) text_(inside);
    return;
  }
  while (!inside.empty()) {
    const std::size_t end = part_end(inside);
    text_(json::decode_lossy(inside.substr(0, end)));
    inside.remove_prefix(end);
  }
}

/// Where a message request's document comes from. False: that is no text.
bool PartsReader::add_source(const Value& source) {
  Value type, data, content;
  Reader reader(source.text);
  json::for_each_member(reader, [&](std::string_view key) {
    Value* const known = key == "type" ? &type : key == "data" ? &data : key == "content" ? &content : nullptr;
    const Value value = reader.take();
    if (known != nullptr) *known = value;
  });
  if (type.text == "\"text\"") return add_text(data), true;
  if (type.text == "\"content\"") return add_content(content, 1), true;
  return false;
}

/// One of a content's parts: the next value. A tool's result holds parts of its own, and those none.
void PartsReader::add_part(Reader& reader, unsigned depth) {
  if (reader.peek() == Kind::string) return add_text(reader.take());
  Value type, text, detail, content, name, input, source;
  json::for_each_member(reader, [&](std::string_view key) {
    if (key == "image_url") {
      // An object in chat completions, a text in responses.
      json::for_each_member(reader, [&](std::string_view inside) {
        const bool is_detail = inside == "detail";
        const Value value = reader.take();
        if (is_detail) detail = value;
      });
      return;
    }
    Value* const known = key == "type"                                            ? &type
                         : key == "text" || key == "refusal" || key == "thinking" ? &text
                         : key == "detail"                                        ? &detail
                         : key == "content" || key == "output"                    ? &content
                         : key == "name"                                          ? &name
                         : key == "input"                                         ? &input
                         : key == "source"                                        ? &source
                                                                                  : nullptr;
    const Value value = reader.take();
    if (known != nullptr) *known = value;
  });
  add_text(text);
  if (depth == 0) add_content(content, depth + 1);
  if (type.text == "\"tool_use\"") {
    add_text(name);
    if (input.kind == Kind::object) text_(input.text);
  }
  if (type.text == "\"image_url\"" || type.text == "\"input_image\"" || type.text == "\"image\"") {
    ++shape_.pictures;
    if (detail.text == "\"low\"") ++shape_.low_detail;
  }
  const bool file = type.text == "\"document\"" && !add_source(source);
  if (file || type.text == "\"file\"" || type.text == "\"input_file\"" || type.text == "\"input_audio\"")
    ++shape_.files;
}

void PartsReader::add_content(const Value& content, unsigned depth) {
  add_text(content);
  json::for_each_element(content, [&](Reader& reader) { add_part(reader, depth); });
}

/// A text, texts, or tokens in place of either.
void PartsReader::add_prompt(const Value& prompt) {
  add_text(prompt);
  json::for_each_element(prompt, [&](Reader& reader) {
    if (!reader.enter_array()) {
      const Value value = reader.take();
      if (value.kind == Kind::number) ++shape_.token_ids;
      return add_text(value);
    }
    while (reader.next_element())
      if (reader.take().kind == Kind::number) ++shape_.token_ids;
  });
}

void PartsReader::add_tool_calls(const Value& calls) {
  json::for_each_element(calls, [&](Reader& reader) {
    json::for_each_member(reader, [&](std::string_view key) {
      if (key != "function" && key != "custom") return void(reader.take());
      json::for_each_member(reader, [&](std::string_view inside) {
        const bool counts = inside == "name" || inside == "arguments" || inside == "input";
        const Value value = reader.take();
        if (counts) add_text(value);
      });
    });
  });
}

void PartsReader::add_message(Reader& reader) {
  Value role, name, calls;
  ++shape_.messages;
  json::for_each_member(reader, [&](std::string_view key) {
    if (key == "function_call") {
      json::for_each_member(reader, [&](std::string_view) { add_text(reader.take()); });
      return;
    }
    Value* const known = key == "role" ? &role : key == "name" ? &name : key == "tool_calls" ? &calls : nullptr;
    const bool is_content = key == "content" || key == "output" || key == "summary";
    const bool is_text = key == "arguments" || key == "refusal" || key == "reasoning_content";
    const Value value = reader.take();
    if (known != nullptr) *known = value;
    if (is_content) add_content(value);
    if (is_text) add_text(value);
  });
  add_text(role);
  add_text(name);
  add_tool_calls(calls);
  if (role.kind == Kind::string && name.kind == Kind::string) ++shape_.names;
}

void PartsReader::add_messages(const Value& messages) {
  json::for_each_element(messages, [&](Reader& reader) { add_message(reader); });
}

void PartsReader::add_strings(Reader& reader) {
  if (!reader.enter_array()) return add_text(reader.take());
  while (reader.next_element()) add_text(reader.take());
}

/// A schema, or the map of an object's properties, which are schemas each. As deep as the reader lets it.
void PartsReader::add_schema(Reader& reader, bool names_properties) {
  if (reader.enter_array()) {
    while (reader.next_element()) add_schema(reader, false);
    return;
  }
  json::for_each_member(reader, [&](std::string_view key) {
    if (names_properties) {
      ++shape_.properties;
      text_(key);
      return add_schema(reader, false);
    }
    if (key == "description" || key == "title" || key == "enum") return add_strings(reader);
    add_schema(reader, key == "properties");
  });
}

void PartsReader::add_tool(Reader& reader) {
  json::for_each_member(reader, [&](std::string_view key) {
    if (key == "function" || key == "custom") return add_tool(reader);
    if (key == "name" || key == "description") return add_text(reader.take());
    if (key == "parameters" || key == "input_schema") return add_schema(reader, false);
    reader.take();
  });
}

void PartsReader::add_tools(const Value& tools) {
  json::for_each_element(tools, [&](Reader& reader) {
    ++shape_.tools;
    add_tool(reader);
  });
}

/// `response_format`, or `text` of a response or `output_config` of a message request, which have it as `format`.
void PartsReader::add_format(const Value& format) {
  if (format.kind == Kind::object && format.text.find("\"json_schema\"") != format.text.npos) text_(format.text);
}

PromptShape PartsReader::read(std::string_view body) {
  Reader reader(body);
  Value messages, input, prompt, suffix, instructions, tools, functions, response_format, text;
  json::for_each_member(reader, [&](std::string_view key) {
    Value* const known = key == "messages"                          ? &messages
                         : key == "input"                           ? &input
                         : key == "prompt"                          ? &prompt
                         : key == "suffix"                          ? &suffix
                         : key == "instructions" || key == "system" ? &instructions
                         : key == "tools"                           ? &tools
                         : key == "functions"                       ? &functions
                         : key == "response_format" || key == "output_config" || key == "output_format"
                             ? &response_format
                         : key == "text" ? &text
                                         : nullptr;
    const Value value = reader.take();
    if (known != nullptr) *known = value;
  });
  if (instructions.kind == Kind::string || instructions.kind == Kind::array) {
    ++shape_.messages;
    add_content(instructions);
  }
  add_messages(messages);
  Reader first(input.text);
  const bool items =
      input.kind == Kind::array && first.enter_array() && first.next_element() && first.peek() == Kind::object;
  items ? add_messages(input) : add_prompt(input);
  add_prompt(prompt);
  add_text(suffix);
  add_tools(tools);
  add_tools(functions);
  add_format(response_format);
  add_format(text);
  return shape_;
}

}  // namespace

PromptShape read_prompt_parts(std::string_view body, const std::function<void(std::string_view)>& text) {
  return PartsReader(text).read(body);
}

}  // namespace tollgate::protocol::openai
