// Tools as functions. Some that Anthropic defines are run by the client all the same: their inputs are documented, so
// any model can call them once it is told.
#include "protocol/anthropic/inbound/chat_tools.hpp"

#include "protocol/anthropic/inbound/strict_schema.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"

#include <array>
#include <string>

namespace tollgate::protocol::anthropic::inbound {
namespace {

using json::Kind;
using json::pick;
using json::Value;
using json::Writer;

constexpr std::string_view no_parameters = R"({"type":"object","properties":{}})";

/// A tool that Anthropic defines and clients run.
struct ClientTool {
  std::string_view type;  ///< what its type begins with; a date follows
  std::string_view description, parameters;
};

// size: exempt, a table
constexpr std::array<ClientTool, 3> client_tools{{
    {"bash_", "Runs a command in a shell that stays open between calls, or starts that shell anew.",
     R"({"type":"object","properties":{"command":{"type":"string","description":"The command to run; not needed with restart"},)"
     R"("restart":{"type":"boolean","description":"true: start the shell anew"}}})"},
    {"text_editor_", "Looks at files and changes them.",
     R"({"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},)"
     R"("path":{"type":"string","description":"Of the file, or of a folder to view"},)"
     R"("view_range":{"type":"array","items":{"type":"integer"},"description":"view: the first and the last line, -1 for the end"},)"
     R"("file_text":{"type":"string","description":"create: the content"},)"
     R"("old_str":{"type":"string","description":"str_replace: what to replace; it must be in the file exactly once"},)"
     R"("new_str":{"type":"string","description":"str_replace: what to put there; insert: what to insert"},)"
     R"("insert_line":{"type":"integer","description":"insert: the line to insert after, 0 for the beginning"},)"
     R"("insert_text":{"type":"string","description":"insert: what to insert"}},"required":["command","path"]})"},
    {"memory_", "Keeps notes in files below /memories, across conversations.",
     R"({"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},)"
     R"("path":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}},"file_text":{"type":"string"},)"
     R"("old_str":{"type":"string"},"new_str":{"type":"string"},"insert_line":{"type":"integer"},"insert_text":{"type":"string"},)"
     R"("old_path":{"type":"string"},"new_path":{"type":"string"}},"required":["command"]})"},
}};

const ClientTool* find_client_tool(std::string_view type) {
  for (const ClientTool& tool : client_tools)
    if (type.starts_with(tool.type)) return &tool;
  return nullptr;
}

class ToolWriter {
 public:
  ToolWriter(Writer& out, Notes& notes) : out_(out), notes_(notes) {}

  bool write_tool(const Value& tool, std::string_view place);
  bool write_choice(const Value& choice);

 private:
  void note_members(const Value& tool);
  void write_strict(const Value& strict, std::string_view schema);

  Writer& out_;
  Notes& notes_;
};

/// The members that have no effect, by the table.
void ToolWriter::note_members(const Value& tool) {
  json::Reader reader(tool.text);
  if (!reader.enter_object()) return;
  while (reader.next_member()) {
    const bool mark = reader.key() == "cache_control";
    const auto field = mark ? message_field("cache_control") : find_message_field("tools.", reader.key());
    if (reader.take().truthy() && field && message_fields[*field].fate != Fate::mapped) notes_.leave_out(*field);
  }
}

bool ToolWriter::write_tool(const Value& tool, std::string_view place) {
  const auto [type, name, description, schema, strict] =
      pick<5>(tool.text, {"type", "name", "description", "input_schema", "strict"});
  if (name.kind != Kind::string) return notes_.refuse(std::string(place) + ": a tool needs a 'name'", place);
  note_members(tool);
  const std::string kind = type.kind == Kind::string ? json::decode_lossy(type.inside()) : "custom";
  const ClientTool* known = find_client_tool(kind);
  if (kind != "custom" && known == nullptr) {
    return notes_.refuse(std::string(place) +
                             ": a tool of this type runs at Anthropic, or needs a model of Anthropic's: "
                             "leave it out, or ask for a model that is served there",
                         place);
  }
  if (known == nullptr && schema.is_given() && schema.kind != Kind::object)
    return notes_.refuse(std::string(place) + ".input_schema must be an object", place);
  out_.open_object().key("type").raw("\"function\"").key("function").open_object();
  out_.key("name").escaped(name.inside());
  if (known != nullptr) {
    out_.key("description").text(known->description).key("parameters").raw(known->parameters);
  } else {
    if (description.kind == Kind::string) out_.key("description").escaped(description.inside());
    out_.key("parameters").raw(!schema.is_given() ? no_parameters : schema.text);
    if (strict.kind == Kind::boolean) write_strict(strict, schema.text);
  }
  out_.close_object().close_object();
  return true;
}

void ToolWriter::write_strict(const Value& strict, std::string_view schema) {
  const bool can_be = !strict.is_true() || fits_strict(schema);
  if (!can_be) notes_.leave_out(message_field("tools.strict"));
  out_.key("strict").boolean(strict.is_true() && can_be);
}

bool ToolWriter::write_choice(const Value& choice) {
  const auto [type, name, serial] = pick<3>(choice.text, {"type", "name", "disable_parallel_tool_use"});
  const std::string kind = type.kind == Kind::string ? json::decode_lossy(type.inside()) : std::string();
  if (kind == "tool" && name.kind == Kind::string) {
    out_.key("tool_choice").open_object().key("type").raw("\"function\"").key("function");
    out_.open_object().key("name").escaped(name.inside()).close_object().close_object();
  } else if (kind == "auto" || kind == "none") {
    out_.key("tool_choice").text(kind);
  } else if (kind == "any") {
    out_.key("tool_choice").raw("\"required\"");
  } else {
    return notes_.refuse("'tool_choice' must be of the type auto, any, tool (with a 'name') or none", "tool_choice");
  }
  if (serial.is_true() && kind != "none") out_.key("parallel_tool_calls").boolean(false);
  return true;
}

}  // namespace

bool write_tools(const Value& tools, const Value& choice, Writer& out, Notes& notes) {
  if (tools.is_given() && tools.kind != Kind::array) return notes.refuse("'tools' must be a list", "tools");
  ToolWriter writer(out, notes);
  if (!tools.truthy()) {
    if (choice.is_given()) notes.leave_out(message_field("tool_choice"));
    return true;
  }
  out.key("tools").open_array();
  json::Reader reader(tools.text);
  reader.enter_array();
  for (std::size_t at = 0; reader.next_element(); ++at)
    if (!writer.write_tool(reader.take(), "tools." + std::to_string(at))) return false;
  out.close_array();
  return !choice.is_given() || writer.write_choice(choice);
}

}  // namespace tollgate::protocol::anthropic::inbound
