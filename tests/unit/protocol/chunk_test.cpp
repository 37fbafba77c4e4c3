// One event's meaning decides commit point, fallback and metering. So each form that servers were seen to send has its
// row here, next to the forms that look like it and mean something else.
#include "tollgate/protocol/openai/reply.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::protocol::openai {

namespace {

/// The flags that are set, in words, and the usage.
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
  if (meaning.usage)
    add(true, ("usage=" + std::to_string(meaning.usage->input.value_or(0)) + "/" +
               std::to_string(meaning.usage->output.value_or(0)))
                  .c_str());
  return text;
}

std::string chat(const std::string& data) { return words(read_chunk(StreamKind::chat, {}, data)); }

std::string chat_delta(const std::string& delta, const std::string& finish = "null") {
  return chat(
      R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)" +
      delta + R"(,"logprobs":null,"finish_reason":)" + finish + R"(}],"usage":null,"obfuscation":"aB3"})");
}

struct Row {
  const char *data, *meaning;
};

TEST(ReadChunk, knows_content_from_openings) {
  const Row rows[] = {
      {R"({"role":"assistant","content":"","refusal":null})", ""},
      {R"({"role":"assistant"})", ""},
      {R"({"role":"assistant","content":null})", ""},
      {R"({})", ""},
      {"null", ""},
      {R"({"content":"Hello"})", "content"},
      {R"({"content":" "})", "content"},
      {R"({"content":"\n"})", "content"},
      {R"({"content":"你好"})", "content"},
      {R"({"content":[{"type":"thinking"}]})", "content"},
      {R"({"content":[]})", ""},
      {R"({"content":7})", ""},
      {R"({"refusal":"no"})", "content"},
      {R"({"reasoning_content":"hm"})", "content"},
      {R"({"reasoning_content":null,"content":""})", ""},
      {R"({"reasoning":"hm"})", "content"},
      {R"({"reasoning_details":[{"type":"reasoning.text","text":"hm"}]})", "content"},
      {R"({"tool_calls":[{"index":0,"id":"call_1","function":{"name":"f","arguments":""}}]})", "content"},
      {R"({"role":"assistant","content":"","tool_calls":[]})", ""},
      {R"({"tool_calls":null})", ""},
      {R"({"function_call":{"name":"f"}})", "content"},
      {R"({"function_call":null})", ""},
      {R"({"audio":{"id":"a","data":"AA=="}})", "content"},
      {R"({"unknown":{"content":"x"}})", ""},
      {R"({"c\u006fntent":"x"})", "content"},
  };
  for (const auto& [delta, meaning] : rows) EXPECT_EQ(chat_delta(delta), meaning) << delta;
}

TEST(ReadChunk, sees_the_end_of_a_choice) {
  EXPECT_EQ(chat_delta("{}", R"("stop")"), "finish");
  EXPECT_EQ(chat_delta("{}", R"("tool_calls")"), "finish");
  EXPECT_EQ(chat_delta("{}", R"("")"), "");
  EXPECT_EQ(chat_delta(R"({"content":"."})", R"("length")"), "content finish");
  EXPECT_EQ(chat(R"({"choices":[{"delta":{},"finish_reason":null},{"delta":{},"finish_reason":"stop"}]})"), "finish");
}

TEST(ReadChunk, knows_the_extra_usage_chunk_from_its_look_alikes) {
  const Row rows[] = {
      {R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})", "usage_only usage=5/7"},
      {R"({"usage":{"prompt_tokens":5,"completion_tokens":7},"id":"x","object":"chat.completion.chunk","choices":[ ]})",
       "usage_only usage=5/7"},
      {R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7},"timings":{"predicted_ms":1},"system_fingerprint":"b1"})",
       "usage_only usage=5/7"},
      {R"({"choices":[],"usage":{}})", "usage_only"},
      {R"({"choices":[],"usage":null})", ""},
      {R"({"choices":[]})", ""},
      {R"({"usage":{"prompt_tokens":5,"completion_tokens":7}})", "usage=5/7"},
      {R"({"choices":null,"usage":{"prompt_tokens":5}})", "usage=5/0"},
      {R"({"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]})", ""},
      {R"({"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":{"prompt_tokens":5}})", "usage=5/0"},
      {R"({"choices":[],"prompt_filter_results":[],"usage":{"prompt_tokens":5}})", "usage_only usage=5/0"},
      {R"({"choices":[],"moderation":{"x":1},"usage":{"prompt_tokens":5}})", "usage=5/0"},
      {R"({"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":7}})",
       "finish usage=5/7"},
      {R"({"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}})",
       "content usage=5/1"},
      {R"({"choices":[],"usage":{"prompt_tokens":5},"error":{"message":"x"}})", "error usage=5/0"},
      {R"({"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":4}}]})",
       "finish usage=3/4"},
      {R"({"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}})",
       "finish usage=3/4"},
      {R"({"choices":[],"x_groq":{"usage":{"prompt_tokens":1}},"usage":{"prompt_tokens":3,"completion_tokens":4}})",
       "usage_only usage=3/4"},
      {R"({"choices":[],"usage":{"prompt_tokens":-1}})", "usage_only"},
  };
  for (const auto& [data, meaning] : rows) EXPECT_EQ(chat(data), meaning) << data;
}

TEST(ReadChunk, sees_errors_but_not_empty_ones) {
  const Row rows[] = {
      {R"({"error":{"message":"overloaded","type":"server_error"}})", "error"},
      {R"({"error":"text"})", "error"},
      {R"({"error":true})", "error"},
      {R"({"error":null,"choices":[{"delta":{"content":"x"}}]})", "content"},
      {R"({"error":false})", ""},
      {R"({"error":""})", ""},
      {R"({"error":0})", ""},
      {R"({"error":{}})", ""},
      {R"({"id":"g","choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"down"}})",
       "finish error"},
      {R"({"object":"error","message":"too long","type":"BadRequestError","code":400})", "error"},
      {R"({"choices":[{"delta":{"error":{"message":"x"}}}]})", ""},
  };
  for (const auto& [data, meaning] : rows) EXPECT_EQ(chat(data), meaning) << data;
  EXPECT_EQ(words(read_chunk(StreamKind::chat, "error", R"({"message":"flat"})")), "error");
  EXPECT_EQ(words(read_chunk(StreamKind::chat, "error", "plain text")), "error malformed");
}

TEST(ReadChunk, knows_the_done_mark) {
  for (const char* data : {"[DONE]", "[DONE] ", "[DONE]\t "}) {
    EXPECT_EQ(chat(data), "done");
    EXPECT_EQ(words(read_chunk(StreamKind::opaque, {}, data)), "done");
    EXPECT_EQ(words(read_chunk(StreamKind::responses, {}, data)), "done");
  }
  EXPECT_EQ(chat("[DONE]x"), "malformed");
  EXPECT_EQ(chat(R"("[DONE]")"), "");
}

TEST(ReadChunk, calls_broken_json_malformed_and_believes_nothing_in_it) {
  for (const char* data :
       {"", "{", R"({"choices":[{"delta":{"content":"x"}}])", R"({"choices":[{"delta":{"content":"x"}}]} {})",
        R"({"choices":[{"delta":{"content":"x"}}],})", "<html>", "NaN", "{\"a\":\"\n\"}",
        R"({"usage":{"prompt_tokens":})"}) {
    EXPECT_EQ(chat(data), "malformed") << data;
  }
  for (const char* data : {"null", "7", "\"x\"", "[]", "[1,2]", "{}", " {} "}) EXPECT_EQ(chat(data), "") << data;
}

TEST(ReadChunk, survives_members_of_the_wrong_kind) {
  for (const char* data : {R"({"choices":{}})", R"({"choices":[7,null,"x",[]]})", R"({"choices":[{"delta":[]}]})",
                           R"({"choices":[{"delta":"x"}]})", R"({"usage":7})", R"({"usage":[]})",
                           R"({"response":7,"x_groq":[]})", R"({"type":{}})"}) {
    EXPECT_EQ(chat(data), "") << data;
  }
}

TEST(ReadChunk, reads_the_older_completions_stream) {
  const auto completions = [](const char* data) { return words(read_chunk(StreamKind::completions, {}, data)); };
  EXPECT_EQ(completions(R"({"object":"text_completion","choices":[{"text":"x","index":0,"finish_reason":null}]})"),
            "content");
  EXPECT_EQ(completions(R"({"choices":[{"text":"","index":0,"finish_reason":null}]})"), "");
  EXPECT_EQ(completions(R"({"choices":[{"text":"","index":0,"finish_reason":"stop"}]})"), "finish");
  EXPECT_EQ(completions(R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}})"), "usage_only usage=1/2");
}

TEST(ReadChunk, reads_the_events_of_responses) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"type":"response.created","response":{"id":"r","usage":null,"error":null}})", ""},
      {R"({"type":"response.queued"})", ""},
      {R"({"type":"response.in_progress"})", ""},
      {R"({"type":"keepalive","sequence_number":3})", ""},
      {R"({"type":"response.output_text.delta","delta":"x"})", "content"},
      {R"({"type":"response.reasoning_summary_text.delta","delta":"x"})", "content"},
      {R"({"type":"response.function_call_arguments.delta","delta":"{"})", "content"},
      {R"({"type":"response.something_new"})", "content"},
      {R"({"type":"response.completed","response":{"usage":{"input_tokens":5,"output_tokens":7}}})",
       "done content usage=5/7"},
      {R"({"type":"response.incomplete","response":{"usage":{"input_tokens":5,"output_tokens":7}}})",
       "done content usage=5/7"},
      {R"({"type":"response.failed","response":{"error":{"code":"server_error","message":"x"},"usage":null}})",
       "done error"},
      {R"({"type":"error","code":"x","message":"flat","param":null})", "error"},
      {R"({"type":"error","error":{"type":"server_error","message":"nested"}})", "error"},
  };
  for (const auto& [data, meaning] : rows)
    EXPECT_EQ(words(read_chunk(StreamKind::responses, {}, data)), meaning) << data;
  EXPECT_EQ(words(read_chunk(StreamKind::responses, "response.created", "{}")), "");
  EXPECT_EQ(words(read_chunk(StreamKind::responses, "response.completed", "{}")), "done content");
  EXPECT_EQ(words(read_chunk(StreamKind::responses, "error", R"({"code":"x"})")), "error");
}

TEST(ReadChunk, takes_all_data_of_an_unknown_stream_for_content) {
  const auto opaque = [](const char* data) { return words(read_chunk(StreamKind::opaque, {}, data)); };
  EXPECT_EQ(opaque("{}"), "content");
  EXPECT_EQ(opaque(R"({"type":"image_generation.completed","usage":{"input_tokens":1,"output_tokens":2}})"),
            "content usage=1/2");
  EXPECT_EQ(opaque(R"({"error":{"message":"x"}})"), "error");
  EXPECT_EQ(opaque("plain text"), "content malformed");
  EXPECT_EQ(words(read_chunk(StreamKind::opaque, "error", "plain text")), "error malformed");
}

}  // namespace
}  // namespace tollgate::protocol::openai
