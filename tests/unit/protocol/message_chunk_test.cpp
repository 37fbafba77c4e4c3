// A stream that speaks Anthropic's protocol to a client that does: what its events mean for commit point, end and
// metering; and what the readers of whole answers and errors make of its bodies.
#include "tollgate/protocol/openai/reply.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::protocol::openai {
namespace {

std::string words(const ChunkMeaning& meaning) {
  std::string text;
  const auto add = [&](bool set, const char* word) {
    if (set) text += (text.empty() ? "" : " ") + std::string(word);
  };
  add(meaning.done, "done");
  add(meaning.content, "content");
  add(meaning.finish, "finish");
  add(meaning.error, "error");
  add(meaning.usage_only, "usage_only");
  add(meaning.malformed, "malformed");
  add(meaning.usage.has_value(), "usage");
  return text;
}

std::string message(const std::string& data, std::string_view name = {}) {
  return words(read_chunk(StreamKind::messages, name, data));
}

struct Row {
  const char *data, *meaning;
};

TEST(ReadMessageChunk, knows_content_from_openings) {
  const Row rows[] = {
      {R"({"type":"message_start","message":{"type":"message","content":[]}})", ""},
      {R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})", ""},
      {R"({"content_block":{"text":"","type":"text"},"index":0,"type":"content_block_start"})", ""},
      {R"({"type":"content_block_start","content_block":{"type":"text"}})", ""},
      {R"({"type":"content_block_start","content_block":{"type":"text","text":"H"}})", "content"},
      {R"({"type":"content_block_start","content_block":{"type":"thinking","thinking":"","signature":""}})", ""},
      {R"({"type":"content_block_start","content_block":{"type":"thinking","thinking":"h"}})", "content"},
      {R"({"type":"content_block_start","content_block":{"type":"redacted_thinking","data":"x"}})", "content"},
      {R"({"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"f"}})", "content"},
      {R"({"type":"content_block_start","content_block":{"type":"server_tool_use","id":"t"}})", "content"},
      {R"({"type":"content_block_start","content_block":7})", "content"},
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}})", "content"},
      {R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}})", "content"},
      {R"({"type":"content_block_delta","delta":{"type":"signature_delta","signature":"s"}})", "content"},
      {R"({"type":"content_block_stop","index":0})", ""},
      {R"({"type":"ping"})", ""},
      {R"({"type":"brand_new","delta":{"text":"x"}})", ""},
      {"{}", ""},
      {"7", ""},
  };
  for (const auto& [data, meaning] : rows) EXPECT_EQ(message(data), meaning) << data;
}

TEST(ReadMessageChunk, knows_the_finish_and_the_end) {
  const Row rows[] = {
      {R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null}})", "finish"},
      {R"({"delta":{"stop_reason":"tool_use"},"type":"message_delta"})", "finish"},
      {R"({"type":"message_delta","delta":{"stop_reason":null}})", ""},
      {R"({"type":"message_delta","delta":null})", ""},
      {R"({"type":"content_block_delta","delta":{"stop_reason":"end_turn"}})", "content"},
      {R"({"type":"message_start","message":{"stop_reason":"end_turn"}})", ""},
      {R"({"type":"message_stop"})", "done"},
  };
  for (const auto& [data, meaning] : rows) EXPECT_EQ(message(data), meaning) << data;
}

TEST(ReadMessageChunk, goes_by_the_name_where_the_data_tells_no_type) {
  EXPECT_EQ(message("{}", "message_stop"), "done");
  EXPECT_EQ(message(R"({"type":""})", "message_stop"), "done");
  EXPECT_EQ(message(R"({"type":null})", "message_stop"), "done");
  EXPECT_EQ(message(R"({"delta":{"text":"x"}})", "content_block_delta"), "content");
  EXPECT_EQ(message(R"({"type":"ping"})", "message_stop"), "");
}

TEST(ReadMessageChunk, knows_errors) {
  EXPECT_EQ(message(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"), "error");
  EXPECT_EQ(message(R"({"type":"error"})"), "error");
  EXPECT_EQ(message(R"({"message":"flat"})", "error"), "error");
  EXPECT_EQ(message(R"({"type":"content_block_delta","error":{"message":"x"}})"), "error");
  EXPECT_EQ(message("no JSON", "error"), "error malformed");
  EXPECT_EQ(message(R"({"type":"message_stop")"), "malformed");
}

TEST(ReadMessageChunk, reads_usage_from_the_first_and_the_last_event) {
  std::optional<Usage> usage;
  for (
      const char* data :
      {R"({"type":"message_start","message":{"type":"message","usage":{"input_tokens":10,"cache_creation_input_tokens":100,
            "cache_read_input_tokens":1000,"cache_creation":{"ephemeral_5m_input_tokens":60,
            "ephemeral_1h_input_tokens":40},"output_tokens":1}}})",
       R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"\"usage\":{\"output_tokens\":9}"}})",
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":20,"output_tokens":7}})"}) {
    const auto meaning = read_chunk(StreamKind::messages, {}, data);
    EXPECT_FALSE(meaning.malformed) << data;
    if (meaning.usage) merge(usage, *meaning.usage);
  }
  const Usage expected{.input = 1120, .cached_input = 1000, .cache_write = 60, .cache_write_long = 40, .output = 7};
  EXPECT_EQ(usage, expected);
}

TEST(ReadMessageChunk, leaves_the_same_data_alone_in_other_streams) {
  const char* const start = R"({"type":"content_block_start","content_block":{"type":"tool_use"}})";
  const char* const stop = R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})";
  for (const StreamKind kind : {StreamKind::chat, StreamKind::completions}) {
    EXPECT_EQ(words(read_chunk(kind, {}, start)), "");
    EXPECT_EQ(words(read_chunk(kind, {}, stop)), "");
    EXPECT_EQ(words(read_chunk(kind, {}, R"({"type":"message_stop"})")), "");
  }
}

TEST(ReadReply, reads_messages_and_their_errors) {
  const auto whole = read_reply(
      R"({"id":"msg_1","type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":4}})");
  EXPECT_FALSE(whole.broken || whole.error || whole.no_choices);
  const Usage expected{.input = 3, .output = 4};
  EXPECT_EQ(whole.usage, expected);
  const auto failed = read_reply(R"({"type":"error","error":{"type":"api_error","message":"x"},"request_id":"req_1"})");
  EXPECT_TRUE(failed.error);
  EXPECT_FALSE(failed.broken || failed.no_choices || failed.usage);
}

TEST(ReadError, reads_those_of_messages) {
  const auto error = read_error(
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":{"message":"no"}},"request_id":"r"})");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, "overloaded_error");
  EXPECT_EQ(error->message, "Overloaded");
  EXPECT_TRUE(error->code.empty() && error->param.empty());
  EXPECT_FALSE(error->status);
}

}  // namespace
}  // namespace tollgate::protocol::openai
