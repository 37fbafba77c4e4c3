// What of a request becomes part of the prompt: every text once, in the shapes that the endpoints know, and counts of
// what is no text; whatever is broken or nested without end.
#include "tollgate/protocol/openai/prompt_parts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tollgate::protocol::openai {
namespace {

struct Read {
  PromptShape shape;
  std::vector<std::string> texts;
};

Read read(const std::string& body) {
  Read result;
  result.shape = read_prompt_parts(body, [&](std::string_view text) { result.texts.emplace_back(text); });
  return result;
}

using Texts = std::vector<std::string>;

TEST(PromptParts, finds_every_text_of_a_chat) {
  const Read found = read(R"({"messages":[{"role":"user","content":["a",{"type":"text","text":"b\n"}]},
    {"role":"assistant","content":null,"refusal":"no","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\"x\":1}"}}]},
    {"role":"tool","tool_call_id":"1","content":"done"}]})");
  EXPECT_EQ(found.texts, (Texts{"a", "b\n", "user", "no", "assistant", "f", "{\"x\":1}", "done", "tool"}));
  EXPECT_EQ(found.shape, (PromptShape{.messages = 3}));
}

TEST(PromptParts, finds_every_text_of_a_response) {
  const Read found = read(R"({"instructions":"Be brief.","input":[{"type":"message","role":"user","content":
    [{"type":"input_text","text":"hi"},{"type":"input_image","image_url":"data:x","detail":"low"},{"type":"input_file","file_id":"f"}]},
    {"type":"function_call","name":"f","arguments":"{}"},{"type":"function_call_output","output":"42"}]})");
  EXPECT_EQ(found.texts, (Texts{"Be brief.", "hi", "user", "{}", "f", "42"}));
  EXPECT_EQ(found.shape, (PromptShape{.messages = 4, .pictures = 1, .low_detail = 1, .files = 1}));
}

TEST(PromptParts, counts_a_name_of_a_message_only) {
  EXPECT_EQ(read(R"({"messages":[{"role":"user","name":"ada","content":"x"}]})").shape.names, 1u);
  EXPECT_EQ(read(R"({"input":[{"type":"function_call","name":"f"}]})").shape.names, 0u);
}

TEST(PromptParts, walks_schemas_of_tools_to_their_depths) {
  const Read found = read(R"({"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":
    {"a":{"type":"object","properties":{"description":{"anyOf":[{"enum":["x",1]}]}}}},"required":["a"]}},{"type":"web_search"}],
    "functions":[{"name":"g"}]})");
  EXPECT_EQ(found.texts, (Texts{"f", "a", "description", "x", "g"}));
  EXPECT_EQ(found.shape, (PromptShape{.tools = 3, .properties = 2}));
}

TEST(PromptParts, hands_on_a_schema_that_is_asked_for_as_it_is_written) {
  const std::string schema = R"({"type":"json_schema","json_schema":{"name":"s"}})";
  EXPECT_EQ(read(R"({"response_format":)" + schema + "}").texts, Texts{schema});
  EXPECT_EQ(read(R"({"response_format":{"type":"json_object"}})").texts, Texts{});
}

TEST(PromptParts, tells_token_ids_from_texts) {
  const Read found = read(R"({"prompt":["a",1,[2,3,"b"]],"suffix":"z"})");
  EXPECT_EQ(found.texts, (Texts{"a", "z"}));
  EXPECT_EQ(found.shape.token_ids, 3u);
}

TEST(PromptParts, cuts_a_long_text_with_escapes_at_a_blank_and_loses_nothing) {
  std::string inside, decoded;
  while (inside.size() < 3 * prompt_part_decoded) {
    inside += R"(word\n\u00e9 )";
    decoded += "word\n\u00e9 ";
  }
  const Read found = read(R"({"input":")" + inside + R"("})");
  std::string joined;
  for (const std::string& text : found.texts) {
    EXPECT_LE(text.size(), prompt_part_decoded);
    EXPECT_TRUE(joined.empty() || text.front() == ' ');
    joined += text;
  }
  EXPECT_EQ(found.texts.size(), 4u);
  EXPECT_EQ(joined, decoded);
}

TEST(PromptParts, cuts_a_long_text_without_blanks_between_escapes) {
  std::string inside;
  while (inside.size() < 2 * prompt_part_decoded) inside += R"(\ud83d\ude00)";
  std::size_t characters = 0;
  for (const std::string& text : read(R"({"input":")" + inside + R"("})").texts) {
    EXPECT_EQ(text.size() % 4, 0u);
    EXPECT_EQ(text.find("\xEF\xBF\xBD"), text.npos) << "a pair was cut in two";
    characters += text.size() / 4;
  }
  EXPECT_EQ(characters, inside.size() / 12);
}

TEST(PromptParts, stops_where_the_body_is_broken) {
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"}],"name":"n"}],"tools":[{"name":"f","parameters":{"properties":{"p":{}}}}]})";
  for (std::size_t size = 0; size < body.size(); ++size) {
    const Read found = read(body.substr(0, size));
    EXPECT_LE(found.shape.messages, 1u);
    EXPECT_LE(found.texts.size(), 5u);
  }
  EXPECT_EQ(read(body).texts, (Texts{"a", "user", "n", "f", "p"}));
}

TEST(PromptParts, takes_nesting_up_to_the_readers_depth) {
  std::string schema = "1";
  for (int depth = 0; depth < 200; ++depth) schema = R"({"properties":{"p":)" + schema + "}}";
  EXPECT_LE(read(R"({"tools":[{"parameters":)" + schema + "}]}").shape.properties, 32u);
}

TEST(PromptParts, finds_every_text_of_a_message_request) {
  const Read found = read(R"({"system":[{"type":"text","text":"Be brief."}],"messages":[
    {"role":"user","content":[{"type":"image","source":{"type":"base64","data":"QQ=="}},
      {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QQ=="}},
      {"type":"document","source":{"type":"text","media_type":"text/plain","data":"doc"}}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
      {"type":"tool_use","id":"a","name":"f","input":{"x":1}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"done"},
      {"type":"image","source":{}},{"type":"x","content":[{"text":"too deep"}]}]},
      {"type":"tool_result","tool_use_id":"b","content":"also"}]}],
    "tools":[{"name":"f","description":"d","input_schema":{"properties":{"x":{}}}}],
    "output_config":{"format":{"type":"json_schema"}}})");
  EXPECT_EQ(found.texts, (Texts{"Be brief.", "doc", "user", "hm", "f", R"({"x":1})", "assistant", "done", "also",
                                "user", "f", "d", "x", R"({"format":{"type":"json_schema"}})"}));
  EXPECT_EQ(found.shape, (PromptShape{.messages = 4, .pictures = 2, .files = 1, .tools = 1, .properties = 1}));
}

}  // namespace
}  // namespace tollgate::protocol::openai
