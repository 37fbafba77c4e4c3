// Streams of Anthropic's API and the chunks that they become, whole and cut at every offset: a delta that is lost or
// told twice where two reads meet would be seen by nobody else.
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/sse.hpp"

#include "golden/anthropic_answers.hpp"

namespace tollgate::test {
namespace {

using namespace protocol;
using anthropic::make_chat_stream;

/// All that comes of a stream.
struct Told {
  std::string out;
  std::optional<Usage> usage;
  std::optional<Thoughts> thoughts;
  std::string fault;
};

std::string text_of(const std::optional<Thoughts>& thoughts) {
  if (!thoughts) return "none";
  return Json(thoughts->calls).dump() + thoughts->blocks;
}

bool operator==(const Told& left, const Told& right) {
  return left.out == right.out && left.usage == right.usage && left.fault == right.fault &&
         text_of(left.thoughts) == text_of(right.thoughts);
}

/// The text comes in pieces that end at multiples of `piece` (0: whole), and at `cut`.
Told tell(const anthropic::ChatShape& shape, std::string_view text, std::size_t cut, std::size_t piece) {
  const auto stream = make_chat_stream(shape, answer_names);
  Told told;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = piece == 0 ? text.size() : std::min(text.size(), at + piece);
    if (at < cut && cut < end) end = cut;
    const std::string own(text.substr(at, end - at));
    stream->take(own, told.out);
    at = end;
  }
  EXPECT_FALSE(told.out.ends_with("[DONE]\n\n") && !stream->fault().empty());
  stream->end(told.out);
  told.usage = stream->usage();
  told.thoughts = stream->take_thoughts();
  EXPECT_FALSE(stream->take_thoughts());
  told.fault = stream->fault();
  return told;
}

std::string with_line_ends(const std::string& text, const std::string& line_end) {
  std::string changed;
  for (const char byte : text) byte == '\n' ? changed += line_end : changed += byte;
  return changed;
}

std::string stream_of(const Json& events) {
  std::string text;
  for (const Json& event : events) {
    if (event.is_object() && event.contains("type") && event["type"].is_string())
      text += "event: " + event["type"].get<std::string>() + "\n";
    text += "data: " + event.dump() + "\n\n";
  }
  return text;
}

/// The chunks without what all have in common; comments and the mark of the end as text.
Json chunks_of(const std::string& out) {
  Json chunks = Json::array();
  SseScanner scanner;
  for (std::string_view rest = out; !rest.empty();) {
    const std::size_t end = scanner.next_event_end(rest);
    EXPECT_NE(end, 0u) << "half an event: " << rest;
    if (end == 0) break;
    const std::string_view bytes = rest.substr(0, end);
    rest.remove_prefix(end);
    const SseEvent event = parse_sse_event(bytes);
    EXPECT_TRUE(event.name.empty());
    if (event.data_lines == 0 || event.data == "[DONE]") {
      chunks.push_back(event.data_lines == 0 ? std::string(bytes.substr(0, bytes.size() - 2)) : "[DONE]");
      continue;
    }
    EXPECT_EQ(event.data_lines, 1u);
    Json chunk = Json::parse(event.data);
    if (!chunk.contains("error")) {
      EXPECT_EQ(chunk["id"], "chatcmpl-r-1");
      EXPECT_EQ(chunk["object"], "chat.completion.chunk");
      EXPECT_EQ(chunk["created"], 1'700'000'000);
      EXPECT_EQ(chunk["model"], "claude-\"alias\"");
      for (const char* name : {"id", "object", "created", "model"}) chunk.erase(name);
    }
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

void expect_same_when_cut(const anthropic::ChatShape& shape, const std::string& text, const Told& whole, bool sparse) {
  const std::size_t step = sparse ? 997 : 1;
  for (std::size_t cut = 1; cut < text.size(); cut += step)
    ASSERT_TRUE(tell(shape, text, cut, 0) == whole) << "cut at " << cut;
  for (const std::size_t piece : {1, 2, 3, 7, 64})
    ASSERT_TRUE(tell(shape, text, 0, piece) == whole) << "in pieces of " << piece;
}

TEST(AnthropicStreams, become_the_chunks_of_the_golden_file_however_they_are_cut) {
  for (const Json& given : golden_cases("streams.jsonl")) {
    SCOPED_TRACE(given["id"].get<std::string>());
    const std::string text = given.contains("text") ? given["text"].get<std::string>() : stream_of(given["events"]);
    const auto shape = shape_of(given);
    const Told told = tell(shape, text, 0, 0);
    const Json chunks = chunks_of(told.out);
    EXPECT_TRUE(same_value(chunks, given["chunks"])) << chunks.dump() << "\n" << given["chunks"].dump();
    EXPECT_EQ(told.fault, given.value("fault", ""));
    EXPECT_EQ(told.out.ends_with("data: [DONE]\n\n"), given.value("complete", true));
    expect_thoughts(told.thoughts, given);
    expect_counted(told.usage, given);
    expect_same_when_cut(shape, text, told, given.value("sparse", false));
  }
}

TEST(AnthropicStreams, mean_the_same_with_every_line_end) {
  for (const Json& given : golden_cases("streams.jsonl")) {
    SCOPED_TRACE(given["id"].get<std::string>());
    if (!given.contains("events") || given.value("sparse", false)) continue;
    const auto shape = shape_of(given);
    const std::string text = stream_of(given["events"]);
    const Told told = tell(shape, text, 0, 0);
    for (const char* line_end : {"\r\n", "\r"}) {
      EXPECT_TRUE(tell(shape, with_line_ends(text, line_end), 0, 0) == told);
      EXPECT_TRUE(tell(shape, with_line_ends(text, line_end), 0, 1) == told);
    }
  }
}

/// What a client makes of the chunks.
Json gathered(const Json& chunks) {
  Json message{{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}};
  Json finish;
  const auto append = [](Json& into, const Json& piece) {
    into = (into.is_string() ? into.get<std::string>() : std::string()) + piece.get<std::string>();
  };
  const auto append_call = [&](const Json& piece) {
    Json& calls = message["tool_calls"];
    if (piece.contains("id")) {
      Json call = piece;
      call.erase("index");
      calls.push_back(call);
      return;
    }
    for (const char* kind : {"function", "custom"}) {
      if (!piece.contains(kind)) continue;
      for (const auto& [name, text] : piece[kind].items())
        append(calls[piece["index"].get<std::size_t>()][kind][name], text);
    }
  };
  for (const Json& chunk : chunks) {
    if (!chunk.is_object() || chunk["choices"].empty()) continue;
    const Json& choice = chunk["choices"][0];
    for (const auto& [name, value] : choice["delta"].items()) {
      if (name == "tool_calls")
        append_call(value[0]);
      else if (name == "annotations")
        for (const Json& one : value) message[name].push_back(one);
      else if (name != "role")
        append(message[name], value);
    }
    if (!choice["finish_reason"].is_null()) finish = choice["finish_reason"];
  }
  return Json::array({{{"index", 0}, {"message", message}, {"logprobs", nullptr}, {"finish_reason", finish}}});
}

/// A message as its provider would have streamed it.
Json events_of(const Json& message) {
  Json opening = message;
  opening["content"] = Json::array();
  opening["stop_reason"] = nullptr;
  Json events = Json::array({{{"type", "message_start"}, {"message", opening}}});
  std::size_t index = 0;
  const auto delta = [&](const char* type, const char* name, const Json& value) {
    events.push_back({{"type", "content_block_delta"}, {"index", index}, {"delta", {{"type", type}, {name, value}}}});
  };
  for (Json block : message["content"]) {
    const Json whole = block;
    if (block.is_object())
      for (const char* name : {"text", "thinking", "signature"})
        if (block.contains(name) && block[name].is_string()) block[name] = "";
    if (block.is_object() && block.contains("input") && block["input"].is_object()) block["input"] = Json::object();
    if (block.is_object() && block.contains("citations")) block["citations"] = Json::array();
    events.push_back({{"type", "content_block_start"}, {"index", index}, {"content_block", block}});
    if (whole.is_object()) {
      for (const char* name : {"thinking", "signature", "text"}) {
        if (!whole.contains(name) || !whole[name].is_string()) continue;
        delta((std::string(name) + "_delta").c_str(), name, whole[name]);
      }
      if (whole.contains("citations"))
        for (const Json& citation : whole["citations"]) delta("citations_delta", "citation", citation);
      if (whole.contains("input") && whole["input"].is_object() && !whole["input"].empty())
        delta("input_json_delta", "partial_json", whole["input"].dump());
    }
    events.push_back({{"type", "content_block_stop"}, {"index", index++}});
  }
  Json last{{"stop_reason", message["stop_reason"]}};
  if (message.contains("stop_details")) last["stop_details"] = message["stop_details"];
  events.push_back({{"type", "message_delta"}, {"delta", last}});
  events.push_back({{"type", "message_stop"}});
  return events;
}

TEST(AnthropicStreams, come_to_what_the_whole_message_becomes) {
  for (const Json& given : golden_cases("replies.jsonl")) {
    if (!given.contains("message")) continue;
    SCOPED_TRACE(given["id"].get<std::string>());
    const std::string text = stream_of(events_of(given["message"]));
    const Told told = tell(shape_of(given), text, 0, 0);
    Json expected = given["choices"];
    if (expected[0]["message"]["content"].is_null()) expected[0]["message"]["content"] = "";
    const Json choices = gathered(chunks_of(told.out));
    EXPECT_TRUE(same_value(choices, expected)) << choices.dump() << "\n" << expected.dump();
    expect_thoughts(told.thoughts, given);
    expect_counted(told.usage, given);
  }
}

TEST(AnthropicStreams, are_read_by_the_gateway_as_any_stream_of_chunks) {
  for (const Json& given : golden_cases("streams.jsonl")) {
    SCOPED_TRACE(given["id"].get<std::string>());
    if (!given.contains("shape") || !given["shape"].value("include_usage", false)) continue;
    const Told told = tell(shape_of(given), stream_of(given["events"]), 0, 0);
    std::optional<Usage> usage;
    std::string_view rest = told.out;
    for (SseScanner scanner; !rest.empty();) {
      const std::size_t end = scanner.next_event_end(rest);
      const SseEvent event = parse_sse_event(rest.substr(0, end));
      rest.remove_prefix(end);
      if (event.data_lines == 0) continue;
      const auto meaning = openai::read_chunk(openai::StreamKind::chat, event.name, event.data);
      EXPECT_FALSE(meaning.malformed);
      if (meaning.usage) merge(usage, *meaning.usage);
    }
    if (!told.usage || !told.out.ends_with("[DONE]\n\n")) continue;
    ASSERT_TRUE(usage);
    EXPECT_EQ(usage->input, told.usage->input);
    EXPECT_EQ(usage->cached_input, told.usage->cached_input);
    EXPECT_EQ(usage->cache_write, told.usage->cache_write + told.usage->cache_write_long);
    EXPECT_EQ(usage->output, told.usage->output);
    EXPECT_EQ(usage->reasoning, told.usage->reasoning);
  }
}

}  // namespace
}  // namespace tollgate::test
