#include "protocol/anthropic/request/schema.hpp"

#include "protocol/json_pick.hpp"

#include <gtest/gtest.h>

namespace tollgate::protocol::anthropic::request {
namespace {

TEST(CleanSchema, closes_every_object_and_takes_names_for_names) {
  EXPECT_EQ(clean_schema(R"({"properties":{"maximum":{"maximum":1,"type":"integer"},"a\"b":{"type":"object",)"
                         R"("properties":{"properties":{"type":"null"}}}}})"),
            R"({"properties":{"maximum":{"type":"integer"},"a\"b":{"type":"object","properties":{"properties":)"
            R"({"type":"null"}},"additionalProperties":false}},"additionalProperties":false})");
}

TEST(CleanSchema, keeps_what_is_data_as_it_is_written) {
  const std::string schema =
      R"({"enum":[1.50,"\u00e9",{"minimum":1}],"const":{"b":1,"a":2},"default":{"type":"object"}})";
  EXPECT_EQ(clean_schema(schema), schema);
}

TEST(CleanSchema, gives_up_what_it_would_change_the_meaning_of) {
  for (const char* schema : {
           R"({"type":"object"})",
           R"({"type":"object","additionalProperties":{"type":"string"}})",
           R"({"type":["object","null"]})",
           R"({"items":true})",
           R"({"items":[{"type":"string"}]})",
           R"({"properties":7})",
           R"({"anyOf":{}})",
           R"({"anyOf":[{"type":"null"}],"oneOf":[{"type":"null"}]})",
           R"({"allOf":[{"type":"string"},{"type":"string"}]})",
           R"({"$ref":"#"})",
           R"({"$ref":"other.json"})",
           R"({"$ref":7})",
           R"({"$ref":"#/$defs/a"})",
           R"({"$ref":"#/properties/a"})",
           R"({"$ref":"#/definitions/a","$defs":{"a":{"type":"null"}}})",
           R"({"$defs":{"a":{"$ref":"#/$defs/a"}}})",
           R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"items":{"$ref":"#/$defs/a"}}}})",
           R"({"properties":{"p":{"$defs":{"a":{"type":"null"}},"$ref":"#/$defs/a"}}})",
       })
    EXPECT_EQ(clean_schema(schema), std::nullopt) << schema;
}

TEST(CleanSchema, allows_definitions_that_are_used_often_but_not_by_themselves) {
  const std::string schema =
      R"({"$defs":{"a":{"type":"null"},"b":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},)"
      R"("anyOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/a"}]})";
  EXPECT_EQ(clean_schema(schema), schema);
  EXPECT_TRUE(clean_schema(R"({"type":"object","additionalProperties":false})"));
  EXPECT_TRUE(clean_schema(R"({"allOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"type":"null"}}})"));
}

TEST(CleanSchema, goes_as_deep_as_json_does) {
  std::string schema = R"({"type":"null"})";
  for (int depth = 1; depth < 64; ++depth) schema = R"({"items":)" + schema + "}";
  ASSERT_TRUE(json::is_valid(schema));
  EXPECT_EQ(clean_schema(schema), schema);
  EXPECT_EQ(clean_schema(R"({"items":)" + schema + "}"), std::nullopt);
}

}  // namespace
}  // namespace tollgate::protocol::anthropic::request
