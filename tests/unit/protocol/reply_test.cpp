// Providers put usage in many places and spell errors in many ways; each one that was seen is a row here, since a
// missed one is a request metered at zero or an error without its reason.
#include "tollgate/protocol/openai/reply.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::protocol::openai {
namespace {

/// "input/cached/output/reasoning", or "none".
std::string usage(const std::string& json) {
  const auto found = read_usage(json);
  if (!found) return "none";
  return std::to_string(found->input) + "/" + std::to_string(found->cached_input) + "/" +
         std::to_string(found->output) + "/" + std::to_string(found->reasoning);
}

struct Row {
  const char *json, *expected;
};

TEST(ReadUsage, reads_both_namings_with_their_details) {
  const Row rows[] = {
      {R"({"id":"x","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,
         "prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":8,"audio_tokens":0}}})",
       "10/4/20/8"},
      {R"({"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":8}}})",
       "10/4/20/8"},
      {R"({"type":"response.completed","response":{"id":"r","usage":{"input_tokens":10,"output_tokens":20}}})",
       "10/0/20/0"},
      {R"({"object":"list","data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":10,"total_tokens":10}})",
       "10/0/0/0"},
      {R"({"text":"x","usage":{"type":"tokens","input_tokens":10,"input_token_details":{"text_tokens":1},"output_tokens":20}})",
       "10/0/20/0"},
      {R"({"usage":{"prompt_tokens":10,"completion_tokens":20,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}})",
       "10/4/20/0"},
      {R"({"usage":{"prompt_tokens":10,"completion_tokens":20,"input_tokens":0,"output_tokens":0}})", "10/0/20/0"},
      {R"({"usage":{"input_tokens":0,"output_tokens":0,"prompt_tokens":10,"completion_tokens":20}})", "10/0/20/0"},
      {R"({"x_groq":{"usage":{"prompt_tokens":10,"completion_tokens":20}}})", "10/0/20/0"},
      {R"({"us\u0061ge":{"prompt_tok\u0065ns":10}})", "10/0/0/0"},
      {" \n\n {\"usage\":{\"prompt_tokens\":1}} \n", "1/0/0/0"},
      {R"({"usage":{"prompt_tokens":10.0,"completion_tokens":2e1}})", "10/0/20/0"},
      {R"({"usage":{"prompt_tokens":0,"completion_tokens":0}})", "0/0/0/0"},
      {R"({"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2}})", "2/0/0/0"},
  };
  for (const auto& [json, expected] : rows) EXPECT_EQ(usage(json), expected) << json;
}

TEST(ReadUsage, takes_null_and_missing_members_for_zero) {
  EXPECT_EQ(usage(R"({"usage":{"prompt_tokens":10,"completion_tokens":null,"prompt_tokens_details":null}})"),
            "10/0/0/0");
  EXPECT_EQ(
      usage(
          R"({"usage":{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":null},"completion_tokens_details":{}}})"),
      "10/0/0/0");
  EXPECT_EQ(usage(R"({"usage":{"prompt_tokens":10,"prompt_tokens_details":7}})"), "10/0/0/0");
}

TEST(ReadUsage, believes_no_part_of_an_absurd_report) {
  for (const char* count : {"-1", "1.5", "1e300", "9007199254740994", "\"12\"", "true", "[1]", "{}"}) {
    EXPECT_EQ(usage(R"({"usage":{"prompt_tokens":5,"completion_tokens":)" + std::string(count) + "}}"), "none")
        << count;
    EXPECT_EQ(
        usage(R"({"usage":{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":)" + std::string(count) + "}}}"),
        "none")
        << count;
  }
  EXPECT_EQ(usage(R"({"usage":{"prompt_tokens":9007199254740992}})"), "9007199254740992/0/0/0");
  EXPECT_EQ(usage(R"({"usage":{"prompt_tokens":)" + std::string(400, '9') + "}}"), "none");
}

TEST(ReadUsage, finds_nothing_where_there_is_nothing) {
  for (const char* json :
       {"", "{}", "[]", "null", R"({"usage":null})", R"({"usage":{}})", R"({"usage":[]})", R"({"usage":7})",
        R"({"usage":{"type":"duration","seconds":5}})", R"({"choices":[{"usage_x":{"prompt_tokens":1}}]})",
        R"({"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":1}"}}]})",
        R"({"data":{"usage":{"prompt_tokens":1}}})", R"([{"usage":{"prompt_tokens":1}}])",
        R"({"usage":{"prompt_tokens":1})", R"({"usage":{"prompt_tokens":1}} x)", R"({"usage":{"prompt_tokens":1},)",
        R"({"usage":{"prompt_tokens":null}})", "<html></html>"}) {
    EXPECT_EQ(usage(json), "none") << json;
  }
}

TEST(ReadUsage, finds_usage_behind_a_big_body) {
  std::string json = R"({"data":[{"embedding":[)";
  while (json.size() < 5'000'000) json += "-0.0123456,";
  json += R"(0]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}})";
  EXPECT_EQ(usage(json), "8/0/0/0");
}

struct ErrorRow {
  const char *json, *message, *type, *code, *param;
  int status;  ///< 0: none
};

TEST(ReadError, reads_each_variant_seen_in_the_wild) {
  const ErrorRow rows[] = {
      {R"({"error":{"message":"no such model","type":"invalid_request_error","param":"model","code":"model_not_found"}})",
       "no such model", "invalid_request_error", "model_not_found", "model", 0},
      {R"({"error":{"message":"m","type":"t","param":null,"code":null}})", "m", "t", "", "", 0},
      {R"({"error":{"message":"too long","type":"BadRequestError","param":null,"code":400}})", "too long",
       "BadRequestError", "400", "", 400},
      {R"({"object":"error","message":"too long","type":"BadRequestError","param":null,"code":400})", "too long",
       "BadRequestError", "400", "", 400},
      {R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})", "Loading model",
       "unavailable_error", "503", "", 503},
      {R"({"error":{"code":400,"message":"m","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":4}})", "m",
       "exceed_context_size_error", "400", "", 400},
      {R"({"error":"model 'x' not found"})", "model 'x' not found", "", "", "", 0},
      {R"({"error":{"code":502,"message":"Provider returned error","metadata":{"provider_name":"P","raw":"{\"message\":\"deep\"}"}},"user_id":"u"})",
       "Provider returned error", "", "502", "", 502},
      {R"([{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"x"}]}}])", "quota",
       "RESOURCE_EXHAUSTED", "429", "", 429},
      {R"({"message":"The security token is invalid"})", "The security token is invalid", "", "", "", 0},
      {R"({"Message":"denied"})", "denied", "", "", "", 0},
      {R"({"detail":"Not Found"})", "Not Found", "", "", "", 0},
      {R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"})", "Overloaded",
       "overloaded_error", "", "", 0},
      {R"({"error":{"code":"429","message":"m","innererror":{"code":"x"}}})", "m", "", "429", "", 429},
      {R"({"type":"response.failed","response":{"id":"r","error":{"code":"server_error","message":"m"}}})", "m", "",
       "server_error", "", 0},
      {R"({"type":"error","code":"rate_limit_exceeded","message":"flat","param":null,"sequence_number":1})", "flat",
       "error", "rate_limit_exceeded", "", 0},
      {R"({"error":{"code":1001,"message":"m"}})", "m", "", "1001", "", 0},
      {R"({"error":{"code":{"x":1},"message":["m"],"type":7,"param":{}}})", "", "7", "", "", 0},
      {R"({"message":"beside","error":{"message":"within"}})", "within", "", "", "", 0},
      {R"({"error":{"message":"caf\u00e9 \ud800"}})", "café \uFFFD", "", "", "", 0},
      {R"({"error":true})", "", "", "", "", 0},
      {R"({"response":7,"message":"flat"})", "flat", "", "", "", 0},
      {R"({"response":{"id":"r"},"message":"flat"})", "flat", "", "", "", 0},
  };
  for (const ErrorRow& row : rows) {
    const auto info = read_error(row.json);
    ASSERT_TRUE(info) << row.json;
    EXPECT_EQ(info->message, row.message) << row.json;
    EXPECT_EQ(info->type, row.type) << row.json;
    EXPECT_EQ(info->code, row.code) << row.json;
    EXPECT_EQ(info->param, row.param) << row.json;
    EXPECT_EQ(info->status.value_or(0), row.status) << row.json;
  }
}

TEST(ReadError, finds_none_where_there_is_none) {
  for (const char* json :
       {"", "null", "[]", "[[]]", "{}", "<html>502 Bad Gateway</html>", R"({"error":null})", R"({"error":false})",
        R"({"error":""})", R"({"error":{}})", R"({"id":"x","choices":[],"error":null})", R"({"error":{"message":"x"})",
        R"({"response":{"error":null}})", R"({"message":{"content":"x"}})",
        R"({"choices":[{"error":{"message":"x"}}]})"}) {
    EXPECT_FALSE(read_error(json)) << json;
  }
}

}  // namespace
}  // namespace tollgate::protocol::openai
