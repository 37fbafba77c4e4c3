#pragma once
// A checker for as much of JSON Schema as the admin API's document uses, written from the specification (2020-12) and
// not from the code that makes the document. A word that it does not know is a fault, so that nothing goes unchecked.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace tollgate::test {

class SchemaCheck {
 public:
  explicit SchemaCheck(nlohmann::json document) : document_(std::move(document)) {}
  const nlohmann::json& document() const { return document_; }

  /// What is wrong with `value`, with its place; empty where nothing is.
  std::string fault(const nlohmann::json& schema, const nlohmann::json& value, const std::string& at = "$") const {
    for (const auto& [word, rule] : schema.items()) {
      const std::string found = judge(word, rule, schema, value, at);
      if (!found.empty()) return found;
    }
    return {};
  }

  /// What is wrong with the answer to a call, by the document: its status is not declared, or its body is not as told.
  /// `path` is without query. What is not in the document, as OPTIONS is not, may be told so.
  std::string answer_fault(std::string method, const std::string& path, int status, const std::string& body) const {
    std::transform(method.begin(), method.end(), method.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    const nlohmann::json* operation = find(method, path);
    const std::string code = std::to_string(status);
    constexpr int told[] = {204, 401, 403, 404, 405, 429};
    if (!operation)
      return std::find(std::begin(told), std::end(told), status) != std::end(told) ? ""
                                                                                   : method + " " + path + ": " + code;
    const auto& responses = operation->at("responses");
    if (!responses.contains(code)) return method + " " + path + " does not declare " + code + ": " + body;
    const auto value = nlohmann::json::parse(body, nullptr, false);
    if (value.is_discarded()) return "no JSON: " + body;
    const std::string found = fault(responses.at(code).at("content").at("application/json").at("schema"), value);
    return found.empty() ? "" : method + " " + path + " " + code + ": " + found + " in " + body;
  }

 private:
  using Json = nlohmann::json;

  const Json* find(const std::string& method, const std::string& path) const {
    const Json* best = nullptr;
    for (const auto& [pattern, methods] : document_.at("paths").items()) {
      const std::size_t mark = pattern.find("{id}");
      const bool fits = mark == std::string::npos ? path == pattern
                                                  : path.size() > mark && path.compare(0, mark, pattern, 0, mark) == 0;
      if (fits && methods.contains(method) && (!best || mark == std::string::npos)) best = &methods.at(method);
    }
    return best;
  }

  static bool has_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == "null" && value.is_null();
  }

  static bool has_type(const Json& value, const Json& types) {
    if (types.is_string()) return has_type(value, types.get<std::string>());
    return std::any_of(types.begin(), types.end(),
                       [&value](const Json& type) { return has_type(value, type.get<std::string>()); });
  }

  std::string judge(const std::string& word, const Json& rule, const Json& schema, const Json& value,
                    const std::string& at) const {
    if (word == "description") return {};
    if (word == "type") return has_type(value, rule) ? "" : at + " is no " + rule.dump();
    if (word == "enum")
      return std::find(rule.begin(), rule.end(), value) != rule.end() ? "" : at + " is none of " + rule.dump();
    if (word == "minimum") return !value.is_number() || value >= rule ? "" : at + " is too small";
    if (word == "maximum") return !value.is_number() || value <= rule ? "" : at + " is too large";
    if (word == "$ref") return fault(document_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, at);
    if (word == "anyOf") {
      const bool any =
          std::any_of(rule.begin(), rule.end(), [&](const Json& one) { return fault(one, value, at).empty(); });
      return any ? "" : at + " fits none of " + rule.dump();
    }
    if (word == "items") return fault_of_items(rule, value, at);
    if (word == "properties") return fault_of_members(rule, value, at);
    if (word == "required") return fault_of_absence(rule, value, at);
    if (word == "additionalProperties") return fault_of_others(rule, schema, value, at);
    return "the schema uses '" + word + "', which nobody checks";
  }

  std::string fault_of_items(const Json& rule, const Json& value, const std::string& at) const {
    for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
      if (auto found = fault(rule, value[i], at + "[" + std::to_string(i) + "]"); !found.empty()) return found;
    return {};
  }

  std::string fault_of_members(const Json& rule, const Json& value, const std::string& at) const {
    for (const auto& [name, schema] : rule.items())
      if (value.is_object() && value.contains(name))
        if (auto found = fault(schema, value.at(name), at + "." + name); !found.empty()) return found;
    return {};
  }

  static std::string fault_of_absence(const Json& rule, const Json& value, const std::string& at) {
    for (const Json& name : rule)
      if (value.is_object() && !value.contains(name.get<std::string>())) return at + " lacks " + name.dump();
    return {};
  }

  std::string fault_of_others(const Json& rule, const Json& schema, const Json& value, const std::string& at) const {
    if (!value.is_object()) return {};
    const Json known = schema.value("properties", Json::object());
    for (const auto& [name, member] : value.items()) {
      if (known.contains(name)) continue;
      if (rule == false) return at + " has an undeclared member " + name;
      if (auto found = fault(rule, member, at + "." + name); !found.empty()) return found;
    }
    return {};
  }

  Json document_;
};

}  // namespace tollgate::test
