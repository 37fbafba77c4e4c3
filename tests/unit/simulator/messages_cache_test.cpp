#include "messages_client.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

class MessagesCache : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  json usage(const std::string& body, const std::string& fields = old_version) {
    const Reply reply = ask_messages(server_, body, fields);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.json()["usage"];
  }
  Server server_{fast()};
};

std::string long_system(const std::string& ttl) {
  return R"(,"system":[{"type":"text","text":"one two three four","cache_control":{"type":"ephemeral")" + ttl + "}}]";
}

TEST_F(MessagesCache, is_written_once_and_read_from_then_on) {
  const std::string body = message("sim", long_system(""));
  const json first = usage(body);
  EXPECT_EQ(first["input_tokens"], 2) << "what was cached is not counted again";
  EXPECT_EQ(first["cache_creation_input_tokens"], 4);
  EXPECT_EQ(first["cache_read_input_tokens"], 0);
  EXPECT_EQ(first["cache_creation"], json({{"ephemeral_5m_input_tokens", 4}, {"ephemeral_1h_input_tokens", 0}}));
  const json second = usage(body);
  EXPECT_EQ(second["input_tokens"], 2);
  EXPECT_EQ(second["cache_creation_input_tokens"], 0);
  EXPECT_EQ(second["cache_read_input_tokens"], 4);
  ASSERT_TRUE(server_.wait_until([&] { return server_.truth().size() == 2; }));
  EXPECT_EQ(server_.truth()[0].cache_write_5m_tokens, 4u);
  EXPECT_EQ(server_.truth()[1].cache_read_tokens, 4u);
  EXPECT_EQ(server_.truth()[1].prompt_tokens, 6u) << "all of the prompt";
}

TEST_F(MessagesCache, tells_what_lives_for_an_hour) {
  const json first = usage(message("sim", long_system(R"(,"ttl":"1h")")));
  EXPECT_EQ(first["cache_creation"], json({{"ephemeral_5m_input_tokens", 0}, {"ephemeral_1h_input_tokens", 4}}));
}

TEST_F(MessagesCache, is_told_in_both_usages_of_a_stream) {
  const std::string body = message("sim", long_system("") + R"(,"stream":true)");
  const std::vector<Event> events = named_events(ask_messages(server_, body).body);
  EXPECT_EQ(events.front().data["message"]["usage"]["cache_creation_input_tokens"], 4);
  EXPECT_EQ(events[events.size() - 2].data["usage"]["cache_creation_input_tokens"], 4);
  EXPECT_EQ(events[events.size() - 2].data["usage"]["input_tokens"], 2);
}

TEST_F(MessagesCache, grows_with_a_conversation_whose_mark_moves_on) {
  const std::string mark = R"(,"cache_control":{"type":"ephemeral"})";
  const auto turn = [](const std::string& text, const std::string& marked) {
    return R"({"role":"user","content":[{"type":"text","text":")" + text + "\"" + marked + "}]}";
  };
  const std::string said = R"({"role":"assistant","content":"fine then"})";
  usage(conversation("[" + turn("one two three", mark) + "]"));
  const json second =
      usage(conversation("[" + turn("one two three", "") + "," + said + "," + turn("and four", mark) + "]"));
  EXPECT_EQ(second["cache_read_input_tokens"], 3);
  EXPECT_EQ(second["cache_creation_input_tokens"], 4);
  EXPECT_EQ(second["input_tokens"], 0);
}

TEST_F(MessagesCache, knows_the_mark_on_the_request_itself) {
  const std::string body = message("sim", R"(,"cache_control":{"type":"ephemeral"})");
  EXPECT_EQ(usage(body)["cache_creation_input_tokens"], 2);
  EXPECT_EQ(usage(body)["cache_read_input_tokens"], 2);
}

TEST_F(MessagesCache, holds_tools_before_the_system) {
  const std::string tool = R"(,"tools":[{"name":"f","description":"does a thing","input_schema":{"type":"object"},)"
                           R"("cache_control":{"type":"ephemeral"}}])";
  EXPECT_EQ(usage(message("sim", tool))["cache_creation_input_tokens"], 4);
  EXPECT_EQ(usage(message("sim", tool + R"(,"system":"other")"))["cache_read_input_tokens"], 4);
}

TEST_F(MessagesCache, is_not_shared_between_keys_and_models) {
  const auto key = [](const char* name) { return std::string(old_version) + "x-api-key: " + name + "\r\n"; };
  usage(message("sim", long_system("")), key("one"));
  EXPECT_EQ(usage(message("sim", long_system("")), key("two"))["cache_read_input_tokens"], 0);
  EXPECT_EQ(usage(message("sim-2", long_system("")), key("one"))["cache_read_input_tokens"], 0);
  EXPECT_EQ(usage(message("sim", long_system("")), key("one"))["cache_read_input_tokens"], 4);
}

TEST_F(MessagesCache, is_not_written_by_a_request_that_was_refused) {
  ask_messages(server_, message("sim,fault=error_529", long_system("")));
  EXPECT_EQ(usage(message("sim", long_system("")))["cache_read_input_tokens"], 0);
}

}  // namespace
}  // namespace tollgate::simulator
