#include "tollgate/protocol/openai/cost_splice.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace tollgate::protocol::openai {
namespace {

std::string with_cost(std::string_view json) {
  const auto splice = plan_cost(json, "0.001234");
  if (!splice) return "none";
  const std::vector<Splice> splices = {*splice};
  std::string out;
  for (const std::string_view piece : apply_splices(json, splices)) out += piece;
  EXPECT_TRUE(nlohmann::json::accept(out)) << out;
  return out;
}

struct Case {
  const char *before, *after;
};

TEST(CostSplice, goes_last_into_the_usage_object) {
  const Case cases[] = {
      {R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}})",
       R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"cost_usd":0.001234}})"},
      {R"({"usage":{}})", R"({"usage":{"cost_usd":0.001234}})"},
      {R"( { "usage" : { } , "x":1 } )", R"( { "usage" : {"cost_usd":0.001234 } , "x":1 } )"},
      {"{\"usage\":{\n  \"a\": 1\n}}", "{\"usage\":{\n  \"a\": 1,\"cost_usd\":0.001234\n}}"},
      {R"({"usage":{"prompt_tokens_details":{"cached_tokens":1}},"service_tier":"default"})",
       R"({"usage":{"prompt_tokens_details":{"cached_tokens":1},"cost_usd":0.001234},"service_tier":"default"})"},
      {R"({"us\u0061ge":{"a":1}})", R"({"us\u0061ge":{"a":1,"cost_usd":0.001234}})"},
      {R"({"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1}}})",
       R"({"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1,"cost_usd":0.001234}}})"},
      {R"({"response":{"usage":{"a":1}},"usage":{"b":2}})",
       R"({"response":{"usage":{"a":1}},"usage":{"b":2,"cost_usd":0.001234}})"},
      {R"({"usage":{"a":1},"usage":{"b":2}})", R"({"usage":{"a":1},"usage":{"b":2,"cost_usd":0.001234}})"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(with_cost(before), after);
}

TEST(CostSplice, replaces_a_cost_that_is_there) {
  const Case cases[] = {
      {R"({"usage":{"cost_usd":7,"a":1}})", R"({"usage":{"cost_usd":0.001234,"a":1}})"},
      {R"({"usage":{"a":1,"cost_usd" : {"x":[1]} }})", R"({"usage":{"a":1,"cost_usd" : 0.001234 }})"},
      {R"({"usage":{"cost":7,"cost_details":{"cost_usd":1}}})",
       R"({"usage":{"cost":7,"cost_details":{"cost_usd":1},"cost_usd":0.001234}})"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(with_cost(before), after);
}

TEST(CostSplice, is_none_where_no_usage_object_is) {
  for (const char* json :
       {"", "{}", "[]", "null", "[DONE]", R"({"usage":null})", R"({"usage":[]})", R"({"usage":7})",
        R"({"choices":[{"usage":{"a":1}}]})", R"({"x_groq":{"usage":{"a":1}}})", R"([{"usage":{"a":1}}])",
        R"({"usage":{"a":1})", R"({"usage":{"a":1}} x)", R"({"usage":{"a":1,}})", R"({"response":7})",
        R"({"response":{"usage":null}})", R"({"usage":{"a":1},"usage":null})", R"({"x":"\"usage\":{}"})"})
    EXPECT_EQ(with_cost(json), "none") << json;
}

TEST(CostSplice, keeps_every_other_byte) {
  const std::string json = R"({"usage":{"a":1 } , "b" : 1.0e+2})";
  const auto splice = plan_cost(json, "1");
  ASSERT_TRUE(splice);
  const std::vector<Splice> splices = {*splice};
  const auto pieces = apply_splices(json, splices);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(std::string(pieces[0]) + std::string(pieces[2]), json);
}

}  // namespace
}  // namespace tollgate::protocol::openai
