// What the gateway reads of a request must be what the upstream reads, or the request is refused: shown by tables of
// what is accepted and refused. Hostile bodies have a file of their own.
#include "tollgate/protocol/openai/request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tollgate::protocol::openai {
namespace {

std::string at(std::string_view body, Span span) { return std::string(body.substr(span.begin, span.end - span.begin)); }

RequestScan accepted(std::string_view body) {
  auto scan = scan_request(body);
  if (scan) return *scan;
  ADD_FAILURE() << body << ": " << scan.error().message;
  return {};
}

TEST(RequestScan, reads_every_member_it_acts_on) {
  const std::string body =
      R"( {"model" : "auto", "messages":[{"role":"user","content":"\"model\": \"no\"}]"}],"stream":true,
    "stream_options":{"include_obfuscation":false,"include_usage":false},"metadata":{"a":"b","task_type":"devops"},
    "store":true,"max_tokens":10,"max_completion_tokens":30,"max_output_tokens":20,"n":4,"user":"u-1"} )";
  const RequestScan scan = accepted(body);
  EXPECT_EQ(scan.model, "auto");
  EXPECT_EQ(at(body, scan.model_value), "\"auto\"");
  EXPECT_TRUE(scan.stream);
  EXPECT_TRUE(scan.stream_options_present);
  EXPECT_FALSE(scan.stream_options_empty);
  EXPECT_EQ(at(body, scan.stream_options_value), R"({"include_obfuscation":false,"include_usage":false})");
  EXPECT_EQ(scan.include_usage, false);
  EXPECT_EQ(at(body, scan.include_usage_value), "false");
  EXPECT_EQ(scan.task_type, "devops");
  EXPECT_EQ(at(body, scan.task_type_member), R"(,"task_type":"devops")");
  EXPECT_TRUE(scan.store);
  EXPECT_EQ(scan.max_output, 30u);
  EXPECT_EQ(scan.choices, 4u);
  EXPECT_FALSE(scan.end_user.empty());
  EXPECT_EQ(scan.object_open, 2u);
  EXPECT_FALSE(scan.object_empty);
}

TEST(RequestScan, has_defaults_for_what_is_absent) {
  const RequestScan scan = accepted("{ }");
  EXPECT_TRUE(scan.model.empty());
  EXPECT_TRUE(scan.model_value.empty());
  EXPECT_FALSE(scan.stream);
  EXPECT_FALSE(scan.stream_options_present);
  EXPECT_EQ(scan.include_usage, std::nullopt);
  EXPECT_TRUE(scan.include_usage_value.empty());
  EXPECT_TRUE(scan.task_type_member.empty());
  EXPECT_FALSE(scan.store);
  EXPECT_EQ(scan.max_output, std::nullopt);
  EXPECT_EQ(scan.choices, 1u);
  EXPECT_EQ(scan.end_user, "");
  EXPECT_TRUE(scan.object_empty);
  EXPECT_EQ(scan.object_open, 1u);
}

TEST(RequestScan, takes_null_for_absent) {
  const RequestScan scan = accepted(
      R"({"stream":null,"stream_options":null,"metadata":null,"store":null,"max_tokens":null,"n":null,"user":null})");
  EXPECT_FALSE(scan.stream);
  EXPECT_TRUE(scan.stream_options_present);
  EXPECT_EQ(scan.max_output, std::nullopt);
  EXPECT_EQ(scan.choices, 1u);
  EXPECT_EQ(scan.end_user, "");
}

TEST(RequestScan, reads_include_usage_in_each_form) {
  EXPECT_EQ(accepted(R"({"stream_options":{"include_usage":true}})").include_usage, true);
  EXPECT_EQ(accepted(R"({"stream_options":{"include_usage":false}})").include_usage, false);
  const RequestScan null = accepted(R"({"stream_options":{"include_usage":null}})");
  EXPECT_EQ(null.include_usage, std::nullopt);
  EXPECT_FALSE(null.include_usage_value.empty());
  EXPECT_TRUE(accepted(R"({"stream_options":{ }})").stream_options_empty);
  EXPECT_FALSE(accepted(R"({"stream_options":{"x":1}})").stream_options_empty);
}

TEST(RequestScan, finds_escaped_spellings_of_its_keys) {
  const RequestScan scan =
      accepted(R"({"m\u006fdel":"\u0061\ud83d\ude00\n","\u0073tream":true,"metadata":{"task\u005ftype":"x"}})");
  EXPECT_EQ(scan.model, "a😀\n");
  EXPECT_TRUE(scan.stream);
  EXPECT_EQ(scan.task_type, "x");
}

TEST(RequestScan, cuts_task_type_with_one_comma) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"metadata":{"task_type":"x"}})", R"("task_type":"x")"},
      {R"({"metadata":{ "task_type" : "x" }})", R"("task_type" : "x")"},
      {R"({"metadata":{"task_type":"x" , "a":"b"}})", R"("task_type":"x" ,)"},
      {R"({"metadata":{"a":"b" , "task_type":"x" }})", R"(, "task_type":"x")"},
      {R"({"metadata":{"a":"b","task_type":"x","c":"d"}})", R"(,"task_type":"x")"},
      {R"({"metadata":{"task_type":7}})", ""},
      {R"({"metadata":{"task_type":null,"a":"b"}})", ""},
      {R"({"metadata":["task_type","x"]})", ""},
      {R"({"metadata":"task_type"})", ""},
      {R"({"other":{"task_type":"x"}})", ""},
      {R"({"metadata":{"a":{"task_type":"x"}}})", ""},
  };
  for (const auto& [body, member] : cases) EXPECT_EQ(at(body, accepted(body).task_type_member), member) << body;
}

TEST(RequestScan, takes_the_larger_of_the_output_limits) {
  EXPECT_EQ(accepted(R"({"max_tokens":5,"max_completion_tokens":3})").max_output, 5u);
  EXPECT_EQ(accepted(R"({"max_completion_tokens":3,"max_tokens":5,"max_output_tokens":4})").max_output, 5u);
  EXPECT_EQ(accepted(R"({"max_tokens":5.0})").max_output, 5u);
  EXPECT_EQ(accepted(R"({"max_tokens":2e3})").max_output, 2000u);
  EXPECT_EQ(accepted(R"({"max_tokens":0})").max_output, 0u);
  EXPECT_EQ(accepted(R"({"max_tokens":-1})").max_output, std::nullopt);
}

TEST(RequestScan, reads_the_end_user_of_a_message_request_apart) {
  const auto scan = accepted(R"({"metadata":{"user_id":"\u0061b","task_type":"t"},"user":"c"})");
  EXPECT_EQ(scan.user_id, "ab");
  EXPECT_EQ(scan.end_user, "c");
  EXPECT_EQ(scan.task_type, "t");
  EXPECT_EQ(accepted(R"({"metadata":{"user_id":7}})").user_id, "");
  EXPECT_TRUE(scan_request(R"({"metadata":{"user_id":"a","user_id":"b"}})").has_error());
}

TEST(RequestScan, reads_the_end_user_from_either_key) {
  EXPECT_EQ(accepted(R"({"user":"a"})").end_user, "a");
  EXPECT_EQ(accepted(R"({"safety_identifier":"\u0061b"})").end_user, "ab");
  EXPECT_EQ(accepted(R"({"user":"a","safety_identifier":null})").end_user, "a");
  EXPECT_EQ(accepted(R"({"user":"a","safety_identifier":"b"})").end_user, "b");
  EXPECT_EQ(accepted(R"({"safety_identifier":"b","user":"a"})").end_user, "b");
  EXPECT_EQ(accepted(R"({"user":7})").end_user, "");
}

TEST(RequestScan, says_where_an_output_limit_is_named_and_not_set) {
  const std::string body = R"({"max_output_tokens": null,"max_tokens":-1.0,"max_completion_tokens":5})";
  const RequestScan scan = accepted(body);
  EXPECT_EQ(at(body, scan.no_limits[0].value), "-1.0");
  EXPECT_TRUE(scan.no_limits[0].negative);
  EXPECT_TRUE(scan.no_limits[1].value.empty());
  EXPECT_EQ(at(body, scan.no_limits[2].value), "null");
  EXPECT_FALSE(scan.no_limits[2].negative);
}

TEST(RequestScan, reads_the_service_tier_if_it_may_be_one) {
  EXPECT_EQ(accepted(R"({"service_tier":"flex"})").service_tier, "flex");
  EXPECT_EQ(accepted(R"({"service_tier":"pri\u006frity"})").service_tier, "priority");
  for (const std::string other : {"null", "7", "{}", "\"\""})
    EXPECT_EQ(accepted(R"({"service_tier":)" + other + "}").service_tier, "") << other;
  EXPECT_EQ(accepted(R"({"service_tier":")" + std::string(32, 'x') + "\"}").service_tier, std::string(32, 'x'));
  EXPECT_EQ(accepted(R"({"service_tier":")" + std::string(33, 'x') + "\"}").service_tier, "");
  EXPECT_FALSE(scan_request(R"({"service_tier":"flex","service_tier":"priority"})"));
  EXPECT_FALSE(scan_request(R"({"Service_Tier":"flex"})"));
}

TEST(RequestScan, knows_a_prompt_that_is_partly_elsewhere) {
  for (const char* body : {R"({"previous_response_id":"resp_1"})", R"({"conversation":"conv_1"})",
                           R"({"conversation":{"id":"conv_1"}})", R"({"conv\u0065rsation":""})"})
    EXPECT_TRUE(accepted(body).refers_elsewhere) << body;
  for (const char* body : {"{}", R"({"previous_response_id":null,"conversation":null})",
                           R"({"input":[{"previous_response_id":"resp_1"}],"metadata":{"conversation":"x"}})"})
    EXPECT_FALSE(accepted(body).refers_elsewhere) << body;
  EXPECT_FALSE(scan_request(R"({"conversation":null,"conversation":"conv_1"})"));
}

TEST(RequestScan, tells_how_deep_a_body_is_wherever_its_brackets_stand) {
  EXPECT_EQ(accepted("{}").depth, 1U);
  EXPECT_EQ(accepted(R"({"stream_options":{"include_usage":true},"model":"m"})").depth, 2U);
  EXPECT_EQ(accepted(R"({"a":[[[]]],"messages":[]})").depth, 4U);
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text = R"("[{\"[{[{)" + std::string(size, 'x') + "\"";
    EXPECT_EQ(accepted(R"({"messages":[{"content":)" + text + R"(},{"content":)" + text + "}]}").depth, 3U) << size;
    EXPECT_EQ(
        accepted(R"({"messages":[{"content":)" + text + R"(},{"content":[{"text":)" + text + R"(}]}],"b":{}})").depth,
        5U)
        << size;
  }
}

struct Refusal {
  std::string body, message, param;
};

void expect_refused(const Refusal& expected) {
  const auto scan = scan_request(expected.body);
  ASSERT_FALSE(scan) << expected.body;
  const Failure& failure = scan.error();
  EXPECT_EQ(failure.kind, FailureKind::bad_request) << expected.body;
  EXPECT_EQ(failure.source, Source::client) << expected.body;
  EXPECT_EQ(failure.message, expected.message) << expected.body;
  EXPECT_EQ(failure.param, expected.param) << expected.body;
}

TEST(RequestScan, says_what_is_wrong_and_where) {
  const std::string json_is_broken = "the request body is not valid JSON: ";
  const Refusal refusals[] = {
      {"", "the request body is empty: send a JSON object", ""},
      {" \r\n", "the request body is empty: send a JSON object", ""},
      {"[]", "the request body must be a JSON object", ""},
      {"model=x", "the request body must be a JSON object", ""},
      {"\xEF\xBB\xBF{}", "the request body must be a JSON object", ""},
      {R"({"model":"a"} x)", json_is_broken + "unexpected character at byte 14", ""},
      {R"({"model":"a")", json_is_broken + "unexpected end at byte 12", ""},
      {R"({"model":"a",})", json_is_broken + "unexpected character at byte 13", ""},
      {"{\"model\":\"a\nb\"}", json_is_broken + "raw control character in a string at byte 11", ""},
      {R"({"messages":[}})", json_is_broken + "closing bracket of the wrong kind at byte 13", ""},
      {R"({"a":)" + std::string(64, '['), json_is_broken + "more than 64 levels of nesting at byte 68", ""},
      {R"({"model":"a","model":"b"})", "duplicate key 'model' in the request body at byte 13", "model"},
      {R"({"model":"a","m\u006fdel":"a"})", "duplicate key 'model' in the request body at byte 13", "model"},
      {R"({"n":1,"n":1})", "duplicate key 'n' in the request body at byte 7", "n"},
      {R"({"stream_options":{"include_usage":true,"include_usage":true}})",
       "duplicate key 'stream_options.include_usage' in the request body at byte 40", "stream_options.include_usage"},
      {R"({"metadata":{"task_type":1,"task_type":"x"}})",
       "duplicate key 'metadata.task_type' in the request body at byte 27", "metadata.task_type"},
      {R"({"Model":"a"})", "the key at byte 1 of the request body must be spelled 'model'", "model"},
      {R"({"model":7})", "'model' must be a string", "model"},
      {R"({"model":null})", "'model' must be a string", "model"},
      {R"({"model":"\ud800"})", "'model' is not valid text at byte 9", "model"},
      {"{\"model\":\"\xFF\"}", "'model' is not valid text at byte 9", "model"},
      {R"({"stream":"true"})", "'stream' must be true, false or null", "stream"},
      {R"({"stream":1})", "'stream' must be true, false or null", "stream"},
      {R"({"stream_options":[]})", "'stream_options' must be an object or null", "stream_options"},
      {R"({"stream_options":true})", "'stream_options' must be an object or null", "stream_options"},
      {R"({"stream_options":{"include_usage":1}})", "'stream_options.include_usage' must be true, false or null",
       "stream_options.include_usage"},
      {R"({"n":"2"})", "'n' must be a whole number", "n"},
      {R"({"n":1.5})", "'n' must be a whole number", "n"},
      {R"({"n":-1})", "'n' must be a whole number", "n"},
      {R"({"max_tokens":"100"})", "'max_tokens' must be a whole number", "max_tokens"},
      {R"({"max_output_tokens":1e99})", "'max_output_tokens' must be a whole number", "max_output_tokens"},
      {"{\"mod\xFF"
       "el\":1}",
       "the request body has a key that is not valid UTF-8 at byte 1", ""},
  };
  for (const Refusal& refusal : refusals) expect_refused(refusal);
}

TEST(RequestScan, refuses_a_duplicate_of_every_key_it_acts_on) {
  for (const std::string key : {"model", "stream", "stream_options", "metadata", "store", "max_tokens",
                                "max_completion_tokens", "max_output_tokens", "n", "user", "safety_identifier"}) {
    const std::string value = key == "model" ? "\"m\"" : "null";
    std::string escaped = key;
    escaped.replace(0, 1,
                    key[0] == 'm'   ? "\\u006d"
                    : key[0] == 's' ? "\\u0073"
                    : key[0] == 'n' ? "\\u006E"
                                    : "\\u0075");
    for (const std::string& second : {key, escaped}) {
      const auto scan = scan_request("{\"" + key + "\":" + value + ",\"x\":[{}],\"" + second + "\":" + value + "}");
      ASSERT_FALSE(scan) << second;
      EXPECT_EQ(scan.error().param, key);
    }
  }
}

TEST(RequestScan, lets_other_duplicates_pass) {
  EXPECT_TRUE(scan_request(R"({"x":1,"x":2,"metadata":{"a":"b","a":"c"},"messages":[{"role":"a","role":"b"}]})"));
}

/// Go's decoder takes member names in any case, so such a key would say something else to some upstreams than to the
/// gateway.
TEST(RequestScan, refuses_keys_that_differ_in_case_only) {
  for (const char* key : {"MODEL", "Stream", "maxTokens", "max_Tokens", "N", "\xC5\xBFtream",
                          "max_to\xE2\x84\xAA"
                          "ens",
                          "u\xC5\xBF"
                          "er",
                          "St\\u0052eam", "\\u017ftream"}) {
    const auto scan = scan_request("{\"" + std::string(key) + "\":null}");
    EXPECT_EQ(scan.has_value(), std::string(key) == "maxTokens") << key;
  }
  EXPECT_FALSE(scan_request(R"({"stream_options":{"Include_Usage":true}})"));
  EXPECT_TRUE(scan_request(R"({"metadata":{"Task_Type":"x"},"messages":[{"Model":1}]})"));
}

TEST(RequestScan, never_quotes_the_body) {
  const std::string secret(200, 's');
  for (const std::string& body : {"{\"" + secret + "\":", "{\"model\":\"" + secret + "\xFF\"}",
                                  "{\"model\":[\"" + secret + "\"]}", "{\"a\":" + secret + "}"}) {
    const auto scan = scan_request(body);
    ASSERT_FALSE(scan);
    EXPECT_EQ(scan.error().message.find("ssss"), std::string::npos);
  }
}

TEST(RequestScan, is_linear_on_huge_bodies) {
  std::string many_keys = "{\"model\":\"m\"";
  for (int index = 0; index < 1'000'000; ++index) many_keys += ",\"Key" + std::to_string(index) + "\":1";
  EXPECT_TRUE(scan_request(many_keys + "}"));
  std::string escaped = "{\"model\":\"m\",\"x\":\"";
  for (int index = 0; index < 1'000'000; ++index) escaped += "\\\\";
  EXPECT_TRUE(scan_request(escaped + "\"}"));
  EXPECT_FALSE(scan_request(escaped));
  EXPECT_TRUE(scan_request("{\"x\":" + std::string(1'000'000, '7') + "}"));
  EXPECT_FALSE(scan_request("{\"n\":" + std::string(1'000'000, '7') + "}"));
}

}  // namespace
}  // namespace tollgate::protocol::openai
