#include "simulator/call.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

Call valid(Endpoint endpoint, const std::string& body) {
  const Result<Call> call = read_call(endpoint, body);
  if (!call) throw std::runtime_error(call.error().message);
  return *call;
}

TEST(Call, counts_the_words_of_strings_and_text_parts) {
  const Call call = valid(Endpoint::chat, R"({"model":"m","messages":[{"role":"system","content":"be very brief"},
      {"role":"user","content":[{"type":"text","text":"one two"},{"type":"image_url","image_url":{"url":"data:,x y"}}]},
      {"role":"assistant","content":null}]})");
  EXPECT_EQ(call.prompt_tokens, 5u);
}

TEST(Call, digests_the_question_and_not_how_it_is_asked) {
  const auto digest = [](const char* body) { return valid(Endpoint::chat, body).digest; };
  const auto whole = digest(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(whole, digest(R"({"stream":true,"messages":[{"content":"hi","role":"user"}],"model":"m,rate=5"})"));
  EXPECT_NE(whole, digest(R"({"model":"m","messages":[{"role":"user","content":"ho"}]})"));
  EXPECT_NE(whole, digest(R"({"model":"n","messages":[{"role":"user","content":"hi"}]})"));
}

TEST(Call, calls_a_tool_when_the_user_mentions_one_or_the_request_insists) {
  const auto tools = [](const std::string& text, const std::string& more) {
    const Call call = valid(Endpoint::chat, R"({"model":"m","messages":[{"role":"user","content":")" + text +
                                                R"("}],"tools":[{"type":"function","function":{"name":"first"}},)"
                                                R"({"type":"function","function":{"name":"second"}}])" +
                                                more + "}");
    std::string names;
    for (const CalledTool& tool : call.tools) names += tool.name + ' ';
    return names;
  };
  EXPECT_EQ(tools("use a tool", ""), "first ");
  EXPECT_EQ(tools("just talk", ""), "");
  EXPECT_EQ(tools("just talk", R"(,"tool_choice":"required")"), "first ");
  EXPECT_EQ(tools("use a tool", R"(,"tool_choice":"none")"), "");
  EXPECT_EQ(tools("just talk", R"(,"tool_choice":{"type":"function","function":{"name":"second"}})"), "second ");
  EXPECT_EQ(tools("use the tools", ""), "first second ");
  EXPECT_EQ(tools("use the tools", R"(,"parallel_tool_calls":false)"), "first ");
}

TEST(Call, takes_inputs_as_text_as_tokens_and_as_lists_of_either) {
  const auto inputs = [](const std::string& input) {
    const Call call = valid(Endpoint::embeddings, R"({"model":"m","input":)" + input + "}");
    return std::make_pair(call.inputs.size(), call.prompt_tokens);
  };
  EXPECT_EQ(inputs(R"("a b c")"), std::make_pair(std::size_t{1}, std::size_t{3}));
  EXPECT_EQ(inputs(R"(["a","b c"])"), std::make_pair(std::size_t{2}, std::size_t{3}));
  EXPECT_EQ(inputs("[5,6,7]"), std::make_pair(std::size_t{1}, std::size_t{3}));
  EXPECT_EQ(inputs("[[5],[6,7]]"), std::make_pair(std::size_t{2}, std::size_t{3}));
}

TEST(Call, prefers_the_newer_name_of_the_cap) {
  const Call call = valid(Endpoint::chat, R"({"model":"m","messages":[{}],"max_tokens":5,"max_completion_tokens":9})");
  EXPECT_EQ(call.max_tokens, 9u);
}

TEST(Call, keeps_the_steering_of_a_model_name_apart) {
  const Call call = valid(Endpoint::chat, R"({"model":"sim,tokens=3,rate=1","messages":[{}]})");
  EXPECT_EQ(call.base_model(), "sim");
  EXPECT_EQ(call.steering_text(), "tokens=3,rate=1");
}

}  // namespace
}  // namespace tollgate::simulator
