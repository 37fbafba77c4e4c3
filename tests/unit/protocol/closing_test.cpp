#include "tollgate/protocol/openai/closing.hpp"

#include "tollgate/protocol/sse.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <vector>

namespace tollgate::protocol::openai {
namespace {

using Json = nlohmann::json;

constexpr std::string_view last =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m\u002d1","choices":[{"index":0,"delta":{"content":"x"}}]})";

std::vector<std::string> data_of(std::string_view events) {
  std::vector<std::string> data;
  SseScanner scanner;
  while (!events.empty()) {
    const std::size_t end = scanner.next_event_end(events);
    EXPECT_GT(end, 0U) << "an event without an end: " << events;
    if (end == 0) break;
    data.emplace_back(parse_sse_event(events.substr(0, end)).data);
    events.remove_prefix(end);
  }
  return data;
}

TEST(ClosingEvents, EndEachChoiceAsOneThatReachedItsLimit) {
  const auto data = data_of(closing_events(StreamKind::chat, last, 2, nullptr));
  ASSERT_EQ(data.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Json chunk = Json::parse(data[i]);
    EXPECT_EQ(chunk["id"], "chatcmpl-1");
    EXPECT_EQ(chunk["model"], "m-1");
    EXPECT_EQ(chunk["created"], 7);
    EXPECT_EQ(chunk["choices"][0]["index"], i);
    EXPECT_EQ(chunk["choices"][0]["finish_reason"], "length");
    EXPECT_TRUE(read_chunk(StreamKind::chat, {}, data[i]).finish);
  }
  EXPECT_TRUE(read_chunk(StreamKind::chat, {}, data[2]).done);
}

TEST(ClosingEvents, TellTheUsageWhereItIsAskedFor) {
  Usage usage;
  usage.input = 11;
  usage.output = 5;
  const auto data = data_of(closing_events(StreamKind::completions, last, 1, &usage));
  ASSERT_EQ(data.size(), 3U);
  EXPECT_EQ(Json::parse(data[0])["choices"][0]["text"], "");
  const auto meaning = read_chunk(StreamKind::completions, {}, data[1]);
  EXPECT_TRUE(meaning.usage_only);
  ASSERT_TRUE(meaning.usage);
  EXPECT_EQ(meaning.usage->input, 11U);
  EXPECT_EQ(meaning.usage->output, 5U);
}

TEST(ClosingEvents, AreWellFormedBehindAnythingThatIsNoChunk) {
  for (const std::string_view text : {"", "[DONE]", "{", R"({"id":1)", R"({"id":"x)", "[1]"})
    for (const std::string& data : data_of(closing_events(StreamKind::chat, text, 1, nullptr)))
      EXPECT_TRUE(data == "[DONE]" || Json::accept(data)) << data << " behind " << text;
}

}  // namespace
}  // namespace tollgate::protocol::openai
