#include "tollgate/protocol/structured_output.hpp"

#include <gtest/gtest.h>

namespace tollgate::protocol {
namespace {

TEST(StructuredOutput, the_schema_is_found_where_each_api_has_it) {
  constexpr auto chat = Surface::openai, messages = Surface::anthropic;
  EXPECT_EQ(schema_asked_for(chat, R"({"response_format":{"json_schema":{"schema":{"a":1}},"type":"json_schema"}})"),
            R"({"a":1})");
  EXPECT_EQ(schema_asked_for(chat, R"({"n":1,"response_format":{"type":"json_object"}})"), R"({"type":"object"})");
  EXPECT_EQ(schema_asked_for(messages, R"({"output_config":{"format":{"type":"json_schema","schema":{"a":1}}}})"),
            R"({"a":1})");
  EXPECT_EQ(schema_asked_for(messages, R"({"output_format":{"type":"json_schema","schema":{"a":1}}})"), R"({"a":1})");
}

TEST(StructuredOutput, nothing_is_looked_for_in_what_asks_for_none_or_for_several) {
  for (const char* request :
       {R"({})", R"([])", "", R"({"response_format":{"type":"text"}})", R"({"response_format":"json_schema"})",
        R"({"response_format":null})", R"({"n":2,"response_format":{"type":"json_object"}})",
        R"({"response_format":{"type":"json_schema"}})", R"({"response_format":{"type":)"}) {
    EXPECT_EQ(schema_asked_for(Surface::openai, request), "") << request;
    EXPECT_EQ(schema_asked_for(Surface::anthropic, request), "") << request;
  }
}

TEST(StructuredOutput, words_are_taken_of_answers_at_their_end_alone) {
  const auto of_chat = [](std::string_view choices) {
    return finished_text(Surface::openai, R"({"choices":[)" + std::string(choices) + "]}");
  };
  EXPECT_EQ(of_chat(R"({"message":{"content":"{\"a\":1}","refusal":null},"finish_reason":"stop"})"), R"({"a":1})");
  for (const char* other : {R"({"message":{"content":"x"},"finish_reason":"length"})", R"({"message":{"content":"x"}})",
                            R"({"message":{"content":null},"finish_reason":"stop"})",
                            R"({"message":{"content":"x","refusal":"no"},"finish_reason":"stop"})",
                            R"({"message":{"content":"x","tool_calls":[{}]},"finish_reason":"stop"})",
                            R"({"message":{"content":"x"},"finish_reason":"stop"},{"message":{}})", ""})
    EXPECT_EQ(of_chat(other), std::nullopt) << other;
}

TEST(StructuredOutput, words_of_a_message_are_those_of_all_its_texts) {
  EXPECT_EQ(
      finished_text(Surface::anthropic, R"({"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"},)"
                                        R"({"type":"text","text":"b"}],"stop_reason":"end_turn"})"),
      "ab");
  for (const char* other :
       {R"({"content":[{"type":"text","text":"a"}],"stop_reason":"max_tokens"})",
        R"({"content":[{"type":"text","text":"a"}],"stop_reason":"tool_use"})",
        R"({"content":[],"stop_reason":"end_turn"})", R"({"content":"a","stop_reason":"end_turn"})", "x", ""})
    EXPECT_EQ(finished_text(Surface::anthropic, other), std::nullopt) << other;
}

TEST(StructuredOutput, asking_again_adds_two_turns_and_changes_no_other_byte) {
  EXPECT_EQ(asking_again(R"({ "messages" : [{"role":"user","content":"hi"} ] , "seed":1.50})", "say \"a\"", "at /a: b"),
            R"({ "messages" : [{"role":"user","content":"hi"} ,{"role":"assistant","content":"say \"a\""},)"
            R"({"role":"user","content":"Your answer does not match the JSON schema that it has to match: at /a: b. )"
            R"(Answer again, with nothing but JSON that matches the schema."}] , "seed":1.50})");
  for (const char* other : {R"({})", R"({"messages":[]})", R"({"messages":"x"})", ""})
    EXPECT_EQ(asking_again(other, "a", "b"), "") << other;
}

}  // namespace
}  // namespace tollgate::protocol
