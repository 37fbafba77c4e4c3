#include "tollgate/protocol/openai/prompt.hpp"

#include "protocol/kept_text.hpp"

#include <gtest/gtest.h>

#include <string>

// Which texts of a body are its prompt, in each of the forms that a body has; and that what is kept of hostile ones
// stays small.

namespace tollgate::protocol {
namespace {

using openai::PromptText;
using openai::read_prompt;

TEST(Prompt, is_the_system_text_and_the_last_turn_of_the_user) {
  const PromptText prompt = read_prompt(R"({"model":"m","messages":[
    {"role":"system","content":"Be brief."},
    {"role":"user","content":"first"},
    {"role":"assistant","content":"answer"},
    {"content":"second","role":"user"},
    {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","content":"result"}]})");
  EXPECT_EQ(prompt.system, "Be brief.");
  EXPECT_EQ(prompt.user, "second");
  EXPECT_EQ(prompt.user_length, 6u);
  EXPECT_TRUE(prompt.tool_names.empty());
}

TEST(Prompt, joins_the_texts_of_parts) {
  const PromptText prompt = read_prompt(R"({"messages":[
    {"role":"developer","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]},
    {"role":"system","content":"three"},
    {"role":"user","content":[{"type":"text","text":"what is this?"},{"type":"image_url","image_url":{"url":"x"}},
      {"text":"and that?","type":"text"}, "plain", 7, null, {"text":[1]}]}]})");
  EXPECT_EQ(prompt.system, "one\ntwo\nthree");
  EXPECT_EQ(prompt.user, "what is this?\nand that?\nplain");
  EXPECT_EQ(prompt.user_length, 27u);
}

TEST(Prompt, is_found_in_a_body_for_responses) {
  PromptText prompt = read_prompt(R"({"instructions":"Be kind.","input":"hello"})");
  EXPECT_EQ(prompt.system, "Be kind.");
  EXPECT_EQ(prompt.user, "hello");
  prompt = read_prompt(R"({"input":[{"role":"developer","content":"more"},
    {"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]},
    {"type":"function_call_output","call_id":"c","output":"x"}],"instructions":"Be kind."})");
  EXPECT_EQ(prompt.system, "Be kind.\nmore");
  EXPECT_EQ(prompt.user, "hello");
}

TEST(Prompt, is_found_in_a_body_for_completions) {
  EXPECT_EQ(read_prompt(R"({"prompt":"Once upon"})").user, "Once upon");
  EXPECT_EQ(read_prompt(R"({"prompt":["a","b"]})").user, "a\nb");
  EXPECT_EQ(read_prompt(R"({"prompt":[[1,2],[3]]})").user, "");
  EXPECT_EQ(read_prompt(R"({"prompt":{"id":"p"}})").user, "");
}

TEST(Prompt, is_found_in_a_message_request) {
  const PromptText prompt =
      read_prompt(R"({"system":[{"type":"text","text":"Be kind."},{"type":"text","text":"Be brief."}],
    "messages":[{"role":"user","content":[{"type":"text","text":"hello"},{"type":"image","source":{}}]},
    {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"},{"type":"image","source":{}}]}],
    "tools":[{"name":"f","input_schema":{"name":"g"}},{"type":"bash_20250124","name":"bash"}]})");
  EXPECT_EQ(prompt.system, "Be kind.\nBe brief.");
  EXPECT_EQ(prompt.user, "hello");
  EXPECT_EQ(prompt.tool_names, (std::vector<std::string>{"f", "bash"}));
}

TEST(Prompt, is_what_the_user_says_beside_the_results_of_tools) {
  EXPECT_EQ(read_prompt(R"({"system":"s","messages":[{"role":"user","content":"first"},{"role":"user","content":[
    {"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"x"}]},{"type":"text","text":"go on"}]}]})")
                .user,
            "go on");
  EXPECT_EQ(read_prompt(R"({"messages":[{"role":"user","content":"first"},{"role":"user","content":[]}]})").user, "");
}

TEST(Prompt, has_the_names_of_the_tools) {
  const PromptText prompt = read_prompt(R"({"tools":[
    {"type":"function","function":{"description":"d","name":"read_file","parameters":{"name":"x"}}},
    {"type":"function","name":"edit\u005ffile"},{"type":"web_search"},{"function":7,"name":"n"},{},3],
    "functions":[{"name":"old"}]})");
  EXPECT_EQ(prompt.tool_names, (std::vector<std::string>{"read_file", "edit_file", "web_search", "n", "old"}));
}

TEST(Prompt, keeps_so_many_tools) {
  std::string body = R"({"tools":[{"name":")" + std::string(openai::longest_tool_name + 1, 'x') + "\"}";
  for (std::size_t which = 0; which < openai::most_tool_names + 10; ++which) body += R"(,{"name":"a"})";
  EXPECT_EQ(read_prompt(body + "]}").tool_names, std::vector<std::string>(openai::most_tool_names, "a"));
}

TEST(Prompt, decodes_escapes) {
  const PromptText prompt = read_prompt(
      R"({"messages":[{"r\u006fle":"us\u0065r","content":"a\n\"b\"\\ \u00fc \ud83d\ude00 \ud83d x \\u00fc"}]})");
  EXPECT_EQ(prompt.user, "a\n\"b\"\\ \xC3\xBC \xF0\x9F\x98\x80 \xEF\xBF\xBD x \\u00fc");
}

TEST(Prompt, takes_the_last_of_a_key_given_twice) {
  EXPECT_EQ(read_prompt(R"({"messages":[{"role":"user","content":"a","content":"b"}]})").user, "b");
  EXPECT_EQ(read_prompt(R"({"prompt":"a","prompt":"b"})").user, "b");
}

TEST(Prompt, is_empty_where_there_is_none) {
  for (const std::string_view body :
       {"", "{}", "[]", "null", "{\"messages\":{}}", "{\"messages\":[]}", "{\"messages\":[1,\"x\",[],null]}",
        "{\"input\":7}", "{\"messages\":[{\"role\":\"user\"}]}", "{\"messages\":[{\"content\":\"x\"}]}",
        "{\"tools\":{}}", "{\"messages\":[{\"role\":[\"user\"],\"content\":\"x\"}]}"}) {
    const PromptText prompt = read_prompt(body);
    EXPECT_EQ(prompt.user + prompt.system, "") << body;
    EXPECT_TRUE(prompt.tool_names.empty()) << body;
  }
}

TEST(Prompt, is_what_stands_before_a_fault) {
  const std::string body =
      R"({"messages":[{"role":"user","content":"a"},{"role":"user","content":"b","x":01}],"tools":[{"name":"t"}]})";
  EXPECT_EQ(read_prompt(body).user, "a");
  EXPECT_EQ(read_prompt(body).tool_names, std::vector<std::string>{"t"});
  for (std::size_t length = 0; length < body.size(); ++length) read_prompt(std::string_view(body).substr(0, length));
}

TEST(Prompt, keeps_both_ends_of_a_long_text) {
  const std::string text = "begin" + std::string(1 << 20, 'a') + "end";
  const PromptText prompt = read_prompt(R"({"prompt":")" + text + "\"}");
  EXPECT_EQ(prompt.user.size(), openai::prompt_head_kept + 1 + openai::prompt_tail_kept);
  EXPECT_TRUE(prompt.user.starts_with("begin"));
  EXPECT_TRUE(prompt.user.ends_with("aend"));
  EXPECT_EQ(prompt.user[openai::prompt_head_kept], '\n');
  EXPECT_EQ(prompt.user_length, text.size());
}

TEST(Prompt, keeps_no_more_of_many_texts) {
  std::string body = R"({"messages":[)";
  for (int which = 0; which < 20'000; ++which)
    body += R"({"role":"system","content":"message )" + std::to_string(which) + "\"},";
  body.back() = ']';
  const PromptText prompt = read_prompt(body + "}");
  EXPECT_LE(prompt.system.size(), openai::prompt_head_kept + 1 + openai::prompt_tail_kept);
  EXPECT_TRUE(prompt.system.starts_with("message 0\nmessage 1\n"));
  EXPECT_TRUE(prompt.system.ends_with("message 19998\nmessage 19999"));
}

TEST(Prompt, takes_brackets_as_deep_as_they_come) {
  EXPECT_EQ(read_prompt(R"({"messages":)" + std::string(1 << 20, '[')).user, "");
  EXPECT_EQ(read_prompt(R"({"messages":[{"role":"user","content":)" + std::string(1 << 20, '{')).user, "");
}

std::string kept(std::string_view inside, std::size_t head, std::size_t tail) {
  json::KeptText text(head, tail);
  text.add(inside);
  return text.text();
}

TEST(KeptText, is_never_cut_within_a_character_or_an_escape) {
  for (const std::string_view piece :
       {"\\t", "\\u00fc", "\\ud83d\\ude00", "\xC3\xBC", "\xE4\xBD\xA0", "\xF0\x9F\x98\x80", "\\\\"}) {
    std::string inside, one;
    for (int count = 0; count < 100; ++count) inside += piece;
    one = kept(piece, 100, 100);
    for (std::size_t head = 12; head < 30; ++head) {
      const std::string text = kept(inside, head, 2 * head);
      EXPECT_LE(text.size(), 3 * head + 1);
      std::size_t count = 0;
      std::string_view rest = text;
      for (; rest.starts_with(one); ++count) rest.remove_prefix(one.size());
      EXPECT_GE(count * piece.size() + piece.size(), head) << piece;
      ASSERT_TRUE(rest.starts_with('\n')) << piece << head;
      for (rest.remove_prefix(1); rest.starts_with(one);) rest.remove_prefix(one.size());
      EXPECT_EQ(rest, "") << piece << head;
    }
  }
}

TEST(KeptText, is_whole_while_it_fits) {
  json::KeptText text(4, 6);
  text.add("ab");
  text.add("cdefgh");
  EXPECT_EQ(text.text(), "ab\ncdefgh");
  EXPECT_EQ(text.length(), 8u);
  text.add("ijklmno");
  EXPECT_EQ(text.text(), "ab\nc\njklmno");
}

TEST(KeptText, takes_what_is_no_text) {
  EXPECT_EQ(kept("\xFF\x80\x80\x80\x80\x80\x80\x80\x80\x80", 4, 4).size(), 9u);
  EXPECT_EQ(kept("", 4, 4), "");
}

}  // namespace
}  // namespace tollgate::protocol
