// The chat endpoint end to end over a socket: the answers that every other test takes for granted. Streamed and whole
// are held against each other, since a gateway's tests compare the two.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"
#include "simulator/words.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

class Chat : public ::testing::Test {
 protected:
  Reply ask(const std::string& body) {
    Client client(server_.port());
    client.post("/v1/chat/completions", body);
    Reply reply = client.read();
    EXPECT_EQ(reply.end, Reply::End::whole);
    return reply;
  }

  void SetUp() override { server_.start(); }
  Server server_{fast()};
};

TEST_F(Chat, answers_json_with_usage_that_adds_up) {
  const Reply reply = ask(chat("sim-small,tokens=9"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.fields.at("content-type"), "application/json");
  const json body = reply.json();
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["model"], "sim-small-sim");
  EXPECT_EQ(count_words(body["choices"][0]["message"]["content"].get<std::string>()), 9u);
  EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(body["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(body["usage"]["completion_tokens"], 9);
  EXPECT_EQ(body["usage"]["total_tokens"], 11);
  EXPECT_EQ(body["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  EXPECT_EQ(body["usage"]["completion_tokens_details"]["reasoning_tokens"], 0);
}

TEST_F(Chat, streams_role_content_finish_and_done_in_this_order) {
  const Reply reply = ask(chat("sim,tokens=3", R"(,"stream":true)"));
  EXPECT_EQ(reply.fields.at("content-type"), "text/event-stream; charset=utf-8");
  const std::vector<std::string> events = events_of(reply.body);
  ASSERT_EQ(events.size(), 6u);
  const json role = json::parse(events[0]);
  EXPECT_EQ(role["object"], "chat.completion.chunk");
  EXPECT_EQ(role["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(role["choices"][0]["delta"]["content"], "");
  for (int i = 1; i <= 3; ++i) {
    const json chunk = json::parse(events[static_cast<std::size_t>(i)]);
    EXPECT_FALSE(chunk["choices"][0]["delta"]["content"].get<std::string>().empty());
    EXPECT_TRUE(chunk["choices"][0]["finish_reason"].is_null());
    EXPECT_FALSE(chunk.contains("usage"));
    EXPECT_EQ(chunk["id"], role["id"]);
  }
  const json finish = json::parse(events[4]);
  EXPECT_EQ(finish["choices"][0]["delta"], json::object());
  EXPECT_EQ(finish["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(events[5], "[DONE]");
}

TEST_F(Chat, adds_one_usage_chunk_when_asked_and_null_everywhere_else) {
  const Reply reply = ask(chat("sim,tokens=4", R"(,"stream":true,"stream_options":{"include_usage":true})"));
  const std::vector<std::string> events = events_of(reply.body);
  ASSERT_EQ(events.size(), 8u);
  for (std::size_t i = 0; i < 6; ++i) {
    const json chunk = json::parse(events[i]);
    EXPECT_TRUE(chunk.contains("usage") && chunk["usage"].is_null()) << events[i];
  }
  const json usage = json::parse(events[6]);
  EXPECT_EQ(usage["choices"], json::array());
  EXPECT_EQ(usage["usage"]["completion_tokens"], 4);
  EXPECT_EQ(usage["usage"]["prompt_tokens"], 2);
}

TEST_F(Chat, says_the_same_streamed_and_whole) {
  const json whole = ask(chat("sim")).json();
  const Reply stream = ask(chat("sim", R"(,"stream":true)"));
  EXPECT_EQ(content_of(stream.body), whole["choices"][0]["message"]["content"].get<std::string>());
}

TEST_F(Chat, stops_at_the_cap_with_length) {
  const json whole = ask(chat("sim,tokens=20", R"(,"max_completion_tokens":5)")).json();
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(whole["usage"]["completion_tokens"], 5);
  const Reply stream = ask(chat("sim,tokens=20", R"(,"stream":true,"max_tokens":5)"));
  EXPECT_EQ(count_words(content_of(stream.body)), 5u);
  EXPECT_NE(stream.body.find(R"("finish_reason":"length")"), std::string::npos);
}

TEST_F(Chat, gives_as_many_choices_as_asked_for_each_its_own_text) {
  const json whole = ask(chat("sim,tokens=6", R"(,"n":3)")).json();
  ASSERT_EQ(whole["choices"].size(), 3u);
  EXPECT_EQ(whole["choices"][2]["index"], 2);
  EXPECT_NE(whole["choices"][0]["message"]["content"], whole["choices"][1]["message"]["content"]);
  EXPECT_EQ(whole["usage"]["completion_tokens"], 18);
  const Reply stream = ask(chat("sim,tokens=6", R"(,"n":3,"stream":true)"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(content_of(stream.body, i),
              whole["choices"][static_cast<std::size_t>(i)]["message"]["content"].get<std::string>());
  }
}

TEST_F(Chat, calls_the_first_tool_whole_and_in_fragments) {
  const std::string tools = R"(,"tools":[{"type":"function","function":{"name":"look_up"}}])";
  const json whole = ask(chat("sim,tokens=4", tools, "use the tool")).json();
  const json& call = whole["choices"][0]["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["name"], "look_up");
  EXPECT_TRUE(whole["choices"][0]["message"]["content"].is_null());
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "tool_calls");
  const std::string arguments = call["function"]["arguments"];
  EXPECT_EQ(count_words(json::parse(arguments)["text"].get<std::string>()), 4u);

  const Reply stream = ask(chat("sim,tokens=4", tools + R"(,"stream":true)", "use the tool"));
  std::string joined;
  std::size_t heads = 0;
  for (const std::string& event : events_of(stream.body)) {
    if (event == "[DONE]") continue;
    const json delta = json::parse(event)["choices"][0]["delta"];
    if (!delta.contains("tool_calls")) continue;
    const json& fragment = delta["tool_calls"][0];
    EXPECT_EQ(fragment["index"], 0);
    heads += fragment.contains("id");
    joined += fragment["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(joined, arguments);
  EXPECT_EQ(heads, 1u);
  EXPECT_NE(stream.body.find(R"("finish_reason":"tool_calls")"), std::string::npos);
}

TEST_F(Chat, calls_two_tools_in_parallel_each_under_its_own_index) {
  const std::string tools =
      R"(,"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}])";
  const json whole = ask(chat("sim,tokens=4", tools, "use the tools")).json();
  const json& calls = whole["choices"][0]["message"]["tool_calls"];
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[1]["function"]["name"], "b");
  EXPECT_NE(calls[0]["id"], calls[1]["id"]);
  EXPECT_EQ(whole["usage"]["completion_tokens"], 8);

  const Reply stream = ask(chat("sim,tokens=4", tools + R"(,"stream":true)", "use the tools"));
  std::vector<std::string> arguments(2);
  std::vector<std::string> names;
  for (const std::string& event : events_of(stream.body)) {
    if (event == "[DONE]") continue;
    const json delta = json::parse(event)["choices"][0]["delta"];
    if (!delta.contains("tool_calls")) continue;
    const json& fragment = delta["tool_calls"][0];
    if (fragment.contains("id")) names.push_back(fragment["function"]["name"]);
    arguments.at(fragment["index"].get<std::size_t>()) += fragment["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(arguments[0], calls[0]["function"]["arguments"].get<std::string>());
  EXPECT_EQ(arguments[1], calls[1]["function"]["arguments"].get<std::string>());
  EXPECT_NE(arguments[0], arguments[1]);
}

TEST_F(Chat, refuses_when_asked_to) {
  const json message = ask(chat("sim", "", "a refusal please")).json()["choices"][0];
  EXPECT_TRUE(message["message"]["content"].is_null());
  const std::string refusal = message["message"]["refusal"];
  EXPECT_FALSE(refusal.empty());
  EXPECT_EQ(message["finish_reason"], "stop");
  std::string streamed;
  for (const std::string& event : events_of(ask(chat("sim", R"(,"stream":true)", "a refusal please")).body)) {
    if (event == "[DONE]") continue;
    const json delta = json::parse(event)["choices"][0]["delta"];
    if (delta.contains("refusal") && delta["refusal"].is_string()) streamed += delta["refusal"].get<std::string>();
  }
  EXPECT_EQ(streamed, refusal);
}

TEST_F(Chat, answers_in_the_form_of_a_schema) {
  const std::string format = R"(,"response_format":{"type":"json_schema","json_schema":{"name":"p","schema":
      {"type":"object","properties":{"age":{"type":"integer","minimum":18},"quote":{"const":"a \"b\" \\ c"}},
      "required":["age","quote"]}}})";
  const json whole = ask(chat("sim,tokens=90", format)).json();
  const std::string text = whole["choices"][0]["message"]["content"];
  EXPECT_EQ(json::parse(text), json({{"age", 18}, {"quote", "a \"b\" \\ c"}}));
  EXPECT_EQ(content_of(ask(chat("sim", format + R"(,"stream":true)")).body), text);
  const std::string any =
      ask(chat("sim", R"(,"response_format":{"type":"json_object"})")).json()["choices"][0]["message"]["content"];
  EXPECT_TRUE(json::parse(any).is_object());
}

TEST(ChatBySeed, is_the_same_for_the_same_seed_and_differs_by_seed) {
  const auto answers = [](std::uint64_t seed) {
    config::SimulatorSettings settings = fast(30);
    settings.seed = seed;
    settings.failure_rate = 0.4;
    settings.faults = {{"error_500", 1}, {"rate_limit", 1}};
    Server server(settings);
    Client client(server.start());
    std::string all;
    for (int i = 0; i < 30; ++i) {
      client.post("/v1/chat/completions", chat("sim", "", "question " + std::to_string(i)));
      const Reply reply = client.read();
      all += std::to_string(reply.status);
      if (reply.status == 200) {
        const json body = reply.json();
        all += body["id"].get<std::string>() + body["choices"][0]["message"]["content"].get<std::string>();
      }
    }
    return all;
  };
  EXPECT_EQ(answers(11), answers(11));
  EXPECT_NE(answers(11), answers(12));
}

}  // namespace
}  // namespace tollgate::simulator
