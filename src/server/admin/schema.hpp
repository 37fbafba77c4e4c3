#pragma once
// Words for JSON Schemas (2020-12). Every schema of the admin API stands next to the code that makes or reads what it
// describes; openapi.cpp gathers them.
#include "strict_json.hpp"

namespace tollgate::server::admin {

/// An object that has all of these members and no others.
inline Json object_of(Json properties, std::string_view meaning) {
  Json required = Json::array();
  for (const auto& [name, schema] : properties.items()) required.push_back(name);
  return {{"type", "object"},
          {"description", meaning},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

inline Json list_of(Json items, std::string_view meaning = {}) {
  Json schema{{"type", "array"}, {"items", std::move(items)}};
  if (!meaning.empty()) schema["description"] = meaning;
  return schema;
}

inline Json reference(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }

inline Json or_null_of(Json schema, std::string_view meaning) {
  return {{"anyOf", Json::array({std::move(schema), {{"type", "null"}}})}, {"description", meaning}};
}

/// A scalar of a type, or of one of two ("string", "null").
inline Json scalar_of(Json type, std::string_view meaning) {
  return {{"type", std::move(type)}, {"description", meaning}};
}

}  // namespace tollgate::server::admin
