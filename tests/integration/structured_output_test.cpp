// Answers that are to match a JSON schema, under on_invalid_output: repair: what is asked once more, what the client
// gets, and what it costs, for clients and providers of both APIs.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace tollgate::test {
namespace {

using Json = nlohmann::json;

const std::string key = "acme-key-of-more-than-20-bytes";
const Json schema = Json::parse(
    R"({"type":"object","properties":{"age":{"type":"integer"}},"required":["age"],"additionalProperties":false})");
const std::string fit = R"({"age":7})", unfit = R"({"age":"seven"})";

/// 1,000 tokens in and 500 out: 7,000 micro-dollars at the prices below.
std::string completion(const std::string& text, const Json& more = Json::object()) {
  Json choice{{"index", 0}, {"message", {{"role", "assistant"}, {"content", text}}}, {"finish_reason", "stop"}};
  choice.update(more);
  return json_answer(Json{{"id", "x"},
                          {"object", "chat.completion"},
                          {"choices", {choice}},
                          {"usage", {{"prompt_tokens", 1000}, {"completion_tokens", 500}, {"total_tokens", 1500}}}}
                         .dump());
}

std::string message(const std::string& text) {
  return json_answer(Json{{"id", "msg_1"},
                          {"type", "message"},
                          {"role", "assistant"},
                          {"model", "claude-x"},
                          {"content", {{{"type", "text"}, {"text", text}}}},
                          {"stop_reason", "end_turn"},
                          {"stop_sequence", nullptr},
                          {"usage", {{"input_tokens", 1000}, {"output_tokens", 500}}}}
                         .dump());
}

Json turns() { return Json::parse(R"([{"role":"user","content":"how old?"}])"); }

std::string chat_asking(const std::string& model, const Json& more = Json::object()) {
  Json body{{"model", model},
            {"max_tokens", 500},
            {"messages", turns()},
            {"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "p"}, {"schema", schema}}}}}};
  body.update(more);
  return body.dump();
}

std::string message_asking(const std::string& model) {
  return Json{{"model", model},
              {"max_tokens", 500},
              {"messages", turns()},
              {"output_config", {{"format", {{"type", "json_schema"}, {"schema", schema}}}}}}
      .dump();
}

/// A gateway in front of a Claude and a GPT, both played by the test.
class StructuredOutput : public testing::Test {
 protected:
  void SetUp() override { start("repair"); }
  void start(const std::string& on_invalid, const std::string& tenant = {}) {
    const std::string price = ", price: {input: 2, output: 10, source: test}}\n";
    gateway_ = std::make_unique<GatewayUnderTest>(
        "defaults: {on_invalid_output: " + on_invalid +
        ", retry: {attempts: 2, backoff: {base: 1ms, max: 1ms}}}\n"
        "providers:\n  anthropic: {protocol: anthropic, base_url: \"http://127.0.0.1:" +
        std::to_string(claude_.port()) + "\"}\n  openai: {base_url: \"http://127.0.0.1:" + std::to_string(gpt_.port()) +
        "/v1\"}\nmodels:\n  claude: {provider: anthropic, name: claude-opus-4-6" + price + "  gpt: {provider: openai" +
        price + "tenants:\n  acme:\n    keys: [{name: ci, secret: " + key + "}]\n" + tenant);
  }
  void ask(const std::string& path, const std::string& body, const std::string& fields = {}) {
    client_ = std::make_unique<RawClient>(gateway_->address());
    client_->send(post(path, body, "Authorization: Bearer " + key + "\r\nConnection: close\r\n" + fields));
  }
  void ask_chat(const std::string& model, const Json& more = Json::object(), const std::string& fields = {}) {
    ask("/v1/chat/completions", chat_asking(model, more), fields);
  }
  Json serve(KeepAliveUpstream& upstream, const std::string& answer) {
    const KeepAliveUpstream::Call call = upstream.next();
    upstream.connection(call.connection).send(answer);
    return Json::parse(call.request.body);
  }
  Answer answer() { return client_->read_answer(); }
  void expect(const std::string& text, const std::string& attempts, const std::string& warning = {}) {
    const Answer got = answer();
    ASSERT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(Json::parse(got.body)["choices"][0]["message"]["content"], text);
    EXPECT_EQ(got.fields.at("x-tollgate-attempts"), attempts);
    const auto found = got.fields.find("x-tollgate-warning");
    EXPECT_EQ(found == got.fields.end() ? "" : found->second, warning);
  }

  KeepAliveUpstream claude_, gpt_;
  std::unique_ptr<GatewayUnderTest> gateway_;
  std::unique_ptr<RawClient> client_;
};

TEST_F(StructuredOutput, that_fits_goes_out_as_it_came) {
  ask_chat("gpt");
  serve(gpt_, completion(fit));
  expect(fit, "1");
}

TEST_F(StructuredOutput, that_does_not_fit_is_asked_for_once_more_with_what_is_wrong) {
  ask_chat("gpt", {{"seed", 7}});
  serve(gpt_, completion(unfit));
  const Json again = serve(gpt_, completion(fit));
  ASSERT_EQ(again["messages"].size(), 3U);
  EXPECT_EQ(again["messages"][0], turns()[0]);
  EXPECT_EQ(again["messages"][1], Json({{"role", "assistant"}, {"content", unfit}}));
  EXPECT_EQ(again["messages"][2]["role"], "user");
  EXPECT_NE(again["messages"][2]["content"].get<std::string>().find("/age"), std::string::npos);
  EXPECT_EQ(again["seed"], 7);
  EXPECT_EQ(again["model"], "gpt");
  expect(fit, "2");
}

TEST_F(StructuredOutput, of_claude_is_repaired_for_a_chat_client) {
  ask_chat("claude");
  serve(claude_, message("It is seven."));
  const Json again = serve(claude_, message(fit));
  ASSERT_EQ(again["messages"].size(), 3U);
  EXPECT_NE(again["messages"][1].dump().find("It is seven."), std::string::npos);
  EXPECT_TRUE(again.contains("output_config"));
  expect(fit, "2");
}

TEST_F(StructuredOutput, is_repaired_for_clients_of_messages_whoever_answers) {
  ask("/v1/messages", message_asking("claude"));
  serve(claude_, message(unfit));
  EXPECT_EQ(serve(claude_, message(fit))["messages"].size(), 3U);
  EXPECT_EQ(Json::parse(answer().body)["content"][0]["text"], fit);

  ask("/v1/messages", message_asking("gpt"));
  serve(gpt_, completion(unfit));
  EXPECT_EQ(serve(gpt_, completion(fit))["messages"].size(), 3U);
  EXPECT_EQ(Json::parse(answer().body)["content"][0]["text"], fit);
}

TEST_F(StructuredOutput, that_does_not_fit_the_second_time_either_goes_out_with_a_warning) {
  ask_chat("gpt");
  serve(gpt_, completion(unfit));
  serve(gpt_, completion("{}"));
  expect("{}", "2", "invalid_output");
}

TEST_F(StructuredOutput, the_first_answer_is_the_clients_where_the_second_call_fails) {
  ask_chat("gpt");
  serve(gpt_, completion(unfit));
  serve(gpt_,
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n"
        R"({"error":{"message":"no"}} )");
  expect(unfit, "2", "invalid_output");
}

TEST_F(StructuredOutput, costs_what_both_calls_cost_and_the_first_is_waste) {
  ask_chat("gpt");
  serve(gpt_, completion(unfit));
  serve(gpt_, completion(fit));
  EXPECT_EQ(answer().fields.at("x-tollgate-cost-usd"), "0.014");
  EXPECT_TRUE(gateway_->wait_for_metric(R"(tollgate_cost_usd_total{tenant="acme",task="none",model="gpt"})", 0.014));
  EXPECT_TRUE(
      gateway_->wait_for_metric(R"(tollgate_wasted_cost_usd_total{tenant="acme",model="gpt",reason="retry"})", 0.007));
}

TEST_F(StructuredOutput, is_not_asked_for_again_where_the_client_would_pay_too_much) {
  ask_chat("gpt", Json::object(), "x-tollgate-max-cost: 0.013\r\n");
  serve(gpt_, completion(unfit));
  expect(unfit, "1", "invalid_output");
}

TEST_F(StructuredOutput, that_has_not_come_to_its_end_is_left_as_it_is) {
  for (const char* reason : {"length", "content_filter", "tool_calls"}) {
    ask_chat("gpt");
    serve(gpt_, completion(unfit, {{"finish_reason", reason}}));
    expect(unfit, "1");
  }
}

TEST_F(StructuredOutput, of_a_client_that_leaves_is_not_asked_for_any_longer) {
  ask_chat("gpt");
  serve(gpt_, completion(unfit));
  const KeepAliveUpstream::Call again = gpt_.next();
  client_->socket().close();
  EXPECT_TRUE(gpt_.connection(again.connection).wait_closed());
  EXPECT_TRUE(gateway_->wait_for_metric("tollgate_in_flight_requests", 0));
  EXPECT_TRUE(gateway_->wait_for_metric(
      R"(tollgate_requests_total{tenant="acme",route="none",task="none",model="gpt",outcome="cancelled",stream="false"})",
      1));
}

TEST_F(StructuredOutput, that_is_streamed_is_not_looked_at) {
  ask_chat("gpt", {{"stream", true}});
  const std::string events =
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"no JSON\"},\"finish_reason\":"
      "\"stop\"}]}\n\ndata: [DONE]\n\n";
  serve(gpt_, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + std::to_string(events.size()) +
                  "\r\n\r\n" + events);
  const Answer got = answer();
  EXPECT_TRUE(got.complete);
  EXPECT_NE(got.body.find("no JSON"), std::string::npos);
  EXPECT_EQ(got.fields.at("x-tollgate-attempts"), "1");
}

TEST_F(StructuredOutput, may_be_any_object_where_only_json_is_asked_for) {
  ask_chat("gpt", {{"response_format", {{"type", "json_object"}}}});
  serve(gpt_, completion("```json\n{}\n```"));
  serve(gpt_, completion(unfit));
  expect(unfit, "2");
}

TEST_F(StructuredOutput, is_not_looked_at_unless_the_route_says_so) {
  start("pass");
  ask_chat("gpt");
  serve(gpt_, completion(unfit));
  expect(unfit, "1");
}

}  // namespace
}  // namespace tollgate::test
