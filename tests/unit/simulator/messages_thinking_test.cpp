// Thinking: its blocks, their signatures, and what becomes of a history that changed or lost them. The histories are
// made of real answers, since nobody else can sign.
#include "messages_client.hpp"
#include "simulator/words.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

constexpr const char* adaptive = R"(,"thinking":{"type":"adaptive"})";
constexpr const char* enabled = R"(,"thinking":{"type":"enabled","budget_tokens":1024})";

std::string with_tool(const std::string& more) { return R"(,"tools":[)" + std::string(look_up_tool) + "]" + more; }

class Thinking : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  Reply ask(const std::string& text, const std::string& more) {
    return ask_messages(server_, conversation(R"([{"role":"user","content":")" + text + R"("}])", more));
  }

  /// The second turn of a tool loop: `content` is what the assistant is said to have said.
  Reply go_on(const json& content, const std::string& more) {
    json results = json::array();
    for (const json& block : content) {
      if (block["type"] == "tool_use") {
        results.push_back({{"type", "tool_result"}, {"tool_use_id", block["id"]}, {"content", "42"}});
      }
    }
    const json messages = json::array({{{"role", "user"}, {"content", "use a tool"}},
                                       {{"role", "assistant"}, {"content", content}},
                                       {{"role", "user"}, {"content", results}}});
    return ask_messages(server_, conversation(messages.dump(), more));
  }

  std::string why(const Reply& reply) {
    EXPECT_EQ(reply.status, 400) << reply.body;
    return reply.json()["error"]["message"];
  }

  Server server_{fast()};
};

TEST_F(Thinking, comes_first_and_counts_as_output) {
  const json body = ask("why", adaptive).json();
  ASSERT_EQ(body["content"].size(), 2u);
  EXPECT_EQ(body["content"][0]["type"], "thinking");
  EXPECT_FALSE(body["content"][0]["signature"].get<std::string>().empty());
  EXPECT_EQ(body["content"][1]["type"], "text");
  const std::size_t thought = count_words(body["content"][0]["thinking"].get<std::string>());
  const std::size_t said = count_words(body["content"][1]["text"].get<std::string>());
  EXPECT_EQ(body["usage"]["output_tokens"], thought + said);
  EXPECT_EQ(body["usage"]["output_tokens_details"]["thinking_tokens"], thought);
  EXPECT_GT(thought, 0u);
}

TEST_F(Thinking, is_asked_for_by_budget_and_by_effort_too) {
  EXPECT_EQ(ask("why", enabled).json()["content"][0]["type"], "thinking");
  EXPECT_EQ(ask("why", R"(,"output_config":{"effort":"low"})").json()["content"][0]["type"], "thinking");
  EXPECT_EQ(
      ask("why", R"(,"thinking":{"type":"disabled"},"output_config":{"effort":"low"})").json()["content"][0]["type"],
      "text");
}

TEST_F(Thinking, streams_its_signature_as_the_last_delta_of_its_block) {
  const Reply reply = ask("why", std::string(adaptive) + R"(,"stream":true)");
  const std::vector<Event> events = named_events(reply.body);
  EXPECT_EQ(events[2].data["content_block"], json({{"type", "thinking"}, {"thinking", ""}, {"signature", ""}}));
  std::string kinds;
  for (const Event& event : events) {
    if (event.name == "content_block_delta" && event.data["index"] == 0) {
      kinds += event.data["delta"]["type"] == "signature_delta" ? 's' : 't';
    }
  }
  EXPECT_EQ(kinds.find('s'), kinds.size() - 1);
  EXPECT_GT(kinds.size(), 1u);
  const json whole = ask("why", adaptive).json();
  EXPECT_EQ(assembled(events)["content"], whole["content"]);
}

TEST_F(Thinking, keeps_its_text_to_itself_where_that_is_wished) {
  const json body = ask("why", R"(,"thinking":{"type":"adaptive","display":"omitted"})").json();
  EXPECT_EQ(body["content"][0]["thinking"], "");
  EXPECT_FALSE(body["content"][0]["signature"].get<std::string>().empty());
}

TEST_F(Thinking, is_redacted_in_part_when_asked_to) {
  const json body = ask("a redacted thought", adaptive).json();
  ASSERT_EQ(body["content"].size(), 3u);
  EXPECT_EQ(body["content"][1]["type"], "redacted_thinking");
  EXPECT_FALSE(body["content"][1]["data"].get<std::string>().empty());
  const Reply stream = ask("a redacted thought", std::string(adaptive) + R"(,"stream":true)");
  EXPECT_EQ(assembled(named_events(stream.body))["content"], body["content"]);
}

TEST_F(Thinking, may_come_back_unchanged) {
  for (const char* kind : {adaptive, enabled}) {
    const json content = ask("use a redacted tool", with_tool(kind)).json()["content"];
    ASSERT_EQ(content.size(), 3u);
    EXPECT_EQ(go_on(content, with_tool(kind)).status, 200);
  }
}

TEST_F(Thinking, is_refused_with_a_signature_that_is_not_its_own) {
  json content = ask("use a tool", with_tool(adaptive)).json()["content"];
  content[0]["thinking"] = content[0]["thinking"].get<std::string>() + " indeed";
  EXPECT_EQ(why(go_on(content, with_tool(adaptive))), "messages.1.content.0: Invalid `signature` in `thinking` block");
  content[0]["signature"] = "";
  EXPECT_EQ(go_on(content, with_tool(adaptive)).status, 400);
}

TEST_F(Thinking, is_refused_with_redacted_data_that_was_changed) {
  json content = ask("use a redacted tool", with_tool(adaptive)).json()["content"];
  content[1]["data"] = "x" + content[1]["data"].get<std::string>();
  EXPECT_EQ(why(go_on(content, with_tool(adaptive))),
            "messages.1.content.1: Invalid `data` in `redacted_thinking` block");
}

TEST_F(Thinking, may_not_be_lost_on_the_way_to_the_results) {
  for (const char* kind : {adaptive, enabled}) {
    json content = ask("use a tool", with_tool(kind)).json()["content"];
    content.erase(0);
    EXPECT_TRUE(why(go_on(content, with_tool(kind)))
                    .starts_with("messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
                                 "`tool_use`."));
    EXPECT_EQ(go_on(content, with_tool("")).status, 200) << "it may be turned off instead";
  }
}

TEST_F(Thinking, is_missed_in_calls_made_elsewhere_only_with_a_budget) {
  const json content =
      json::array({{{"type", "tool_use"}, {"id", "elsewhere"}, {"name", "f"}, {"input", json::object()}}});
  EXPECT_EQ(go_on(content, with_tool(enabled)).status, 400);
  EXPECT_EQ(go_on(content, with_tool(adaptive)).status, 200);
}

TEST_F(Thinking, is_cut_by_the_cap_like_everything_else) {
  const std::string body =
      R"({"model":"sim,tokens=20","max_tokens":4,"thinking":{"type":"adaptive"},"messages":[{"role":"user","content":"x"}]})";
  const json answer = ask_messages(server_, body).json();
  ASSERT_EQ(answer["content"].size(), 1u);
  EXPECT_EQ(count_words(answer["content"][0]["thinking"].get<std::string>()), 4u);
  EXPECT_EQ(answer["stop_reason"], "max_tokens");
}

TEST_F(Thinking, is_the_habit_of_newer_models) {
  const json body = ask_messages(server_, message("claude-opus-5")).json();
  EXPECT_EQ(body["content"][0]["type"], "thinking");
  EXPECT_EQ(body["content"][0]["thinking"], "") << "which say nothing of it unless asked";
  EXPECT_EQ(ask_messages(server_, message("claude-haiku-4-5")).json()["content"][0]["type"], "text");
}

}  // namespace
}  // namespace tollgate::simulator
