#include "protocol/anthropic/request/answer_format.hpp"

#include "protocol/anthropic/request/chat_text.hpp"
#include "protocol/anthropic/request/schema.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

namespace tollgate::protocol::anthropic::request {
namespace {

using json::Kind;
using json::Value;

constexpr std::string_view only_json =
    "Answer with one JSON object and nothing else: no words before or after it, and no code fence around it.";
constexpr std::string_view of_schema = "response_format";

/// The client's name of the schema, made to differ from the names of its tools.
std::string free_name(const Value& name, const Tools& tools) {
  std::string result = is_tool_name(name) ? std::string(name.inside()) : "answer";
  if (tools.names.contains(result)) result = "answer";
  for (std::size_t other = 2; tools.names.contains(result); ++other) result = "answer_" + std::to_string(other);
  return result;
}

}  // namespace

bool AnswerFormat::settle(const Value& response_format) {
  if (response_format.kind == Kind::none || response_format.is_null()) return true;
  const auto [type, described] = json::pick<2>(response_format.text, {"type", "json_schema"});
  if (type.text == "\"text\"") return true;
  if (type.text == "\"json_schema\"") return settle_schema(described);
  if (type.text != "\"json_object\"")
    return findings_.refuse("'response_format.type' must be text, json_object or json_schema", of_schema,
                            unsupported_value);
  words_ = only_json;
  return true;
}

bool AnswerFormat::settle_schema(const Value& described) {
  const Value schema = json::pick(described.text, "schema");
  if (schema.kind != Kind::object)
    return findings_.refuse("'response_format.json_schema.schema' must be an object", of_schema);
  // A schema that says no type is an object's, unless it refers to another one.
  const auto of_object = input_schema(schema);
  const bool as_written = !of_object || json::pick(schema.text, "$ref").kind != Kind::none;
  if (auto clean = rules_.format ? clean_schema(as_written ? schema.text : *of_object) : std::nullopt) {
    schema_ = std::move(*clean);
    return true;
  }
  if (of_object && rules_.forced != Forced::no) return add_tool(described, *of_object);
  return findings_.refuse(
      "Claude cannot be held to this 'response_format': the schema is recursive, refers to something outside of it, "
      "merges schemas, has an object of any members, or is not an object's where it has to be",
      of_schema, unsupported_value);
}

/// One more tool, which is the only way to answer; or one of the ways, where there are other tools to be called first.
bool AnswerFormat::add_tool(const Value& described, const std::string& schema) {
  const auto [name, description] = json::pick<2>(described.text, {"name", "description"});
  tool_ = free_name(name, tools_);
  json::Writer writer = tools_.blocks.next();
  writer.open_object().key("name").text(tool_).key("description");
  if (description.kind == Kind::string && !is_blank(description.inside()))
    write_text(writer, description.inside());
  else
    writer.text("Gives the answer.");
  writer.key("input_schema").raw(schema).close_object();
  if (choice_.kind == ToolChoice::Kind::one) return true;
  const bool alone = tools_.names.empty() || choice_.kind == ToolChoice::Kind::none;
  choice_.kind = alone ? ToolChoice::Kind::one : ToolChoice::Kind::any;
  choice_.name = tool_;
  return true;
}

}  // namespace tollgate::protocol::anthropic::request
