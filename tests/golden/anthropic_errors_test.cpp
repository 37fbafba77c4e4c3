// Errors and rate limits of Anthropic's API in OpenAI's words.
#include "tollgate/base/instant.hpp"

#include "golden/anthropic_answers.hpp"

namespace tollgate::test {
namespace {

using protocol::http::Fields;

TEST(AnthropicErrors, become_those_of_the_golden_file) {
  for (const Json& given : golden_cases("errors.jsonl")) {
    if (!given.contains("status_in")) continue;
    SCOPED_TRACE(given["id"].get<std::string>());
    const Json& body = given["body_in"];
    const auto error =
        protocol::anthropic::to_chat_error(given["status_in"], body.is_string() ? body.get<std::string>() : body.dump(),
                                           given.value("own_credential", false));
    EXPECT_EQ(error.status, given["status_out"]);
    EXPECT_TRUE(same_value(Json::parse(error.body), given["body_out"])) << error.body;
  }
}

TEST(AnthropicErrors, keep_a_proxys_words_within_bounds) {
  std::string words;
  while (words.size() < 5000) words += "zu spät ";
  const auto error = protocol::anthropic::to_chat_error(503, words);
  const std::string message = Json::parse(error.body)["error"]["message"];
  EXPECT_TRUE(words.starts_with(message));
  EXPECT_GE(message.size(), 1000u);
  EXPECT_LE(message.size(), 1003u);
}

TEST(AnthropicRateFields, become_those_of_the_golden_file) {
  const SystemTime now = *parse_instant("2026-11-22T12:00:00Z");
  for (const Json& given : golden_cases("errors.jsonl")) {
    if (!given.contains("headers_in")) continue;
    SCOPED_TRACE(given["id"].get<std::string>());
    const std::map<std::string, std::string> sent = given["headers_in"];
    Fields fields;
    for (const auto& [name, value] : sent) fields.add({name, value});
    std::set<std::string> expected, lines;
    for (const auto& [name, value] : given["headers_out"].items())
      expected.insert(name + ": " + value.get<std::string>());
    const std::string out = protocol::anthropic::to_chat_rate_fields(fields, now);
    for (std::size_t at = 0; at < out.size();) {
      const std::size_t end = out.find("\r\n", at);
      ASSERT_NE(end, out.npos);
      EXPECT_TRUE(lines.insert(out.substr(at, end - at)).second);
      at = end + 2;
    }
    EXPECT_EQ(lines, expected);
  }
}

}  // namespace
}  // namespace tollgate::test
