// Clients of one API in front of providers of the other, over real connections: what goes up, what comes back, and that
// everything around it (credentials, errors, money, fallback) holds as it does for one API alone.
#include "tollgate/protocol/anthropic/to_chat.hpp"

#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tollgate::test {
namespace {

using Json = nlohmann::json;
using namespace nlohmann::literals;

const std::string message =
    R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Hello"}],)"
    R"("stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"cache_read_input_tokens":4,)"
    R"("cache_creation_input_tokens":0,"output_tokens":5}})";
const std::string completion =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-x","choices":[{"index":0,"message":)"
    R"({"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,)"
    R"("completion_tokens":5,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4}}})";

std::string event(const std::string& data) {
  return "event: " + Json::parse(data)["type"].get<std::string>() + "\ndata: " + data + "\n\n";
}

const std::string claude_events =
    event(R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x",)"
          R"("content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}})") +
    event(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})") +
    event(R"({"type":"ping"})") +
    event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}})") +
    event(R"({"type":"content_block_stop","index":0})") +
    event(R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},)"
          R"("usage":{"output_tokens":5}})") +
    event(R"({"type":"message_stop"})");

const std::string chat_events =
    "data: "
    "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-x\",\"choices\":[{\"index\":0,"
    "\"delta\":{\"role\":\"assistant\",\"content\":\"Hello\"},\"finish_reason\":null}]}\n\n"
    "data: "
    "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-x\",\"choices\":[{\"index\":0,"
    "\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-x\",\"choices\":[],"
    "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5,\"total_tokens\":12}}\n\n"
    "data: [DONE]\n\n";

std::string stream_answer(const std::string& events) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + std::to_string(events.size()) +
         "\r\n\r\n" + events;
}

std::string status_answer(const std::string& status, const std::string& body, const std::string& fields = {}) {
  return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string target_of(const UpstreamRequest& request) {
  const std::size_t begin = request.head.find(' ') + 1;
  return request.head.substr(begin, request.head.find(' ', begin) - begin);
}

std::string ask_body(const std::string& model, const Json& more = Json::object()) {
  Json body{{"model", model}, {"max_tokens", 50}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  body.update(more);
  return body.dump();
}

/// Lines of a stream that hold data, without their name.
std::vector<std::string> data_of(const std::string& events) {
  std::vector<std::string> data;
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t end = std::min(events.find('\n', at), events.size());
    const std::string line = events.substr(at, end - at);
    if (line.starts_with("data: ")) data.push_back(line.substr(6));
    at = end + 1;
  }
  return data;
}

const std::string claude_key = "claude-key-of-more-than-20-bytes", gpt_key = "gpt-key-of-more-than-20-bytes";

/// A gateway in front of a Claude and a GPT, both played by the test.
class Claude : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void start(const std::string& provider = {}, const std::string& more = {}) {
    gateway_ = std::make_unique<GatewayUnderTest>(
        "providers:\n  anthropic:\n    protocol: anthropic\n    base_url: http://127.0.0.1:" +
        std::to_string(claude_.port()) + "\n    credentials: [{name: main, key: " + claude_key + "}]\n" + provider +
        "  openai:\n    base_url: http://127.0.0.1:" + std::to_string(gpt_.port()) +
        "/v1\n    credentials: [{name: main, key: " + gpt_key +
        "}]\nmodels:\n  claude: {provider: anthropic, name: claude-opus-4-6}\n  gpt: {provider: openai, name: gpt-x}\n"
        "routes:\n  to-claude: {primary: gpt, fallbacks: [claude], retry: {attempts: 2, backoff: {base: 1ms, max: "
        "1ms}}}\n  to-gpt: {primary: claude, fallbacks: [gpt], retry: {attempts: 2, backoff: {base: 1ms, max: "
        "1ms}}}\n" +
        more);
  }
  void ask(const std::string& path, const std::string& body, const std::string& fields = {}) {
    client_ = std::make_unique<RawClient>(gateway_->address());
    client_->send(post(path, body, fields + "Connection: close\r\n"));
  }
  UpstreamRequest serve(KeepAliveUpstream& upstream, const std::string& answer) {
    const KeepAliveUpstream::Call call = upstream.next();
    upstream.connection(call.connection).send(answer);
    return call.request;
  }
  Answer answer() { return client_->read_answer(); }

  KeepAliveUpstream claude_, gpt_;
  std::unique_ptr<GatewayUnderTest> gateway_;
  std::unique_ptr<RawClient> client_;
};

TEST_F(Claude, answers_a_chat_completion) {
  ask("/v1/chat/completions", ask_body("claude", {{"seed", 7}}), "OpenAI-Beta: x\r\n");
  const UpstreamRequest sent = serve(claude_, json_answer(message));
  EXPECT_EQ(target_of(sent), "/v1/messages");
  EXPECT_EQ(sent.field("x-api-key"), claude_key);
  EXPECT_EQ(sent.field("authorization"), "");
  EXPECT_EQ(sent.field("anthropic-version"), "2023-06-01");
  EXPECT_EQ(sent.field("openai-beta"), "");
  const Json body = Json::parse(sent.body);
  EXPECT_EQ(body["model"], "claude-opus-4-6");
  EXPECT_EQ(body["max_tokens"], 50);
  EXPECT_FALSE(body.contains("seed"));

  const Answer got = answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.fields.at("x-tollgate-dropped"), "seed");
  const Json reply = Json::parse(got.body);
  EXPECT_EQ(reply["object"], "chat.completion");
  EXPECT_EQ(reply["model"], "claude");
  EXPECT_EQ(reply["choices"][0]["message"]["content"], "Hello");
  EXPECT_EQ(reply["usage"]["prompt_tokens"], 7);
  EXPECT_EQ(reply["usage"]["prompt_tokens_details"]["cached_tokens"], 4);
}

TEST_F(Claude, streams_a_chat_completion) {
  ask("/v1/chat/completions", ask_body("claude", {{"stream", true}, {"stream_options", {{"include_usage", true}}}}));
  const UpstreamRequest sent = serve(claude_, stream_answer(claude_events));
  EXPECT_TRUE(Json::parse(sent.body)["stream"].get<bool>());
  const Answer got = answer();
  EXPECT_TRUE(got.complete);
  const auto data = data_of(got.body);
  ASSERT_GE(data.size(), 4U);
  std::string text;
  for (std::size_t i = 0; i + 1 < data.size(); ++i) {
    const Json chunk = Json::parse(data[i]);
    for (const Json& choice : chunk["choices"]) text += choice["delta"].value("content", "");
  }
  EXPECT_EQ(text, "Hello") << got.body;
  EXPECT_EQ(Json::parse(data[data.size() - 2])["usage"]["total_tokens"], 8);
  EXPECT_EQ(data.back(), "[DONE]");
}

TEST_F(Claude, errors_reach_an_openai_client_in_its_envelope) {
  ask("/v1/chat/completions", ask_body("claude"));
  serve(claude_, status_answer("400 Bad Request",
                               R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too )"
                               R"(long: 210000 tokens > 200000 maximum"},"request_id":"req_1"})",
                               "request-id: req_1\r\n"));
  const Answer got = answer();
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(got.fields.at("x-tollgate-upstream-request-id"), "req_1");
  const Json error = Json::parse(got.body)["error"];
  EXPECT_EQ(error["code"], "context_length_exceeded");
  EXPECT_EQ(error["param"], "messages");
}

TEST_F(Claude, a_stream_that_breaks_off_ends_in_an_error_event) {
  ask("/v1/chat/completions", ask_body("claude", {{"stream", true}}));
  const std::size_t half = claude_events.find("event: content_block_stop");
  serve(claude_, stream_answer(claude_events.substr(0, half)));
  const auto data = data_of(answer().body);
  ASSERT_FALSE(data.empty());
  EXPECT_TRUE(Json::parse(data.back()).contains("error")) << data.back();
}

TEST_F(Claude, what_has_no_equal_is_refused_or_dropped_as_the_route_says) {
  ask("/v1/chat/completions", ask_body("claude", {{"n", 2}}));
  const Answer got = answer();
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(Json::parse(got.body)["error"]["param"], "n");

  start({}, "defaults: {on_untranslated: refuse}\n");
  ask("/v1/chat/completions", ask_body("claude", {{"seed", 7}}));
  EXPECT_EQ(Json::parse(answer().body)["error"]["param"], "seed");
}

TEST_F(Claude, stands_in_for_a_gpt_that_fails) {
  for (const bool stream : {false, true}) {
    ask("/v1/chat/completions", ask_body("to-claude", {{"stream", stream}}));
    serve(gpt_, status_answer("503 Service Unavailable", R"({"error":{"message":"no"}})"));
    serve(claude_, stream ? stream_answer(claude_events) : json_answer(message));
    const Answer got = answer();
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.fields.at("x-tollgate-model"), "claude");
    EXPECT_NE(got.body.find("Hello"), std::string::npos);
  }
}

TEST_F(Claude, thinks_on_where_it_called_a_tool) {
  const std::string thought = R"({"type":"thinking","thinking":"hm","signature":"c2ln"})";
  const std::string call =
      R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[)" + thought +
      R"(,{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}],"stop_reason":"tool_use",)"
      R"("stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5}})";
  const Json tools = Json::parse(R"([{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])");
  ask("/v1/chat/completions", ask_body("claude", {{"tools", tools}, {"reasoning_effort", "high"}}));
  serve(claude_, json_answer(call));
  const Json said = Json::parse(answer().body)["choices"][0]["message"];
  ASSERT_EQ(said["tool_calls"][0]["id"], "toolu_1");

  // What an SDK sends back: the call without the thought.
  const Json turns{{{"role", "user"}, {"content", "hi"}},
                   {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", said["tool_calls"]}},
                   {{"role", "tool"}, {"tool_call_id", "toolu_1"}, {"content", "r"}}};
  ask("/v1/chat/completions",
      ask_body("claude", {{"tools", tools}, {"reasoning_effort", "high"}, {"messages", turns}}));
  const UpstreamRequest sent = serve(claude_, json_answer(message));
  EXPECT_NE(sent.body.find(thought), std::string::npos) << sent.body;
  EXPECT_EQ(answer().status, 200);
}

TEST_F(Claude, speaks_with_its_own_clients_byte_for_byte) {
  const std::string body =
      R"({ "model":"claude", "max_tokens":50,"messages":[{"role":"user","content":"hi"}],"top_k":3 })";
  ask("/v1/messages?beta=true", body, "anthropic-version: 2026-10-21\r\nanthropic-beta: a,b\r\nx-api-key: any\r\n");
  const UpstreamRequest sent = serve(claude_, json_answer(message));
  EXPECT_EQ(target_of(sent), "/v1/messages?beta=true");
  EXPECT_EQ(sent.field("anthropic-version"), "2026-10-21");
  EXPECT_EQ(sent.field("anthropic-beta"), "a,b");
  EXPECT_EQ(sent.field("x-api-key"), claude_key);
  std::string expected = body;
  expected.replace(expected.find("\"claude\""), 8, "\"claude-opus-4-6\"");
  EXPECT_EQ(sent.body, expected);
  const Answer got = answer();
  EXPECT_EQ(got.body, message);
  EXPECT_EQ(got.fields.at("request-id"), got.fields.at("x-request-id"));

  ask("/v1/messages", ask_body("claude", {{"stream", true}}));
  serve(claude_, stream_answer(claude_events));
  EXPECT_EQ(answer().body, claude_events);
}

TEST_F(Claude, its_clients_get_answers_of_a_gpt) {
  ask("/v1/messages", ask_body("gpt"), "anthropic-version: 2023-06-01\r\nanthropic-beta: a\r\n");
  const UpstreamRequest sent = serve(gpt_, json_answer(completion));
  EXPECT_EQ(target_of(sent), "/v1/chat/completions");
  EXPECT_EQ(sent.field("authorization"), "Bearer " + gpt_key);
  EXPECT_EQ(sent.field("anthropic-version"), "");
  EXPECT_EQ(sent.field("anthropic-beta"), "");
  EXPECT_EQ(Json::parse(sent.body)["model"], "gpt-x");
  const Json got = Json::parse(answer().body);
  EXPECT_EQ(got["type"], "message");
  EXPECT_EQ(got["model"], "gpt");
  EXPECT_EQ(got["content"][0]["text"], "Hello");
  EXPECT_EQ(got["usage"]["input_tokens"], 3);
  EXPECT_EQ(got["usage"]["cache_read_input_tokens"], 4);

  ask("/v1/messages", ask_body("gpt", {{"stream", true}}));
  serve(gpt_, stream_answer(chat_events));
  const auto data = data_of(answer().body);
  ASSERT_FALSE(data.empty());
  EXPECT_EQ(Json::parse(data.front())["type"], "message_start");
  EXPECT_EQ(Json::parse(data.back())["type"], "message_stop");
}

TEST_F(Claude, stands_behind_a_gpt_for_its_own_clients) {
  ask("/v1/messages", ask_body("to-gpt", {{"stream", true}}));
  serve(claude_,
        status_answer("529 Overloaded", R"({"type":"error","error":{"type":"overloaded_error","message":"no"}})"));
  serve(gpt_, stream_answer(chat_events));
  const Answer got = answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_NE(got.body.find("message_stop"), std::string::npos);
  EXPECT_EQ(got.body.find("overloaded"), std::string::npos);
}

TEST_F(Claude, is_asked_again_soon_after_an_event_said_that_it_is_overloaded) {
  const std::string overloaded = event(R"({"type":"error","error":{"type":"overloaded_error","message":"no"}})");
  for (int round = 0; round < 2; ++round) {
    ask("/v1/messages", ask_body("to-gpt", {{"stream", true}}));
    serve(claude_, stream_answer(overloaded));
    serve(gpt_, stream_answer(chat_events));
    EXPECT_EQ(answer().fields.at("x-tollgate-model"), "gpt");
  }
  start({}, "defaults: {retry: {attempts: 1}}\n");
  ask("/v1/messages", ask_body("claude", {{"stream", true}}));
  serve(claude_, stream_answer(overloaded));
  EXPECT_EQ(answer().status, 529);
}

TEST_F(Claude, stands_in_for_a_gpt_that_ends_without_an_answer) {
  const std::string empty =
      "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-x\",\"choices\":[],"
      "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":0,\"total_tokens\":7}}\n\ndata: [DONE]\n\n";
  const Json options{{"stream", true}, {"stream_options", {{"include_usage", true}}}};
  for (const std::string path : {"/v1/chat/completions", "/v1/messages"}) {
    ask(path, ask_body("to-claude", path == "/v1/messages" ? Json{{"stream", true}} : options));
    serve(gpt_, stream_answer(empty));
    serve(claude_, stream_answer(claude_events));
    const Answer got = answer();
    EXPECT_EQ(got.fields.at("x-tollgate-model"), "claude");
    EXPECT_NE(got.body.find("Hello"), std::string::npos) << got.body;
  }
}

TEST_F(Claude, refusals_speak_the_api_that_was_called) {
  const auto error_of = [this](const std::string& path, const std::string& body, const std::string& fields) {
    ask(path, body, fields);
    const Answer got = answer();
    const Json json = Json::parse(got.body);
    EXPECT_EQ(json.value("type", ""), "error") << got.body;
    EXPECT_EQ(json.value("request_id", ""), got.fields.at("request-id"));
    if (got.status == 404) {
      EXPECT_EQ(json.value("/error/details/error_code"_json_pointer, ""), "model_not_found");
    }
    return std::pair(got.status, json["error"].value("type", ""));
  };
  EXPECT_EQ(error_of("/v1/messages", ask_body("nobody"), ""), std::pair(404, std::string("not_found_error")));
  EXPECT_EQ(error_of("/v1/messages", "[]", ""), std::pair(400, std::string("invalid_request_error")));
  EXPECT_EQ(error_of("/v1/nothing", "{}", "anthropic-version: 2023-06-01\r\nContent-Encoding: gzip\r\n").second,
            "invalid_request_error");
}

TEST_F(Claude, counts_tokens_where_its_provider_does_not) {
  ask("/v1/messages/count_tokens", ask_body("claude"));
  const UpstreamRequest sent = serve(claude_, json_answer(R"({"input_tokens":11})"));
  EXPECT_EQ(target_of(sent), "/v1/messages/count_tokens");
  EXPECT_EQ(answer().body, R"({"input_tokens":11})");

  ask("/v1/messages/count_tokens", ask_body("gpt"));
  const Answer got = answer();
  EXPECT_EQ(got.fields.at("x-tollgate-warning"), "estimated_tokens");
  EXPECT_GE(Json::parse(got.body)["input_tokens"], 1);
}

TEST_F(Claude, has_a_list_of_models_for_its_clients) {
  RawClient client(gateway_->address());
  client.send(get("/v1/models", "anthropic-version: 2023-06-01\r\nConnection: close\r\n"));
  const Json list = Json::parse(client.read_answer().body);
  EXPECT_FALSE(list["has_more"].get<bool>());
  EXPECT_EQ(list["data"][0]["type"], "model");

  RawClient probe(gateway_->address());
  probe.send("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(probe.read_answer(true).status, 200);
}

TEST_F(Claude, cannot_be_asked_for_what_it_has_not) {
  ask("/v1/embeddings", R"({"model":"claude","input":"x"})");
  const Answer got = answer();
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(Json::parse(got.body)["error"]["code"], "unsupported_feature");
}

TEST_F(Claude, thoughts_of_others_do_not_go_to_it) {
  const std::string foreign(protocol::anthropic::foreign_signature);
  const Json turns = Json::array({{{"role", "user"}, {"content", "hi"}},
                                  {{"role", "assistant"},
                                   {"content",
                                    {{{"type", "thinking"}, {"thinking", "hm"}, {"signature", foreign + "1"}},
                                     {{"type", "text"}, {"text", "a"}}}}},
                                  {{"role", "user"}, {"content", "on"}}});
  ask("/v1/messages", ask_body("claude", {{"messages", turns}}));
  const UpstreamRequest sent = serve(claude_, json_answer(message));
  EXPECT_EQ(sent.body.find(foreign), std::string::npos);
  EXPECT_TRUE(Json::accept(sent.body)) << sent.body;
  EXPECT_NE(sent.body.find("\"text\":\"a\""), std::string::npos);
}

}  // namespace
}  // namespace tollgate::test
