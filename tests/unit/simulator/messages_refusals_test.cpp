// What Anthropic refuses, in its words: a table. A gateway that translates is tested against exactly this list, so
// every rule is here once, with the path that the message names.
#include "messages_client.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;

struct Refused {
  const char* behaviour;
  std::string body;
  const char* message;  ///< what the message begins with
  const char* fields = old_version;
};

class MessagesRefusal : public ::testing::TestWithParam<Refused> {};

TEST_P(MessagesRefusal, is_a_400_in_anthropics_envelope) {
  Server server(fast());
  server.start();
  const Reply reply = ask_messages(server, GetParam().body, GetParam().fields);
  ASSERT_EQ(reply.status, 400) << reply.body;
  const nlohmann::json body = reply.json();
  EXPECT_EQ(body["type"], "error");
  EXPECT_EQ(body["error"]["type"], "invalid_request_error");
  EXPECT_EQ(body["request_id"], reply.fields.at("request-id"));
  EXPECT_TRUE(body["error"]["message"].get<std::string>().starts_with(GetParam().message)) << body["error"]["message"];
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 1; }));
  EXPECT_EQ(server.truth()[0].status, 400u);
  EXPECT_EQ(server.truth()[0].completion_tokens, 0u);
}

std::string user(const std::string& blocks) { return conversation(R"([{"role":"user","content":)" + blocks + "}]"); }

std::string image(const std::string& source) { return user(R"([{"type":"image","source":)" + source + "}]"); }

std::string offer(const std::string& tool, const std::string& more = "") {
  return message("sim", R"(,"tools":[)" + tool + "]" + more);
}

/// A turn with one call, `a`, and whatever comes next.
std::string called(const std::string& next) {
  return conversation(R"([{"role":"user","content":"x"},{"role":"assistant","content":[)"
                      R"({"type":"tool_use","id":"a","name":"f","input":{}}]})" +
                      next + "]");
}

std::string marked(int marks, const std::string& first_ttl = "5m") {
  std::string blocks;
  for (int i = 0; i < marks; ++i) {
    const std::string ttl = i == 0 ? first_ttl : "5m";
    blocks +=
        (i ? "," : "") + (R"({"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":")" + ttl + "\"}}");
  }
  return blocks;
}

const std::string plain_tool = look_up_tool;

INSTANTIATE_TEST_SUITE_P(
    Fields, MessagesRefusal,
    ::testing::Values(
        Refused{"no_version", message("sim"), "anthropic-version: header is required", ""},
        Refused{"odd_version", message("sim"), "anthropic-version: \"2024-01-01\" is not a valid version",
                "anthropic-version: 2024-01-01\r\n"},
        Refused{"not_json", "{oops", "The request body is not valid JSON"},
        Refused{"not_an_object", "[]", "The request body is not valid JSON"},
        Refused{"too_deep", R"({"model":)" + std::string(300, '[') + std::string(300, ']') + "}",
                "The request body is nested too deeply"},
        Refused{"no_model", R"({"max_tokens":1,"messages":[]})", "model: Field required"},
        Refused{"no_cap", R"({"model":"m","messages":[{"role":"user","content":"x"}]})", "max_tokens: Field required"},
        Refused{"cap_is_text", R"({"model":"m","max_tokens":"5","messages":[]})",
                "max_tokens: Input should be a valid integer"},
        Refused{"cap_is_negative", R"({"model":"m","max_tokens":-1,"messages":[]})",
                "max_tokens: Input should be greater"},
        Refused{"cap_beyond_the_model",
                R"({"model":"claude-haiku-4-5","max_tokens":64001,"messages":[{"role":"user","content":"x"}]})",
                "max_tokens: 64001 > 64000, which is the maximum allowed"},
        Refused{"unknown_field", message("sim", R"(,"n":1)"), "n: Extra inputs are not permitted"},
        Refused{"sampling_with_the_new_version", message("sim", R"(,"temperature":1)"),
                "temperature: Extra inputs are not permitted", new_version},
        Refused{"top_k_with_the_new_version", message("sim", R"(,"top_k":5)"), "top_k: Extra inputs", new_version},
        Refused{"temperature_too_high", message("sim", R"(,"temperature":1.5)"), "temperature: range: 0..1"},
        Refused{"sampling_on_a_newer_model", message("claude-opus-4-7", R"(,"top_p":0.5)"), "`top_p` is not supported"},
        Refused{"both_samplings", message("claude-haiku-4-5", R"(,"temperature":1,"top_p":0.5)"),
                "`temperature` and `top_p` cannot both"},
        Refused{"blank_stop_sequence", message("sim", R"(,"stop_sequences":["\n"])"),
                "stop_sequences: each stop sequence"},
        Refused{"odd_service_tier", message("sim", R"(,"service_tier":"flex")"), "service_tier: Input should be"},
        Refused{"odd_metadata", message("sim", R"(,"metadata":{"tag":"x"})"), "metadata.tag: Extra inputs"},
        Refused{"stream_is_text", message("sim", R"(,"stream":"yes")"), "stream: Input should be a valid boolean"},
        Refused{"odd_steering", message("sim,fault=odd"), "The simulator does not understand"},
        Refused{"budget_too_small", message("sim", R"(,"thinking":{"type":"enabled","budget_tokens":1023})"),
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"},
        Refused{"budget_beyond_the_cap", message("sim", R"(,"thinking":{"type":"enabled","budget_tokens":2048})"),
                "`max_tokens` must be greater than `thinking.budget_tokens`"},
        Refused{"budget_on_a_newer_model",
                conversation(R"([{"role":"user","content":"x"}])",
                             R"(,"thinking":{"type":"enabled","budget_tokens":1024})", "claude-opus-4-8"),
                "\"thinking.enabled\" is not supported for this model"},
        Refused{"thinking_cannot_be_turned_off", message("claude-opus-5-5", R"(,"thinking":{"type":"disabled"})"),
                "\"thinking.disabled\" is not supported"},
        Refused{"odd_thinking", message("sim", R"(,"thinking":{"type":"on"})"), "thinking: Input tag 'on'"},
        Refused{"temperature_while_thinking", message("sim", R"(,"temperature":0,"thinking":{"type":"adaptive"})"),
                "`temperature` may only be set to 1"},
        Refused{"odd_effort", message("sim", R"(,"output_config":{"effort":"minimal"})"),
                "output_config.effort: Input"},
        Refused{"effort_without_support", message("claude-haiku-4-5", R"(,"output_config":{"effort":"low"})"),
                "This model does not support effort level 'low'"},
        Refused{
            "open_schema",
            message("sim", R"(,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}})"),
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"},
        Refused{
            "limits_in_a_schema",
            message("sim",
                    R"(,"output_config":{"format":{"type":"json_schema","schema":{"type":"integer","minimum":0}}})"),
            "output_config.format.schema: For 'integer' type, property 'minimum' is not supported"},
        Refused{"recursive_schema",
                message("sim", R"(,"output_config":{"format":{"type":"json_schema","schema":{"$ref":"#/$defs/a",
                    "$defs":{"a":{"type":"array","items":{"$ref":"#/$defs/a"}}}}}})"),
                "output_config.format.schema: Recursive schemas"}),
    [](const auto& instance) { return std::string(instance.param.behaviour); });

INSTANTIATE_TEST_SUITE_P(
    Tools, MessagesRefusal,
    ::testing::Values(
        Refused{"no_schema", offer(R"({"name":"f"})"), "tools.0.custom.input_schema: Field required"},
        Refused{"schema_without_type", offer(R"({"name":"f","input_schema":{}})"),
                "tools.0.custom.input_schema.type: Field required"},
        Refused{"choice_at_the_top", offer(R"({"name":"f","input_schema":{"type":"object","anyOf":[]}})"),
                "tools.0.custom.input_schema: input_schema does not support oneOf"},
        Refused{"name_too_long",
                offer(R"({"name":")" + std::string(65, 'n') + R"(","input_schema":{"type":"object"}})"),
                "tools.0.custom.name: String should match pattern"},
        Refused{"same_name_twice", offer(plain_tool + "," + plain_tool), "tools: Tool names must be unique."},
        Refused{"strict_and_open", offer(R"({"name":"f","strict":true,"input_schema":{"type":"object"}})"),
                "tools.0.custom.input_schema: For 'object' type"},
        Refused{"unknown_field_of_a_tool", offer(R"({"name":"f","parameters":{},"input_schema":{"type":"object"}})"),
                "tools.0.custom.parameters: Extra inputs"},
        Refused{"choice_without_tools", message("sim", R"(,"tool_choice":{"type":"any"})"),
                "tool_choice: tool_choice may only be specified while providing tools"},
        Refused{"choice_of_nobody", offer(plain_tool, R"(,"tool_choice":{"type":"tool","name":"g"})"),
                "Tool 'g' not found in provided tools"},
        Refused{"openai_choice", offer(plain_tool, R"(,"tool_choice":{"type":"required"})"), "tool_choice: Input tag"},
        Refused{"none_but_not_parallel",
                offer(plain_tool, R"(,"tool_choice":{"type":"none","disable_parallel_tool_use":true})"),
                "tool_choice.none.disable_parallel_tool_use: Extra inputs"},
        Refused{"forced_while_thinking",
                offer(plain_tool, R"(,"tool_choice":{"type":"any"},"thinking":{"type":"adaptive"})"),
                "Thinking may not be enabled when tool_choice forces tool use"},
        Refused{"forced_on_a_model_that_refuses",
                message("claude-sonnet-5-5",
                        R"(,"thinking":{"type":"disabled"},"tool_choice":{"type":"any"},"tools":[)" + plain_tool + "]"),
                "tool_choice forces tool use is not compatible"}),
    [](const auto& instance) { return std::string(instance.param.behaviour); });

INSTANTIATE_TEST_SUITE_P(
    Turns, MessagesRefusal,
    ::testing::Values(
        Refused{"no_messages", R"({"model":"m","max_tokens":1})", "messages: Field required"},
        Refused{"empty_messages", conversation("[]"), "messages: at least one message is required"},
        Refused{"odd_role", conversation(R"([{"role":"tool","content":"x"}])"), "messages.0.role: Input should be"},
        Refused{
            "system_role",
            conversation(R"([{"role":"user","content":"x"},{"role":"system","content":"x"}])", "", "claude-sonnet-5"),
            "messages.1.role: Input should be 'user' or 'assistant'"},
        Refused{"system_first", conversation(R"([{"role":"system","content":"x"},{"role":"user","content":"x"}])"),
                "messages.0.role: `system` messages must follow"},
        Refused{"assistant_first", conversation(R"([{"role":"assistant","content":"x"}])"), "messages: first message"},
        Refused{"name_in_a_message", conversation(R"([{"role":"user","content":"x","name":"n"}])"),
                "messages.0.name: Extra inputs"},
        Refused{"no_content", conversation(R"([{"role":"user"}])"), "messages.0.content: Field required"},
        Refused{"empty_content", conversation(R"([{"role":"user","content":""}])"),
                "messages.0: all messages must have non-empty"},
        Refused{"empty_text", user(R"([{"type":"text","text":""}])"),
                "messages: text content blocks must be non-empty"},
        Refused{"blank_text", user(R"([{"type":"text","text":" \n"}])"),
                "messages: text content blocks must contain non-whitespace text"},
        Refused{"blank_system", message("sim", R"(,"system":[{"type":"text","text":" "}])"),
                "system: text content blocks"},
        Refused{"openai_part", user(R"([{"type":"image_url","image_url":{"url":"x"}}])"),
                "messages.0.content.0: Input tag"},
        Refused{"unknown_field_of_a_block", user(R"([{"type":"text","text":"x","id":"1"}])"),
                "messages.0.content.0.text.id: Extra inputs"},
        Refused{"citations_with_the_new_version", user(R"([{"type":"text","text":"x","citations":[{}]}])"),
                "messages.0.content.0.text.citations: Extra inputs", new_version},
        Refused{
            "document_of_the_assistant_with_the_new_version",
            conversation(R"([{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"document","source":
                    {"type":"text","media_type":"text/plain","data":"x"}}]},{"role":"user","content":"x"}])"),
            "messages.1.content.0: `document` blocks are not allowed", new_version},
        Refused{"odd_media_type", image(R"({"type":"base64","media_type":"image/bmp","data":"AAAA"})"),
                "messages.0.content.0.image.source.base64.media_type: Input should be"},
        Refused{"media_type_that_lies", image(R"({"type":"base64","media_type":"image/jpeg","data":"iVBORw0KGgo="})"),
                "messages.0.content.0.image.source.base64: The image was specified using the image/jpeg media type"},
        Refused{"broken_base64", image(R"({"type":"base64","media_type":"image/png","data":"AAAA\nAAA="})"),
                "messages.0.content.0.image.source.base64.data: Invalid base64"},
        Refused{"plain_http", image(R"({"type":"url","url":"http://img.example/a.png"})"),
                "messages.0.content.0.image.source.url.url: Only HTTPS"},
        Refused{"call_id_with_foreign_characters",
                conversation(R"([{"role":"user","content":"x"},{"role":"assistant","content":[
                    {"type":"tool_use","id":"a.b","name":"f","input":{}}]}])"),
                "messages.1.content.0.tool_use.id: String should match pattern"},
        Refused{"input_is_a_list", conversation(R"([{"role":"user","content":"x"},{"role":"assistant","content":[
                    {"type":"tool_use","id":"a","name":"f","input":[1]}]}])"),
                "messages.1.content.0.tool_use.input: Input should be a valid dictionary"},
        Refused{"call_without_result", called(R"(,{"role":"user","content":"and?"})"),
                "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a."},
        Refused{"call_at_the_end", called(""), "messages.1: `tool_use` ids were found without"},
        Refused{
            "result_after_text",
            called(
                R"(,{"role":"user","content":[{"type":"text","text":"x"},{"type":"tool_result","tool_use_id":"a"}]})"),
            "messages.1: `tool_use` ids were found without"},
        Refused{"result_of_no_call", called(R"(,{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},
                    {"type":"tool_result","tool_use_id":"b"}]})"),
                "messages.2.content.1: unexpected `tool_use_id` found in `tool_result` blocks: b."},
        Refused{"result_twice", called(R"(,{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},
                    {"type":"tool_result","tool_use_id":"a"}]})"),
                "messages.2.content.1: each tool_use must have a single result"},
        Refused{"same_call_twice", conversation(R"([{"role":"user","content":"x"},{"role":"assistant","content":[
                    {"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"a","name":"f","input":{}}]}])"),
                "messages.1: `tool_use` ids must be unique"},
        Refused{"prefill_on_a_newer_model",
                conversation(R"([{"role":"user","content":"x"},{"role":"assistant","content":"y"}])", "",
                             "claude-opus-4-6"),
                "This model does not support assistant message prefill"},
        Refused{"prefill_that_ends_in_a_blank",
                conversation(R"([{"role":"user","content":"x"},{"role":"assistant","content":"y "}])"),
                "messages: final assistant content cannot end with trailing whitespace"},
        Refused{"five_marks", user("[" + marked(5) + "]"), "A maximum of 4 blocks with cache_control may be provided"},
        Refused{"marks_here_and_there",
                message("sim", R"(,"cache_control":{"type":"ephemeral"},"system":[)" + marked(4) + "]"),
                "A maximum of 4 blocks"},
        Refused{"long_mark_after_a_short_one", user("[" + marked(1) + "," + marked(1, "1h") + "]"),
                "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after"},
        Refused{"odd_ttl", user("[" + marked(1, "30m") + "]"),
                "messages.0.content.0.cache_control.ttl: Input should be"}),
    [](const auto& instance) { return std::string(instance.param.behaviour); });

TEST(MessagesRefusals, take_a_prefill_where_the_model_does) {
  Server server(fast());
  server.start();
  const std::string prefilled = R"([{"role":"user","content":"x"},{"role":"assistant","content":"y"}])";
  EXPECT_EQ(ask_messages(server, conversation(prefilled)).status, 200);
  EXPECT_EQ(ask_messages(server, conversation(prefilled, "", "claude-haiku-4-5")).status, 200);
}

TEST(MessagesRefusals, take_a_system_turn_behind_the_user) {
  Server server(fast());
  server.start();
  EXPECT_EQ(ask_messages(server, conversation(R"([{"role":"user","content":"x"},{"role":"system","content":"x"}])", "",
                                              "claude-opus-5"))
                .status,
            200);
}

TEST(MessagesRefusals, call_a_body_beyond_32_megabytes_too_large) {
  Server server(fast());
  server.start();
  const Reply reply = ask_messages(server, message("sim", "", std::string(33 * 1024 * 1024, 'x')));
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.json()["error"]["type"], "request_too_large");
}

TEST(MessagesRefusals, hold_for_counting_too_which_wants_no_cap) {
  Server server(fast());
  server.start();
  const std::string path = "/v1/messages/count_tokens";
  const Reply capped = ask_messages(server, message("sim"), old_version, path);
  EXPECT_EQ(capped.status, 400);
  EXPECT_EQ(capped.json()["error"]["message"], "max_tokens: Extra inputs are not permitted");
  EXPECT_EQ(ask_messages(server, R"({"model":"m","messages":[]})", old_version, path).status, 400);
}

}  // namespace
}  // namespace tollgate::simulator
