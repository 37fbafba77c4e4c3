#include "tollgate/protocol/openai/answer_text.hpp"

#include <gtest/gtest.h>

namespace tollgate::protocol::openai {
namespace {

TEST(AnswerText, IsTheWordsOfAllChoices) {
  EXPECT_EQ(answer_text(R"({"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"a\u00e4"}},)"
                        R"({"message":{"content":[{"type":"text","text":"b"}],"refusal":null}}]})"),
            "a\xC3\xA4"
            "b");
  EXPECT_EQ(answer_text(R"({"choices":[{"text":"plain"}]})"), "plain");
}

TEST(AnswerText, HoldsReasoningAndArgumentsOfTools) {
  EXPECT_EQ(answer_text(R"({"choices":[{"message":{"reasoning_content":"why ","tool_calls":[{"function":)"
                        R"({"name":"f","arguments":"{\"x\":1}"}}]}}]})"),
            R"(why {"x":1})");
}

TEST(AnswerText, IsNothingOfWhatIsNoAnswer) {
  for (const char* text : {"", "[]", "{", "{}", R"({"choices":)", R"({"error":{"message":"no"}})", R"("content")"})
    EXPECT_EQ(answer_text(text), "") << text;
  EXPECT_EQ(answer_text(R"({"choices":)" + std::string(40, '[') + std::string(40, ']') + "}"), "");
}

}  // namespace
}  // namespace tollgate::protocol::openai
