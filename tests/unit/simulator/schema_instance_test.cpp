#include "simulator/schema_instance.hpp"

#include "simulator/schema_check.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::simulator {
namespace {

using nlohmann::json;

json instance(const char* schema) { return json::parse(instance_of(json::parse(schema))); }

TEST(SchemaInstance, has_what_is_required_and_no_more) {
  EXPECT_EQ(
      instance(
          R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"null"},"c":{}},"required":["a","b"]})"),
      json({{"a", "text"}, {"b", nullptr}}));
}

TEST(SchemaInstance, takes_the_first_of_any_choice) {
  EXPECT_EQ(instance(R"({"enum":[7,8]})"), 7);
  EXPECT_EQ(instance(R"({"const":"x"})"), "x");
  EXPECT_EQ(instance(R"({"anyOf":[{"type":"boolean"},{"type":"string"}]})"), false);
  EXPECT_EQ(instance(R"({"type":["string","null"]})"), "text");
}

TEST(SchemaInstance, keeps_to_limits) {
  EXPECT_EQ(instance(R"({"type":"integer","minimum":5,"multipleOf":4})"), 8);
  EXPECT_EQ(instance(R"({"type":"integer","maximum":-3})"), -3);
  EXPECT_EQ(instance(R"({"type":"integer","exclusiveMinimum":0})"), 1);
  EXPECT_EQ(instance(R"({"type":"string","minLength":6})").get<std::string>().size(), 6u);
  EXPECT_EQ(instance(R"({"type":"string","maxLength":2})"), "te");
  EXPECT_EQ(instance(R"({"type":"array","items":{"type":"integer"},"minItems":3})"), json({0, 0, 0}));
  EXPECT_EQ(instance(R"({"type":"string","format":"date"})"), "2026-01-01");
}

TEST(SchemaInstance, follows_references_and_ends_those_without_an_end) {
  EXPECT_EQ(
      instance(
          R"({"$defs":{"n":{"type":"integer"}},"type":"object","properties":{"x":{"$ref":"#/$defs/n"}},"required":["x"]})"),
      json({{"x", 0}}));
  const char* list =
      R"({"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"]})";
  EXPECT_EQ(instance(list), json({{"next", nullptr}}));
  const char* twice = R"({"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}},"required":["a","b"]})";
  EXPECT_LT(instance_of(json::parse(twice)).size(), 100'000u);
}

TEST(SchemaInstance, makes_something_of_schemas_that_mean_nothing) {
  for (const char* schema : {"{}", "true", "[]", R"({"type":5})", R"({"enum":[]})", R"({"required":[1]})",
                             R"({"$ref":"elsewhere"})", R"({"type":"array","minItems":1e300})"}) {
    EXPECT_NO_THROW(instance(schema)) << schema;
  }
}

TEST(SchemaCheck, names_what_is_not_supported_wherever_it_stands) {
  const auto fault = [](const char* schema) { return unsupported_in(json::parse(schema)).value_or(""); };
  EXPECT_EQ(fault(R"({"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}})"), "");
  EXPECT_NE(fault(R"({"type":"object","additionalProperties":false,"properties":{"a":{"type":"object"}}})"), "");
  EXPECT_NE(fault(R"({"type":"array","items":{"type":"string","minLength":1}})"), "");
  EXPECT_NE(fault(R"({"anyOf":[{"type":"string","format":"regex"}]})"), "");
  EXPECT_NE(fault(R"({"type":"array","minItems":2})"), "");
  EXPECT_EQ(fault(R"({"type":"array","minItems":1})"), "");
  EXPECT_NE(fault(R"({"$defs":{"a":{"type":"object"}},"$ref":"#/$defs/a"})"), "");
  EXPECT_NE(fault(R"({"$ref":"#/$defs/a"})") + fault(R"({"$defs":{},"$ref":"#/$defs/a"})"), "");
}

}  // namespace
}  // namespace tollgate::simulator
