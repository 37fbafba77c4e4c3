// The Messages endpoint end to end over a socket: what is said, whole and streamed, and why it ended. Every answer is
// asked for in both forms and the two are held against each other.
#include "messages_client.hpp"
#include "simulator/words.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

class Messages : public ::testing::Test {
 protected:
  json ask(const std::string& body, const std::string& fields = old_version) {
    const Reply reply = ask_messages(server_, body, fields);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.end, Reply::End::whole);
    return reply.json();
  }

  std::vector<Event> stream(std::string body) {
    body.insert(1, R"("stream":true,)");
    const Reply reply = ask_messages(server_, body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.fields.at("content-type"), "text/event-stream; charset=utf-8");
    return named_events(reply.body);
  }

  /// The whole answer, after it was found to be what the stream says too.
  json both(const std::string& body) {
    json whole = ask(body);
    json streamed = assembled(stream(body));
    // Ids follow the order of arrival.
    for (json* each : {&whole, &streamed}) {
      each->erase("id");
      for (json& block : (*each)["content"]) block.erase("id");
    }
    EXPECT_EQ(whole, streamed);
    return whole;
  }

  void SetUp() override { server_.start(); }
  Server server_{fast()};
};

std::string tools(const std::string& more = "") {
  return std::string(R"(,"tools":[)") + look_up_tool + "," + other_tool + "]" + more;
}

TEST_F(Messages, answer_text_with_usage) {
  const json body = ask(message("sim,tokens=9"));
  EXPECT_EQ(body["type"], "message");
  EXPECT_EQ(body["role"], "assistant");
  EXPECT_EQ(body["model"], "sim-sim");
  EXPECT_TRUE(body["id"].get<std::string>().starts_with("msg_"));
  ASSERT_EQ(body["content"].size(), 1u);
  EXPECT_EQ(body["content"][0]["type"], "text");
  EXPECT_EQ(count_words(body["content"][0]["text"].get<std::string>()), 9u);
  EXPECT_EQ(body["stop_reason"], "end_turn");
  EXPECT_TRUE(body["stop_sequence"].is_null());
  const json& usage = body["usage"];
  EXPECT_EQ(usage["input_tokens"], 2);
  EXPECT_EQ(usage["output_tokens"], 9);
  EXPECT_EQ(usage["cache_creation_input_tokens"], 0);
  EXPECT_EQ(usage["cache_read_input_tokens"], 0);
  EXPECT_EQ(usage["output_tokens_details"]["thinking_tokens"], 0);
  EXPECT_EQ(usage["service_tier"], "standard");
}

TEST_F(Messages, stream_events_in_the_order_of_the_real_ones) {
  const std::vector<Event> events = stream(message("sim,tokens=3"));
  EXPECT_EQ(order_of(events),
            "message_start ping content_block_start content_block_delta content_block_stop message_delta message_stop");
  ASSERT_EQ(events.size(), 9u);
  for (const Event& event : events) EXPECT_EQ(event.data["type"], event.name);
  const json& start = events[0].data["message"];
  EXPECT_EQ(start["content"], json::array());
  EXPECT_TRUE(start["stop_reason"].is_null());
  EXPECT_EQ(start["usage"]["input_tokens"], 2);
  EXPECT_EQ(start["usage"]["output_tokens"], 1);
  EXPECT_EQ(events[2].data["content_block"], json({{"type", "text"}, {"text", ""}}));
  EXPECT_EQ(events[7].data["usage"]["output_tokens"], 3) << "the last count is of everything";
  EXPECT_EQ(events[7].data["usage"]["input_tokens"], 2);
}

TEST_F(Messages, say_the_same_whole_and_streamed_and_as_the_chat_endpoint) {
  const json whole = both(message("sim"));
  Client client(server_.port());
  client.post("/v1/chat/completions", chat("sim"));
  EXPECT_EQ(client.read().json()["choices"][0]["message"]["content"], whole["content"][0]["text"]);
}

TEST_F(Messages, stop_at_the_cap) {
  const json body = both(R"({"model":"sim,tokens=20","max_tokens":5,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(body["stop_reason"], "max_tokens");
  EXPECT_EQ(body["usage"]["output_tokens"], 5);
  EXPECT_EQ(count_words(body["content"][0]["text"].get<std::string>()), 5u);
}

TEST_F(Messages, only_warm_the_cache_where_the_cap_is_zero) {
  const json body = both(R"({"model":"sim","max_tokens":0,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(body["content"], json::array());
  EXPECT_EQ(body["stop_reason"], "max_tokens");
  EXPECT_EQ(body["usage"]["output_tokens"], 0);
}

TEST_F(Messages, stop_before_a_stop_sequence) {
  const std::string text = ask(message("sim,tokens=12"))["content"][0]["text"];
  const std::string sequence = text.substr(text.size() / 2, 6);
  const json list = json::array({"never said", sequence});
  const json body = both(message("sim,tokens=12", R"(,"stop_sequences":)" + list.dump()));
  EXPECT_EQ(body["stop_reason"], "stop_sequence");
  EXPECT_EQ(body["stop_sequence"], sequence);
  EXPECT_EQ(body["content"][0]["text"], text.substr(0, text.find(sequence)));
  EXPECT_LT(body["usage"]["output_tokens"], 12);
}

TEST_F(Messages, do_not_stop_where_the_sequence_is_not_said) {
  const json body = both(message("sim,tokens=5", R"(,"stop_sequences":["never said"])"));
  EXPECT_EQ(body["stop_reason"], "end_turn");
  EXPECT_EQ(body["usage"]["output_tokens"], 5);
}

TEST_F(Messages, call_the_first_tool_when_the_user_speaks_of_one) {
  const json body = both(message("sim,tokens=4", tools(), "use a tool"));
  EXPECT_EQ(body["stop_reason"], "tool_use");
  ASSERT_EQ(body["content"].size(), 1u);
  EXPECT_EQ(body["content"][0]["name"], "look_up");
  EXPECT_EQ(count_words(body["content"][0]["input"]["text"].get<std::string>()), 4u);
  EXPECT_EQ(both(message("sim", tools(), "just talk"))["stop_reason"], "end_turn");
  EXPECT_EQ(both(message("sim", "", "use a tool"))["stop_reason"], "end_turn");
}

TEST_F(Messages, call_two_tools_at_once) {
  const json body = both(message("sim,tokens=4", tools(), "use the tools"));
  ASSERT_EQ(body["content"].size(), 2u);
  EXPECT_EQ(body["content"][0]["name"], "look_up");
  EXPECT_EQ(body["content"][1]["name"], "other");
  EXPECT_NE(body["content"][0]["input"], body["content"][1]["input"]);
  EXPECT_EQ(body["usage"]["output_tokens"], 8);
  const std::string one = R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})";
  EXPECT_EQ(both(message("sim", tools(one), "use the tools"))["content"].size(), 1u);
}

TEST_F(Messages, obey_tool_choice) {
  EXPECT_EQ(both(message("sim", tools(R"(,"tool_choice":{"type":"any"})")))["content"][0]["name"], "look_up");
  EXPECT_EQ(both(message("sim", tools(R"(,"tool_choice":{"type":"tool","name":"other"})")))["content"][0]["name"],
            "other");
  EXPECT_EQ(both(message("sim", tools(R"(,"tool_choice":{"type":"none"})"), "use a tool"))["stop_reason"], "end_turn");
}

TEST_F(Messages, begin_every_input_with_an_empty_piece) {
  const std::vector<Event> events = stream(message("sim,tokens=2", tools(), "use the tools"));
  std::size_t starts = 0;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    if (events[i].name != "content_block_start") continue;
    EXPECT_EQ(events[i].data["index"], starts++);
    EXPECT_EQ(events[i].data["content_block"]["input"], json::object());
    EXPECT_TRUE(events[i].data["content_block"]["id"].get<std::string>().starts_with("toolu_"));
    EXPECT_EQ(events[i + 1].data["delta"], json({{"type", "input_json_delta"}, {"partial_json", ""}}));
  }
  EXPECT_EQ(starts, 2u);
}

TEST_F(Messages, send_nothing_but_the_empty_piece_to_a_tool_that_takes_nothing) {
  const std::string now = R"(,"tools":[{"name":"now","input_schema":{"type":"object","properties":{}}}])";
  const json body = both(message("sim", now, "use a tool"));
  EXPECT_EQ(body["content"][0]["input"], json::object());
  EXPECT_EQ(body["stop_reason"], "tool_use");
  EXPECT_EQ(order_of(stream(message("sim", now, "use a tool"))),
            "message_start ping content_block_start content_block_delta content_block_stop message_delta message_stop");
}

TEST_F(Messages, answer_results_with_text) {
  const std::string asked = R"([{"role":"user","content":"use the tools"},{"role":"assistant","content":[
      {"type":"tool_use","id":"a","name":"look_up","input":{"x":1}},
      {"type":"tool_use","id":"b","name":"other","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"one tool"},
      {"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"two"}],"is_error":true}]})";
  EXPECT_EQ(both(conversation(asked + "]", tools()))["stop_reason"], "end_turn");
  // Results may come in messages of their own: neighbours of one role are one turn.
  EXPECT_EQ(both(conversation(asked + R"(,{"role":"user","content":"another tool"}])", tools()))["stop_reason"],
            "tool_use");
}

TEST_F(Messages, refuse_when_asked_to) {
  const json body = both(message("sim", tools(), "a refusal, no tool"));
  EXPECT_EQ(body["stop_reason"], "refusal");
  EXPECT_EQ(body["stop_details"]["type"], "refusal");
  EXPECT_TRUE(body["stop_details"]["explanation"].is_string());
  EXPECT_EQ(body["content"], json::array());
  EXPECT_EQ(body["usage"]["output_tokens"], 0);
}

TEST_F(Messages, answer_in_the_form_of_a_schema) {
  const std::string format = R"(,"output_config":{"format":{"type":"json_schema","schema":{"type":"object",
      "properties":{"who":{"type":"string"},"age":{"type":"integer"},"tags":{"type":"array","items":{"enum":["größer"]},
      "minItems":1},"more":{"type":"string"}},"required":["who","age","tags"],"additionalProperties":false}}})";
  const json body = both(message("sim", format));
  EXPECT_EQ(json::parse(body["content"][0]["text"].get<std::string>()),
            json({{"who", "text"}, {"age", 0}, {"tags", {"größer"}}}));
  EXPECT_GT(body["usage"]["output_tokens"], 1) << "it comes in pieces";
}

TEST_F(Messages, count_tokens_without_billing_them) {
  const std::string body = R"({"model":"sim","system":"be brief","messages":[{"role":"user","content":[
      {"type":"text","text":"one two three"},
      {"type":"image","source":{"type":"url","url":"https://img.example/a.png"}}]}]})";
  const Reply reply = ask_messages(server_, body, new_version, "/v1/messages/count_tokens");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json(), json({{"input_tokens", 6}}));
  ASSERT_TRUE(server_.wait_until([&] { return server_.truth().size() == 1; }));
  EXPECT_EQ(server_.truth()[0].prompt_tokens, 0u);
  EXPECT_EQ(server_.truth()[0].endpoint, "/v1/messages/count_tokens");
}

TEST_F(Messages, tell_the_truth_log_what_they_tell_the_client) {
  const std::string thinking = R"(,"thinking":{"type":"adaptive"})";
  const json usage = ask(message("sim,tokens=6", thinking))["usage"];
  ASSERT_TRUE(server_.wait_until([&] { return server_.truth().size() == 1; }));
  const TruthEntry entry = server_.truth()[0];
  EXPECT_EQ(entry.endpoint, "/v1/messages");
  EXPECT_EQ(entry.model, "sim,tokens=6");
  EXPECT_EQ(entry.ended, "complete");
  EXPECT_EQ(usage["input_tokens"], entry.prompt_tokens);
  EXPECT_EQ(usage["output_tokens"], entry.completion_tokens);
  EXPECT_EQ(usage["output_tokens_details"]["thinking_tokens"], entry.reasoning_tokens);
  EXPECT_EQ(entry.reasoning_tokens, 3u);
  const json line = json::parse(to_json_line(entry));
  for (const char* key : {"reasoning_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"}) {
    EXPECT_TRUE(line.contains(key)) << key;
  }
}

TEST_F(Messages, list_models_in_pages_of_their_own_shape) {
  Client client(server_.port());
  client.get("/v1/models?limit=1", new_version);
  const json first = client.read().json();
  EXPECT_EQ(first["data"][0]["type"], "model");
  EXPECT_EQ(first["data"][0]["id"], "sim-small");
  EXPECT_EQ(first["has_more"], true);
  client.get("/v1/models?limit=1&after_id=sim-small", new_version);
  const json second = client.read().json();
  EXPECT_EQ(second["data"][0]["id"], "sim-large");
  EXPECT_EQ(second["has_more"], false);
  EXPECT_EQ(second["last_id"], "sim-large");
  client.get("/v1/models/sim-small", new_version);
  EXPECT_EQ(client.read().json()["display_name"], "Simulated sim-small");
  client.get("/v1/models/other", new_version);
  const Reply unknown = client.read();
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.json()["error"]["type"], "not_found_error");
  client.get("/v1/models");
  EXPECT_EQ(client.read().json()["object"], "list") << "without the header it is OpenAI's list";
}

TEST_F(Messages, leave_other_paths_to_the_dialect_of_the_header) {
  Client client(server_.port());
  client.get("/v1/nothing", new_version);
  const Reply reply = client.read();
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.json()["error"]["type"], "not_found_error");
  client.get("/v1/messages");
  EXPECT_EQ(client.read().status, 405);
  client.post("/v1/chat/completions", chat("sim"), new_version);
  EXPECT_EQ(client.read().json()["object"], "chat.completion");
}

}  // namespace
}  // namespace tollgate::simulator
