// The two texts of an answer that are taken apart while they come, a code fence and a custom tool's input: what comes
// out must not depend on how they are cut, so each is cut at every two places.
#include "protocol/anthropic/answer/code_fence.hpp"
#include "protocol/anthropic/answer/free_input.hpp"
#include "protocol/json_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

namespace tollgate::protocol::anthropic {

using namespace answer;
namespace {

/// In pieces that end at the cuts.
template <class Take>
std::string in_pieces(const std::string& text, std::size_t first, std::size_t second, Take take) {
  std::string out;
  take(std::string_view(text).substr(0, first), out);
  take(std::string_view(text).substr(first, second - first), out);
  take(std::string_view(text).substr(second), out);
  return out;
}

std::string bare(const std::string& text, std::size_t first, std::size_t second) {
  CodeFence fence;
  std::string out =
      in_pieces(text, first, second, [&](std::string_view piece, std::string& to) { fence.take(piece, to); });
  fence.end(out);
  return out;
}

struct Row {
  std::string text, expected;
};

TEST(CodeFence, is_taken_off_however_the_text_is_cut) {
  const std::string blanks(64, ' ');
  const Row rows[] = {
      {"", ""},
      {"{}", "{}"},
      {"``` {} ```", "{} "},
      {"```json\n{}\n```", "{}"},
      {"```json\n{}\n```\n\n", "{}"},
      {"```json\r\n{}\r\n```\r\n", "{}"},
      {"  \n```JSON  \n[1]```", "[1]"},
      {"```json{\"a\":1}```", "{\"a\":1}"},
      {"```{\"a\":\"```\"}\n```", "{\"a\":\"```\"}"},
      {"```json\n{\"a\":\"\\n```\\n\"}\n```", "{\"a\":\"\\n```\\n\"}"},
      {"```\n\n\n{}\n\n\n```", "\n\n{}\n\n"},
      {"```\n{}\n``", "{}\n``"},
      {"```\n{}\n````", "{}"},
      {"```\n{}\n" + std::string(17, '`'), "{}\n`"},
      {"```\n{}\n``` x", "{}\n``` x"},
      {"```\n{}\n```\n```", "{}\n```"},
      {"```\n```", ""},
      {"```", "```"},
      {"``", "``"},
      {"``x", "``x"},
      {"````\n{}\n````", "{}"},
      {"`````", "`````"},
      {"```json5-x y\n{}\n```", "```json5-x y\n{}\n```"},
      {"```averyverylongword\n{}\n```", "```averyverylongword\n{}\n```"},
      {"x```json\n{}\n```", "x```json\n{}\n```"},
      {" {}", " {}"},
      {blanks + "```\n{}\n```" + blanks, "{}"},
      {blanks + " ```\n{}\n```", blanks + " ```\n{}\n```"},
      {"```\n{}\n```" + blanks + " ", "{}\n```" + blanks + " "},
      {"```" + blanks + " \n{}", "```" + blanks + " \n{}"},
      {"```\n\r\r\n`\n``\n```", "\r\r\n`\n``"},
  };
  for (const auto& [text, expected] : rows)
    for (std::size_t first = 0; first <= text.size(); ++first)
      for (std::size_t second = first; second <= text.size(); ++second)
        ASSERT_EQ(bare(text, first, second), expected) << text << " cut at " << first << " and " << second;
}

TEST(CodeFence, holds_little_back) {
  CodeFence fence;
  std::mt19937 chance(7);
  std::string given = "```\n", out;
  fence.take(given, out);
  for (int i = 0; i < 20'000; ++i) {
    const char byte = "`\r\n  x"[chance() % 6];
    given += byte;
    fence.take({&byte, 1}, out);
    ASSERT_LE(given.size() - 4, out.size() + 82);
    ASSERT_TRUE(std::string_view(given).substr(4).starts_with(out));
  }
}

std::string freed(const std::string& text, std::size_t first, std::size_t second) {
  FreeInput input;
  return in_pieces(text, first, second, [&](std::string_view piece, std::string& to) { input.take(piece, to); });
}

TEST(FreeInput, is_what_stands_in_the_member_however_it_is_cut) {
  const Row rows[] = {
      {R"({"input":"a"})", "a"},
      {R"( { "input" : "a b" } )", "a b"},
      {R"({"input":""})", ""},
      {R"({})", ""},
      {R"({"other":"x"})", ""},
      {R"({"other":"x","input":"y","input":"z"})", "y"},
      {R"({"a":{"input":"n"},"b":["}",{"]":"\"}"}],"c":"\\","d":-1.5e3,"input":"y"})", "y"},
      {R"({"input":"\"\\\/\b\f\n\r\t\u0041\ud83d\ude00"})", R"(\"\\\/\b\f\n\r\t\u0041\ud83d\ude00)"},
      {R"({"input":{"a" : [1,"}",{}]}})", R"({\"a\" : [1,\"}\",{}]})"},
      {R"({"input": 12 })", "12"},
      {R"({"input":null,"x":1})", "null"},
      {R"({"inputs":"a","inpu":"b","Input":"c"})", ""},
      {R"({"in\u0070ut":"a"})", ""},
      {R"({"in\"put":"a","input":"b"})", "b"},
      {R"("input")", ""},
      {R"([{"input":"a"}])", ""},
      {R"({"input"="a"})", ""},
      {R"({"input":"a)", "a"},
      {"{\"input\":\"a\tb\nc\"}", R"(a\tb\nc)"},
      {R"({"input":"\ud83d"})", "\xEF\xBF\xBD"},
      {R"({"input":"\ud83dx"})", "\xEF\xBF\xBDx"},
      {R"({"input":"\ud83d\n"})", "\xEF\xBF\xBD\\n"},
      {R"({"input":"\ud83d\ud83d\ude00"})", "\xEF\xBF\xBD\\ud83d\\ude00"},
      {R"({"input":"\ud83d\u0041"})", "\xEF\xBF\xBD\\u0041"},
      {R"({"input":"\q"})", "\xEF\xBF\xBDq"},
      {R"({"input":"\u12"}     )", "\xEF\xBF\xBDu12\\\"}     "},
      {"", ""},
  };
  for (const auto& [text, expected] : rows)
    for (std::size_t first = 0; first <= text.size(); ++first)
      for (std::size_t second = first; second <= text.size(); ++second)
        ASSERT_EQ(freed(text, first, second), expected) << text << " cut at " << first << " and " << second;
}

TEST(FreeInput, gives_the_text_that_another_reader_sees) {
  std::mt19937 chance(11);
  const std::string_view letters[] = {"a", "\"", "\\", "\n", "é", "😀", "{", "}", ":", ",", "\x01", "input", " "};
  for (int round = 0; round < 500; ++round) {
    std::string wanted, other;
    for (unsigned i = chance() % 20; i > 0; --i) wanted += letters[chance() % std::size(letters)];
    for (unsigned i = chance() % 20; i > 0; --i) other += letters[chance() % std::size(letters)];
    const nlohmann::json object{{"a", other}, {"b", {other, {{"input", other}}}}, {"input", wanted}};
    const std::string text = object.dump(round % 3, ' ', round % 2 == 0);
    FreeInput input;
    std::string inside;
    input.take(text, inside);
    ASSERT_EQ(json::decode(inside), wanted) << text;
  }
}

}  // namespace
}  // namespace tollgate::protocol::anthropic
