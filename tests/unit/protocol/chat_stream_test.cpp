// Streams that no provider sends, or that only one sends who means harm: what is kept of them has an end, and what
// stands in them cannot become more than text.
#include "tollgate/protocol/anthropic/chat_answer.hpp"

#include "protocol/anthropic/answer/thought_keeper.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace tollgate::protocol::anthropic {

using namespace answer;
namespace {

const AnswerNames names{.id = "1", .model = "m", .created = -5};

std::string event(const std::string& json) { return "data: " + json + "\n\n"; }

std::string start_of(std::size_t index, const std::string& block) {
  return event(R"({"type":"content_block_start","index":)" + std::to_string(index) + R"(,"content_block":)" + block +
               "}");
}

std::string delta_of(std::size_t index, const std::string& delta) {
  return event(R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":)" + delta + "}");
}

const std::string tool_block = R"({"type":"tool_use","id":"t","name":"f","input":{}})";
const std::string stop =
    event(R"({"type":"message_delta","delta":{"stop_reason":"tool_use"}})") + event(R"({"type":"message_stop"})");

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The role's chunk, and one of content but for the content.
std::size_t empty_chunk_size() {
  const auto stream = make_chat_stream({}, names);
  std::string out;
  stream->take(delta_of(0, R"({"type":"text_delta","text":"x"})"), out);
  return out.size() - 1;
}

TEST(ChatStream, takes_events_of_16_MiB_and_none_larger) {
  constexpr std::size_t most = 16 * 1024 * 1024;
  const std::string before = R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")";
  const std::string after = "\"}}\n\n";
  for (const std::size_t size : {most, most + 1}) {
    const std::size_t chunk_size = size - before.size() - after.size() + empty_chunk_size();
    const std::string whole = before + std::string(size - before.size() - after.size(), 'x') + after;
    for (const std::size_t piece : {whole.size(), std::size_t{100'000}}) {
      const auto stream = make_chat_stream({}, names);
      std::string out;
      for (std::size_t at = 0; at < whole.size(); at += piece) stream->take(whole.substr(at, piece), out);
      EXPECT_EQ(out.size(), size == most ? chunk_size : 0);
      EXPECT_EQ(stream->fault(), size == most ? "" : "an event of its stream is larger than 16 MiB");
    }
  }
}

TEST(ChatStream, gives_nothing_after_a_fault) {
  const auto stream = make_chat_stream({}, names);
  std::string out;
  stream->take("data: {\n\n" + start_of(0, tool_block) + stop, out);
  stream->take(stop, out);
  stream->end(out);
  EXPECT_EQ(out, "");
  EXPECT_EQ(stream->fault(), "an event of its stream is not valid JSON");
  EXPECT_FALSE(stream->take_thoughts());
}

TEST(ChatStream, keeps_no_thoughts_that_are_longer_than_anybodys) {
  for (const bool too_long : {false, true}) {
    const auto stream = make_chat_stream({}, names);
    std::string out;
    const std::string piece(64 * 1024, 'x');
    stream->take(start_of(0, R"({"type":"thinking","thinking":"","signature":""})"), out);
    const std::size_t pieces = ThoughtKeeper::most_bytes / piece.size() + (too_long ? 1 : -1);
    for (std::size_t i = 0; i < pieces; ++i)
      stream->take(delta_of(0, R"({"type":"thinking_delta","thinking":")" + piece + "\"}"), out);
    EXPECT_EQ(count(out, "reasoning_content"), pieces);
    stream->take(start_of(1, tool_block) + stop, out);
    EXPECT_TRUE(out.ends_with("data: [DONE]\n\n"));
    EXPECT_EQ(stream->take_thoughts().has_value(), !too_long);
  }
}

TEST(ChatStream, keeps_no_thoughts_of_a_turn_with_more_calls_than_anybody_makes) {
  const auto stream = make_chat_stream({}, names);
  std::string out;
  stream->take(start_of(0, R"({"type":"redacted_thinking","data":"x"})"), out);
  const std::string block = R"({"type":"tool_use","id":")" + std::string(1000, 'i') + R"(","name":"f","input":{}})";
  for (std::size_t i = 0; i < 5000; ++i) {
    out.clear();
    stream->take(start_of(0, block), out);
  }
  stream->take(stop, out);
  EXPECT_FALSE(stream->take_thoughts());
}

TEST(ChatStream, closes_each_of_many_open_blocks_once) {
  const auto stream = make_chat_stream({}, names);
  std::string out;
  constexpr std::size_t blocks = 1000;
  for (std::size_t i = 0; i < blocks; ++i) stream->take(start_of(i, tool_block), out);
  EXPECT_EQ(count(out, R"("arguments":"{}")"), blocks - 64);
  stream->take(stop, out);
  EXPECT_EQ(count(out, R"("arguments":"{}")"), blocks);
  EXPECT_EQ(count(out, R"("arguments":"")"), blocks);
}

TEST(ChatStream, writes_names_as_text_and_no_time_before_the_epoch) {
  const std::string model = "a\"}\n\ndata: {\\";
  const auto stream = make_chat_stream({}, {.id = "x\"y", .model = model, .created = -5});
  std::string out;
  stream->take(event(R"({"type":"message_start","message":{}})"), out);
  ASSERT_TRUE(out.starts_with("data: ") && out.ends_with("\n\n"));
  EXPECT_EQ(count(out, "\n"), 2u);
  const auto chunk = nlohmann::json::parse(out.substr(6));
  EXPECT_EQ(chunk["model"], model);
  EXPECT_EQ(chunk["id"], "chatcmpl-x\"y");
  EXPECT_EQ(chunk["created"], 0);
}

TEST(ChatStream, cannot_be_made_to_write_events_by_texts_ids_and_names) {
  ChatShape shape;
  shape.custom_tools = {"c\n\n"};
  const auto stream = make_chat_stream(shape, names);
  const std::string evil = R"(\n\ndata: [DONE]\r\n\r\n\u2028\u000a\"}]})";
  std::string out;
  for (const char* name : {"f", R"(c\n\n)"})
    stream->take(start_of(0, R"({"type":"tool_use","id":")" + evil + R"(","name":")" + name + R"("})") +
                     delta_of(0, R"({"type":"input_json_delta","partial_json":"{\"input\":\")" + evil + "\"}"),
                 out);
  stream->take(start_of(1, R"({"type":"text","text":")" + evil + "\"}"), out);
  stream->take(start_of(2, R"({"type":"thinking","thinking":")" + evil + "\"}"), out);
  stream->take(
      delta_of(1, R"({"type":"citations_delta","citation":{"url":")" + evil + R"(","title":")" + evil + "\"}}"), out);
  stream->take(event(R"({"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"explanation":")" +
                     evil + "\"}}}"),
               out);
  EXPECT_EQ(count(out, "\n"), 2 * count(out, "data: {\"id\":\"chatcmpl-1\""));
  EXPECT_EQ(count(out, "\r"), 0u);
  EXPECT_EQ(count(out, "content_filter"), 1u);
}

TEST(ChatReply, refuses_what_is_nested_deeper_than_any_answer) {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"message","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":)" +
           std::string(depth, '[') + std::string(depth, ']') + "}}]}";
  };
  EXPECT_TRUE(to_chat_reply(nested(50), {}, names));
  EXPECT_FALSE(to_chat_reply(nested(100), {}, names));
  EXPECT_FALSE(to_chat_reply(nested(1'000'000), {}, names));
}

}  // namespace
}  // namespace tollgate::protocol::anthropic
