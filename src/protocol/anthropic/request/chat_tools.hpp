#pragma once
// The tools of a chat completion, and which of them is to be called.
#include "protocol/anthropic/request/blocks.hpp"
#include "protocol/anthropic/request/model_rules.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic::request {

inline constexpr std::string_view tool_name_rule = "up to 64 letters, digits, underscores and dashes";
/// A string of that form, without escapes.
bool is_tool_name(const json::Value& name);

/// tool_choice, or function_call, as the client has written it.
struct ToolChoice {
  enum class Kind { unset, none, automatic, any, one };
  Kind kind = Kind::unset;
  Field field = Field::tool_choice;                             ///< which of the two
  std::string name;                                             ///< of the one
  std::optional<std::set<std::string, std::less<>>> allowed{};  ///< no others are to be seen

  bool forces() const { return kind == Kind::any || kind == Kind::one; }
};

/// False where it is refused.
bool read_tool_choice(const json::Value& tool_choice, const json::Value& function_call, ToolChoice& choice,
                      Findings& findings);

struct Tools {
  Blocks blocks;
  std::set<std::string, std::less<>> names;
  std::vector<std::string> custom;  ///< names of tools of free text
};

/// The tools that may be seen. False where they are refused.
class ToolReader {
 public:
  ToolReader(const ModelRules& rules, const ToolChoice& choice, bool breakpoint_hour, Findings& findings)
      : rules_(rules), choice_(choice), breakpoint_hour_(breakpoint_hour), findings_(findings) {}

  bool read(const json::Value& tools, const json::Value& functions, Tools& read);

 private:
  using ReadOne = bool (ToolReader::*)(const json::Value& tool, const std::string& param, Tools& read);
  bool read_list(const json::Value& list, std::string_view name, ReadOne read_one, Tools& read);
  bool read_tool(const json::Value& tool, const std::string& param, Tools& read);
  bool read_function(const json::Value& function, const std::string& param, Tools& read);
  bool read_custom(const json::Value& custom, const std::string& param, Tools& read);
  bool take_name(const json::Value& name, const std::string& param, Tools& read, bool& visible);

  const ModelRules& rules_;
  const ToolChoice& choice_;
  bool breakpoint_hour_;
  Findings& findings_;
};

/// The parameters of a function as an input_schema, which is always an object's; nothing where they cannot be one.
std::optional<std::string> input_schema(const json::Value& parameters);

/// What is asked for by the tools there are and what the model can be asked for. False where that is refused.
bool settle_tool_choice(ToolChoice& choice, const Tools& tools, const ModelRules& rules, Findings& findings);

/// Nothing where the API's own default says the same.
void write_tool_choice(json::Writer& writer, const ToolChoice& choice, bool parallel);

}  // namespace tollgate::protocol::anthropic::request
