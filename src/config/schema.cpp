#include "tollgate/config/schema.hpp"
// Two more readings of the tables: the JSON Schema of the file, and the file that would give a snapshot. Neither can
// forget a key that the reader knows.

#include "config/assemble.hpp"
#include "config/document.hpp"

namespace tollgate::config {

namespace {

Json shown(const Value& value);

class Shower final : public Keys {
 public:
  void key(std::string_view name, std::string_view, const Value& value, Need) override {
    Json json = shown(value);
    if (!json.is_null()) result[std::string(name)] = std::move(json);
  }
  Json result = Json::object();
};

Json shown(const Value& value) {
  if (const auto* scalar = std::get_if<Scalar>(&value)) return scalar->show();
  if (const auto* block = std::get_if<Block>(&value)) {
    if (!block->present()) return {};
    Shower keys;
    block->describe(keys);
    return std::move(keys.result);
  }
  if (const auto* list = std::get_if<List>(&value)) {
    const auto items = list->items();
    if (items.empty() && list->at_least > 0) return {};  // the other form of the same thing was used
    Json json = Json::array();
    for (const Value& item : items) json.push_back(shown(item));
    return json;
  }
  const auto& dictionary = std::get<Dictionary>(value);
  if (dictionary.word) {
    if (Json word = dictionary.word->show(); !word.is_null()) return word;
  }
  Json json = Json::object();
  for (const auto& [name, item] : dictionary.items()) json[name] = shown(item);
  return json;
}

Json schema_of(const Value& value);

class SchemaWriter final : public Keys {
 public:
  void key(std::string_view name, std::string_view meaning, const Value& value, Need need) override {
    Json json = schema_of(value);
    json["description"] = meaning;
    // Only a scalar's default is shown: a block's defaults stand at its own keys.
    if (const auto* scalar = std::get_if<Scalar>(&value); scalar && need == Need::optional) {
      Json initial = scalar->show();
      if (!initial.is_null() && !scalar->secret) json["default"] = std::move(initial);
    }
    properties[std::string(name)] = std::move(json);
    if (need == Need::required) required.push_back(name);
  }
  void ignore(std::string_view prefix) override { ignored["^" + std::string(prefix)] = Json::object(); }

  Json properties = Json::object(), required = Json::array(), ignored = Json::object();
};

Json schema_of(const Scalar& scalar) {
  const bool any_text = scalar.schema == Json{{"type", "string"}};
  return any_text ? scalar.schema : Json{{"anyOf", {scalar.schema, {{"$ref", "#/$defs/reference"}}}}};
}

Json schema_of(const Block& block) {
  SchemaWriter keys;
  block.describe(keys);
  Json json{{"type", "object"}, {"properties", std::move(keys.properties)}};
  if (!keys.ignored.empty()) json["patternProperties"] = std::move(keys.ignored);
  if (!keys.required.empty()) json["required"] = std::move(keys.required);
  json["additionalProperties"] = false;
  return json;
}

Json schema_of(const List& list) {
  Json json{{"type", "array"}, {"items", schema_of(list.add())}};
  if (list.at_least > 0) json["minItems"] = list.at_least;
  return json;
}

Json schema_of(const Dictionary& dictionary) {
  const auto example = dictionary.add(dictionary.example, Spot{});
  Json mapping{{"type", "object"},
               {"propertyNames", {{"pattern", dictionary.name_pattern}}},
               {"additionalProperties", schema_of(*example)}};
  if (!dictionary.word) return mapping;
  return {{"anyOf", {std::move(mapping), dictionary.word->schema}}};
}

Json schema_of(const Value& value) {
  return std::visit([](const auto& kind) { return schema_of(kind); }, static_cast<const Value::variant&>(value));
}

}  // namespace

std::string schema() {
  Document document;
  Json json{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "tollgate routes.yaml"},
      {"$defs",
       {{"reference",
         {{"type", "string"}, {"pattern", "\\$\\{"}, {"description", "${VAR}, ${VAR:-default} or ${file:/path}"}}}}}};
  json.update(schema_of(Block{[&document](Keys& keys) { describe(keys, document); }}));
  return json.dump(2);
}

std::string effective(const Snapshot& snapshot) {
  Document document = to_document(snapshot);
  const Json json = shown(Block{[&document](Keys& keys) { describe(keys, document); }});
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tollgate::config
