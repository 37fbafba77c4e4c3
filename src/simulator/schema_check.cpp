// What a translating gateway has to take out of a schema, or add to it, before Anthropic accepts it.
#include "simulator/schema_check.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace tollgate::simulator {

namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 10> refused_words = {
    "minimum",   "maximum",   "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "maxItems",         "minProperties",    "maxProperties"};
constexpr std::array<std::string_view, 9> formats = {"date-time", "time", "date", "duration", "email",
                                                     "hostname",  "uri",  "ipv4", "uuid"};

std::optional<std::string> check_words(const Json& schema) {
  const std::string type = schema.contains("type") && schema["type"].is_string() ? schema["type"] : Json("object");
  for (const std::string_view word : refused_words) {
    if (!schema.contains(word)) continue;
    return "For '" + type + "' type, property '" + std::string(word) + "' is not supported";
  }
  if (schema.contains("minItems") && schema["minItems"].is_number() && schema["minItems"] > 1) {
    return "For 'array' type, 'minItems' values other than 0 or 1 are not supported";
  }
  if (schema.contains("format") && schema["format"].is_string()) {
    const std::string format = schema["format"];
    if (format != "ipv6" && std::find(formats.begin(), formats.end(), format) == formats.end()) {
      return "For 'string' type, format '" + format + "' is not supported";
    }
  }
  const bool object = schema.contains("type") && schema["type"] == "object";
  const bool closed = schema.contains("additionalProperties") && schema["additionalProperties"] == false;
  if (object && !closed) return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  return std::nullopt;
}

class SchemaCheck {
 public:
  explicit SchemaCheck(const Json& root) : root_(root) {}

  /// As deep as the document, which is limited, and once into every definition.
  std::optional<std::string> of(const Json& schema) {
    if (!schema.is_object()) return std::nullopt;
    if (auto fault = check_words(schema)) return fault;
    if (auto fault = of_reference(schema)) return fault;
    for (const char* name : {"properties", "anyOf", "oneOf", "allOf", "prefixItems"}) {
      const auto found = schema.find(name);
      if (found == schema.end() || !found->is_structured()) continue;
      for (const Json& inner : *found) {
        if (auto fault = of(inner)) return fault;
      }
    }
    const auto items = schema.find("items");
    return items == schema.end() ? std::nullopt : of(*items);
  }

 private:
  std::optional<std::string> of_reference(const Json& schema) {
    const auto reference = schema.find("$ref");
    if (reference == schema.end() || !reference->is_string()) return std::nullopt;
    const std::string name = *reference;
    if (name == "#" || open_.count(name) > 0) return "Recursive schemas are not supported";
    if (!known_.insert(name).second) return std::nullopt;
    const std::string_view prefix = name.starts_with("#/$defs/") ? "#/$defs/" : "#/definitions/";
    const auto table = root_.find(prefix == "#/$defs/" ? "$defs" : "definitions");
    if (!name.starts_with(prefix) || table == root_.end() || !table->is_object()) return std::nullopt;
    const auto target = table->find(name.substr(prefix.size()));
    if (target == table->end()) return "Definition '" + name + "' was not found";
    open_.insert(name);
    std::optional<std::string> fault = of(*target);
    open_.erase(name);
    return fault;
  }

  const Json& root_;
  std::set<std::string> open_, known_;
};

}  // namespace

std::optional<std::string> unsupported_in(const Json& schema) { return SchemaCheck(schema).of(schema); }

}  // namespace tollgate::simulator
