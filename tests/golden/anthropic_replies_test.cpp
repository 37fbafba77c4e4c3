// Whole messages of Anthropic's API and the chat completions that they become.
#include "golden/anthropic_answers.hpp"

namespace tollgate::test {
namespace {

using protocol::anthropic::to_chat_reply;

TEST(AnthropicReplies, become_the_chat_completions_of_the_golden_file) {
  for (const Json& given : golden_cases("replies.jsonl")) {
    SCOPED_TRACE(given["id"].get<std::string>());
    const std::string message = given.contains("text") ? given["text"].get<std::string>() : given["message"].dump();
    const auto reply = to_chat_reply(message, shape_of(given), answer_names);
    ASSERT_EQ(reply.has_error(), given.value("fails", false));
    if (!reply) {
      EXPECT_EQ(reply.error().kind, FailureKind::upstream_error);
      EXPECT_EQ(reply.error().source, Source::upstream);
      continue;
    }
    Json expected{{"id", "chatcmpl-r-1"},
                  {"object", "chat.completion"},
                  {"created", 1'700'000'000},
                  {"model", "claude-\"alias\""},
                  {"choices", given["choices"]}};
    if (given.contains("usage")) expected["usage"] = given["usage"];
    EXPECT_TRUE(same_value(Json::parse(reply->body), expected)) << reply->body << "\n" << expected.dump();
    expect_thoughts(reply->thoughts, given);
    expect_counted(reply->usage, given);
    EXPECT_EQ(reply->usage.has_value(), given.contains("usage"));
  }
}

TEST(AnthropicReplies, keep_thinking_byte_for_byte) {
  const std::string first = R"({ "signature" : "a\/b+\u003d", "type":"thinking" , "thinking":"\u0070lan é" })";
  const std::string second = R"({"data":"x\/y","type":"redacted_thinking"})";
  const std::string message = R"({"type":"message","content":[)" + first + " , " + second +
                              R"(,{"type":"tool_use","id":"t","name":"f","input":{}}],"stop_reason":"tool_use"})";
  const auto reply = to_chat_reply(message, {}, answer_names);
  ASSERT_TRUE(reply);
  ASSERT_TRUE(reply->thoughts);
  EXPECT_EQ(reply->thoughts->blocks, first + "," + second);
}

}  // namespace
}  // namespace tollgate::test
