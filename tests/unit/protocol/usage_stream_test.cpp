// Where streams put usage: each placement seen at a provider, with the exact totals in the end. Last wins by field, and
// nothing is added up (sharp edge U3).
#include "tollgate/protocol/openai/reply.hpp"

#include "unit/protocol/usage_printer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tollgate::protocol::openai {
namespace {

struct Stream {
  const char* placement;
  StreamKind kind;
  std::vector<std::string> events;
  std::optional<Usage> expected;
};

std::optional<Usage> read_all(const Stream& stream) {
  std::optional<Usage> usage;
  for (const std::string& event : stream.events) {
    const auto meaning = read_chunk(stream.kind, {}, event);
    if (meaning.usage) merge(usage, *meaning.usage);
  }
  return usage;
}

std::string content(const std::string& usage) {
  return R"({"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}])" + usage + "}";
}

std::vector<Stream> compatible_streams() {
  const std::string report = R"("usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30})";
  const Usage expected{.input = 10, .output = 20};
  const auto chat = StreamKind::chat;
  return {
      {"the last chunk, null in all others",
       chat,
       {content(R"(,"usage":null)"), R"({"choices":[],)" + report + "}", "[DONE]"},
       expected},
      {"a chunk with choices", chat, {content(""), content("," + report), "[DONE]"}, expected},
      {"a chunk without the member choices", chat, {content(""), "{" + report + "}", "[DONE]"}, expected},
      {"the finish chunk, then again alone",
       chat,
       {R"({"choices":[{"delta":{},"finish_reason":"stop"}],)" + report + "}", R"({"choices":[],)" + report + "}"},
       expected},
      {"every chunk, counting up",
       chat,
       {content(R"(,"usage":{"prompt_tokens":10,"completion_tokens":1})"),
        content(R"(,"usage":{"prompt_tokens":10,"completion_tokens":2})"), content("," + report)},
       expected},
      {"the first chunk as zeros",
       chat,
       {content(R"(,"usage":{"prompt_tokens":0,"completion_tokens":0})"), content("," + report)},
       expected},
      {"zeros and then null",
       chat,
       {content("," + report), content(R"(,"usage":null)"), content(R"(,"usage":{})")},
       expected},
      {"x_groq",
       chat,
       {content(R"(,"x_groq":{"id":"r"})"),
        R"({"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r",)" + report + "}}"},
       expected},
      {"the choice", chat, {R"({"choices":[{"delta":{},"finish_reason":"stop",)" + report + "}]}"}, expected},
      {"the older completions",
       StreamKind::completions,
       {R"({"choices":[{"text":"x"}],"usage":null})", R"({"choices":[],)" + report + "}"},
       expected},
      {"details early and the count late",
       chat,
       {content(
            R"(,"usage":{"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}})"),
        content("," + report)},
       Usage{.input = 10, .cached_input = 4, .output = 20, .reasoning = 1}},
      {"a broken report after a good one",
       chat,
       {content("," + report), content(R"(,"usage":{"prompt_tokens":10,"completion_tokens":-1})")},
       expected},
      {"nowhere", chat, {content(R"(,"usage":null)"), "[DONE]"}, std::nullopt},
      {"the tier beside it",
       chat,
       {content(R"(,"service_tier":"flex")"), R"({"choices":[],"service_tier":"flex",)" + report + "}"},
       Usage{.input = 10, .output = 20, .tier = ServiceTier::flex}},
  };
}

std::vector<Stream> other_streams() {
  const auto opaque = StreamKind::opaque;
  return {
      {"the terminal event of responses",
       StreamKind::responses,
       {R"({"type":"response.created","response":{"service_tier":"auto","usage":null}})",
        R"({"type":"response.output_text.delta","delta":"x"})",
        R"({"type":"response.completed","response":{"service_tier":"priority","tool_usage":{"web_search":{"num_requests":2}},
            "usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":8}}}})"},
       Usage{
           .input = 10, .cached_input = 4, .output = 20, .reasoning = 8, .searches = 2, .tier = ServiceTier::priority}},
      {"images",
       opaque,
       {R"({"type":"image_generation.partial_image"})",
        R"({"type":"image_generation.completed","usage":{"input_tokens":50,"output_tokens":60,"input_tokens_details":{"image_tokens":40}}})"},
       Usage{.input = 50, .image_input = 40, .output = 60}},
      {"transcripts",
       opaque,
       {R"({"type":"transcript.text.delta"})",
        R"({"type":"transcript.text.done","usage":{"type":"tokens","input_tokens":5,"output_tokens":6}})"},
       Usage{.input = 5, .output = 6}},
      {"Gemini, counting up",
       opaque,
       {R"({"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10}})",
        R"({"usageMetadata":{"promptTokenCount":10,"thoughtsTokenCount":7,"totalTokenCount":17}})",
        R"({"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":3,"thoughtsTokenCount":7}})",
        R"({"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5}})"},
       Usage{.input = 10, .output = 12, .reasoning = 7}},
  };
}

std::string start(const std::string& usage) {
  return R"({"type":"message_start","message":{"type":"message","usage":)" + usage + "}}";
}
std::string delta(const std::string& usage) {
  return R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":)" + usage + "}";
}

std::vector<Stream> anthropic_streams() {
  const auto opaque = StreamKind::opaque;
  const std::string opening =
      R"({"input_tokens":10,"cache_read_input_tokens":90,"cache_creation_input_tokens":30,
          "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":1,"service_tier":"priority"})";
  const Usage expected{.input = 130,
                       .cached_input = 90,
                       .cache_write = 10,
                       .cache_write_long = 20,
                       .output = 20,
                       .tier = ServiceTier::priority};
  return {
      {"start, and the output in the end", opaque, {start(opening), delta(R"({"output_tokens":20})")}, expected},
      {"start, and all again in the end",
       opaque,
       {start(opening),
        delta(
            R"({"input_tokens":10,"cache_read_input_tokens":90,"cache_creation_input_tokens":30,"output_tokens":20})")},
       expected},
      {"start, and input without the cache in the end",
       opaque,
       {start(opening), delta(R"({"input_tokens":10,"output_tokens":20})")},
       expected},
      {"null in the end",
       opaque,
       {start(opening),
        delta(
            R"({"input_tokens":null,"cache_read_input_tokens":null,"cache_creation_input_tokens":null,"output_tokens":20})")},
       expected},
      {"more input after a search",
       opaque,
       {start(opening),
        delta(
            R"({"input_tokens":500,"cache_read_input_tokens":290,"output_tokens":20,"server_tool_use":{"web_search_requests":2}})")},
       Usage{.input = 820,
             .cached_input = 290,
             .cache_write = 10,
             .cache_write_long = 20,
             .output = 20,
             .searches = 2,
             .tier = ServiceTier::priority}},
      {"only in the end",
       opaque,
       {start("null"), delta(R"({"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":20})")},
       Usage{.input = 100, .cached_input = 90, .output = 20}},
      {"zeros at the start",
       opaque,
       {start(R"({"input_tokens":0,"output_tokens":0})"), delta(R"({"input_tokens":10,"output_tokens":20})")},
       Usage{.input = 10, .output = 20}},
      {"the cache alone in the end",
       opaque,
       {start(R"({"input_tokens":10,"output_tokens":1})"),
        delta(R"({"cache_read_input_tokens":90,"output_tokens":20})")},
       Usage{.input = 100, .cached_input = 90, .output = 20}},
  };
}

void expect_totals(const std::vector<Stream>& streams) {
  for (const Stream& stream : streams) EXPECT_EQ(read_all(stream), stream.expected) << stream.placement;
}

TEST(UsageInStreams, is_found_wherever_compatible_servers_put_it) { expect_totals(compatible_streams()); }
TEST(UsageInStreams, is_found_in_responses_media_and_gemini) { expect_totals(other_streams()); }
TEST(UsageInStreams, is_put_together_from_anthropic_s_start_and_deltas) { expect_totals(anthropic_streams()); }

TEST(MergeUsage, changes_only_what_the_report_names) {
  const Usage before{.input = 100,
                     .cached_input = 10,
                     .cache_write = 20,
                     .cache_write_long = 30,
                     .audio_input = 5,
                     .image_input = 6,
                     .output = 50,
                     .reasoning = 7,
                     .audio_output = 8,
                     .image_output = 9,
                     .searches = 3,
                     .tier = ServiceTier::flex};
  std::optional<Usage> usage = before;
  merge(usage, {});
  EXPECT_EQ(usage, before);
  merge(usage, {.cache_apart = true, .reasoning_apart = true});
  EXPECT_EQ(usage, before);
  merge(usage, {.output = 60});
  Usage after = before;
  after.output = 60;
  EXPECT_EQ(usage, after);
}

TEST(MergeUsage, gives_the_same_however_often_a_report_is_repeated) {
  const UsagePart part{.input = 10,
                       .cached_input = 90,
                       .cache_write = 30,
                       .cache_write_long = 20,
                       .output = 5,
                       .reasoning = 7,
                       .cache_apart = true,
                       .reasoning_apart = true};
  std::optional<Usage> usage;
  for (int time = 0; time < 3; ++time) {
    merge(usage, part);
    EXPECT_EQ(usage, (Usage{.input = 130,
                            .cached_input = 90,
                            .cache_write = 10,
                            .cache_write_long = 20,
                            .output = 12,
                            .reasoning = 7}));
  }
}

TEST(MergeUsage, leaves_no_whole_below_its_parts) {
  std::optional<Usage> usage = Usage{.input = 100, .cached_input = 90, .output = 50, .reasoning = 40};
  merge(usage, {.input = 20, .output = 10});
  EXPECT_EQ(usage, (Usage{.input = 90, .cached_input = 90, .output = 40, .reasoning = 40}));
  merge(usage, {.cache_write = 5});
  EXPECT_EQ(usage->input, 95u);
}

}  // namespace
}  // namespace tollgate::protocol::openai
