#include "tollgate/protocol/json_schema.hpp"

#include "protocol/json_schema_judge.hpp"
#include "protocol/json_schema_value.hpp"

#include <utility>

namespace tollgate::protocol {

struct JsonSchema::Root {
  schema::Value value;
};

JsonSchema::JsonSchema(std::shared_ptr<const Root> root) : root_(std::move(root)) {}

Result<JsonSchema> JsonSchema::read(std::string_view text) {
  const auto refusal = [](std::string message) {
    return Failure{.kind = FailureKind::bad_request, .source = Source::client, .message = std::move(message)};
  };
  if (text.size() > largest_schema)
    return refusal("The JSON schema is larger than " + std::to_string(largest_schema) + " bytes.");
  auto root = std::make_shared<Root>();
  switch (schema::read_value(text, {.depth = deepest, .values = largest_schema}, root->value)) {
    case schema::Flaw::not_json: return refusal("The JSON schema is not valid JSON.");
    case schema::Flaw::too_deep:
      return refusal("The JSON schema is nested more than " + std::to_string(deepest) + " deep.");
    case schema::Flaw::number_out_of_range: return refusal("The JSON schema holds a number that is out of range.");
    case schema::Flaw::too_many_values:  // a value takes a byte at least
    case schema::Flaw::none: break;
  }
  return JsonSchema(std::move(root));
}

JsonSchema::Verdict JsonSchema::judge(std::string_view document) const {
  using Kind = Verdict::Kind;
  if (document.size() > largest_document) return {.what = "it is too large to judge"};
  schema::Value value;
  switch (schema::read_value(document, {.depth = deepest, .values = most_steps}, value)) {
    case schema::Flaw::not_json: return {.kind = Kind::differs, .what = "it is not valid JSON"};
    case schema::Flaw::too_deep: return {.what = "it is nested too deep to judge"};
    case schema::Flaw::number_out_of_range: return {.what = "it holds a number that is out of range"};
    case schema::Flaw::too_many_values: return {.what = "it holds too many values to judge"};
    case schema::Flaw::none: break;
  }
  schema::Judge judge(root_->value, most_steps);
  switch (judge.apply(root_->value, value, 0)) {
    case schema::Outcome::matches:
    case schema::Outcome::plausible: return {.kind = Kind::matches};
    case schema::Outcome::undecided: return {.what = std::string(judge.reason())};
    case schema::Outcome::differs: break;
  }
  const schema::Fault& fault = judge.fault();
  return {.kind = Kind::differs, .where = schema::pointer_to(value, *fault.at), .what = fault.what()};
}

}  // namespace tollgate::protocol
