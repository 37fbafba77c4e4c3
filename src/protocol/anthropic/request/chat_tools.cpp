// Tools keep their order and their schemas as they are written, since the provider's cache begins with them; a schema
// is rewritten only where the model is held to it.
#include "protocol/anthropic/request/chat_tools.hpp"

#include "protocol/anthropic/request/chat_text.hpp"
#include "protocol/anthropic/request/schema.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::request {
namespace {

using json::Kind;
using json::Value;

constexpr std::string_view free_text_schema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"]})";

void write_description(json::Writer& writer, const Value& description) {
  if (description.kind != Kind::string || is_blank(description.inside())) return;
  writer.key("description");
  write_text(writer, description.inside());
}

/// A custom tool's description, and the grammar of its input where there is one.
void write_custom_description(json::Writer& writer, const Value& description, const Value& grammar) {
  if (grammar.kind != Kind::object) return write_description(writer, description);
  std::string text = description.kind == Kind::string ? json::decode_lossy(description.inside()) : std::string();
  const auto [syntax, definition] = json::pick<2>(grammar.text, {"syntax", "definition"});
  if (!text.empty()) text += "\n\n";
  text += "The input must be text of this grammar";
  if (syntax.kind == Kind::string) text += " (" + json::decode_lossy(syntax.inside()) + ")";
  text += ":\n" + (definition.kind == Kind::string ? json::decode_lossy(definition.inside()) : std::string());
  writer.key("description").text(text);
}

/// The name in {"type":"function","function":{"name":...}} or its like for custom tools.
Value named_tool(const Value& choice) {
  const auto [function, custom] = json::pick<2>(choice.text, {"function", "custom"});
  return json::pick(function.kind == Kind::object ? function.text : custom.text, "name");
}

bool read_allowed(const Value& allowed, ToolChoice& choice, Findings& findings) {
  const auto [mode, tools] = json::pick<2>(allowed.text, {"mode", "tools"});
  choice.kind = mode.text == "\"required\"" ? ToolChoice::Kind::any : ToolChoice::Kind::automatic;
  choice.allowed.emplace();
  json::Reader reader(tools.text);
  if (!reader.enter_array()) return findings.refuse("'allowed_tools.tools' must be a list", "tool_choice");
  while (reader.next_element()) {
    const Value name = named_tool(reader.take());
    if (!is_tool_name(name)) return findings.refuse("'allowed_tools.tools' must name tools", "tool_choice");
    choice.allowed->emplace(name.inside());
  }
  return true;
}

}  // namespace

bool is_tool_name(const Value& name) {
  constexpr std::size_t longest = 64;
  const auto fits = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-';
  };
  return name.kind == Kind::string && !name.inside().empty() && name.inside().size() <= longest &&
         std::ranges::all_of(name.inside(), fits);
}

bool read_tool_choice(const Value& tool_choice, const Value& function_call, ToolChoice& choice, Findings& findings) {
  const bool legacy = !tool_choice.is_given();
  const Value& given = legacy ? function_call : tool_choice;
  choice.field = legacy ? Field::function_call : Field::tool_choice;
  const std::string_view param = chat_field(choice.field).name;
  if (!given.is_given()) return true;
  if (given.kind == Kind::string) {
    const std::string name = given.inside().size() < 16 ? json::decode_lossy(given.inside()) : std::string();
    if (name == "none") choice.kind = ToolChoice::Kind::none;
    if (name == "auto") choice.kind = ToolChoice::Kind::automatic;
    if (name == "required" && !legacy) choice.kind = ToolChoice::Kind::any;
  } else if (given.kind == Kind::object) {
    const Value allowed = json::pick(given.text, "allowed_tools");
    if (allowed.kind == Kind::object) return read_allowed(allowed, choice, findings);
    const Value name = legacy ? json::pick(given.text, "name") : named_tool(given);
    if (is_tool_name(name)) {
      choice.kind = ToolChoice::Kind::one;
      choice.name = name.inside();
    }
  }
  if (choice.kind != ToolChoice::Kind::unset) return true;
  return findings.refuse("'" + std::string(param) + "' is none of the forms that it can have", param);
}

std::optional<std::string> input_schema(const Value& parameters) {
  constexpr std::string_view nothing = R"({"type":"object","properties":{}})";
  if (!parameters.is_given()) return std::string(nothing);
  if (parameters.kind != Kind::object) return std::nullopt;
  if (!parameters.truthy()) return std::string(nothing);
  const auto [type, any_of, one_of, all_of] = json::pick<4>(parameters.text, {"type", "anyOf", "oneOf", "allOf"});
  for (const Value& merged : {any_of, one_of, all_of})
    if (merged.kind != Kind::none) return std::nullopt;
  if (type.kind == Kind::none) return R"({"type":"object",)" + std::string(parameters.text.substr(1));
  if (type.text != "\"object\"") return std::nullopt;
  return std::string(parameters.text);
}

bool ToolReader::read(const Value& tools, const Value& functions, Tools& read) {
  return read_list(tools, "tools", &ToolReader::read_tool, read) &&
         read_list(functions, "functions", &ToolReader::read_function, read);
}

bool ToolReader::read_list(const Value& list, std::string_view name, ReadOne read_one, Tools& read) {
  if (!list.is_given()) return true;
  json::Reader reader(list.text);
  if (!reader.enter_array()) return findings_.refuse("'" + std::string(name) + "' must be a list", name);
  for (std::size_t index = 0; reader.next_element(); ++index) {
    const std::string param = place_of(name, index);
    const Value tool = reader.take();
    if (tool.kind != Kind::object) return findings_.refuse("'" + param + "' must be an object", param);
    if (!(this->*read_one)(tool, param, read)) return false;
  }
  return true;
}

bool ToolReader::read_tool(const Value& tool, const std::string& param, Tools& read) {
  const auto [type, function, custom, control, breakpoint] =
      json::pick<5>(tool.text, {"type", "function", "custom", "cache_control", "prompt_cache_breakpoint"});
  const std::size_t before = read.blocks.written().text.size();
  if (custom.kind == Kind::object && type.text == "\"custom\"") {
    if (!read_custom(custom, param, read)) return false;
  } else if (function.kind == Kind::object && (type.text == "\"function\"" || !type.is_given())) {
    if (!read_function(function, param, read)) return false;
  } else {
    return findings_.refuse("'" + param + "' must be of the type function or custom", param, unsupported_value);
  }
  std::optional<CacheMark> mark;
  const Value inner = json::pick(function.text, "cache_control");
  if (!read_cache_mark(control.is_given() ? control : inner, breakpoint, breakpoint_hour_, mark, findings_))
    return false;
  if (mark && read.blocks.written().text.size() != before) read.blocks.mark_last(*mark);
  return true;
}

bool ToolReader::take_name(const Value& name, const std::string& param, Tools& read, bool& visible) {
  if (!is_tool_name(name))
    return findings_.refuse("'" + param + "' needs a name of " + std::string(tool_name_rule), param);
  visible = !choice_.allowed || choice_.allowed->contains(name.inside());
  if (!visible || read.names.emplace(name.inside()).second) return true;
  return findings_.refuse("'" + param + "' has the name of another tool", param);
}

bool ToolReader::read_function(const Value& function, const std::string& param, Tools& read) {
  const auto [name, description, parameters, strict] =
      json::pick<4>(function.text, {"name", "description", "parameters", "strict"});
  bool visible = false;
  if (!take_name(name, param, read, visible)) return false;
  auto schema = input_schema(parameters);
  if (!schema)
    return findings_.refuse("'" + param +
                                "' has parameters that are no schema of the type object, without anyOf, "
                                "oneOf and allOf at their top level",
                            param, unsupported_value);
  if (!visible) return true;
  auto clean = strict.is_true() && rules_.format ? clean_schema(*schema) : std::nullopt;
  if (strict.is_true() && !clean && !findings_.drop(Field::tool_strict, param)) return false;
  json::Writer writer = read.blocks.next();
  writer.open_object().key("name").raw(name.text);
  write_description(writer, description);
  if (clean) writer.key("strict").boolean(true);
  writer.key("input_schema").raw(clean ? *clean : *schema).close_object();
  return true;
}

bool ToolReader::read_custom(const Value& custom, const std::string& param, Tools& read) {
  const auto [name, description, format] = json::pick<3>(custom.text, {"name", "description", "format"});
  bool visible = false;
  if (!take_name(name, param, read, visible)) return false;
  if (!visible) return true;
  Value grammar;
  if (json::pick(format.text, "type").text == "\"grammar\"") {
    // Once written as a member of its own, once flat.
    grammar = json::pick(format.text, "grammar");
    if (grammar.kind != Kind::object) grammar = format;
    if (!findings_.drop(Field::tool_custom_format, param)) return false;
  }
  json::Writer writer = read.blocks.next();
  writer.open_object().key("name").raw(name.text);
  write_custom_description(writer, description, grammar);
  writer.key("input_schema").raw(free_text_schema).close_object();
  read.custom.emplace_back(name.inside());
  return true;
}

bool settle_tool_choice(ToolChoice& choice, const Tools& tools, const ModelRules& rules, Findings& findings) {
  const std::string_view param = chat_field(choice.field).name;
  if (tools.blocks.empty()) {
    if (choice.allowed) return findings.refuse("'tool_choice' allows none of the tools", param);
    const bool loses = choice.forces();
    choice.kind = ToolChoice::Kind::unset;
    return !loses || findings.drop(choice.field);
  }
  if (choice.kind == ToolChoice::Kind::one && !tools.names.contains(choice.name))
    return findings.refuse("'" + std::string(param) + "' names a tool that is not there", param);
  if (!choice.forces() || rules.forced != Forced::no) return true;
  choice.kind = ToolChoice::Kind::automatic;
  return findings.drop(choice.field);
}

void write_tool_choice(json::Writer& writer, const ToolChoice& choice, bool parallel) {
  using Kind = ToolChoice::Kind;
  if (choice.kind == Kind::unset && parallel) return;
  writer.key("tool_choice").open_object().key("type");
  switch (choice.kind) {
    case Kind::none: writer.text("none").close_object(); return;
    case Kind::unset:
    case Kind::automatic: writer.text("auto"); break;
    case Kind::any: writer.text("any"); break;
    case Kind::one: writer.text("tool").key("name").text(choice.name); break;
  }
  if (!parallel) writer.key("disable_parallel_tool_use").boolean(true);
  writer.close_object();
}

}  // namespace tollgate::protocol::anthropic::request
