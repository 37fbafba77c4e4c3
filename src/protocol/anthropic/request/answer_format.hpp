#pragma once
// response_format: an answer that is to be JSON.
#include "protocol/anthropic/request/chat_tools.hpp"

#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::request {

/// Settles how the answer's form is asked for: by a schema that the model is held to, by one more tool that has to be
/// called, or by words.
class AnswerFormat {
 public:
  /// Adds to the tools and the choice, which must outlive it.
  AnswerFormat(const ModelRules& rules, Tools& tools, ToolChoice& choice, Findings& findings)
      : rules_(rules), tools_(tools), choice_(choice), findings_(findings) {}

  /// False where it is refused.
  bool settle(const json::Value& response_format);

  /// What output_config.format holds the model to, as JSON; empty: nothing.
  const std::string& schema() const { return schema_; }
  /// The name of the tool whose input is the answer; empty: none.
  const std::string& tool() const { return tool_; }
  /// What is said to the model, after everything else; empty: nothing.
  std::string_view words() const { return words_; }

 private:
  bool settle_schema(const json::Value& described);
  bool add_tool(const json::Value& described, const std::string& schema);

  const ModelRules& rules_;
  Tools& tools_;
  ToolChoice& choice_;
  Findings& findings_;
  std::string schema_;
  std::string tool_;
  std::string_view words_;
};

}  // namespace tollgate::protocol::anthropic::request
