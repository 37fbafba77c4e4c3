#pragma once
#include <string>
#include <vector>

/// The pieces that streams in these tests are made of.
namespace tollgate::test {

inline std::string event(const std::string& data) { return "data: " + data + "\n\n"; }

/// A chunk of one choice with this delta (the inside of the object) and, where given, a finish_reason.
inline std::string delta(const std::string& inside, const std::string& finish = {}) {
  return event(
      R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{)" +
      inside + R"(},"finish_reason":)" + (finish.empty() ? "null" : "\"" + finish + "\"") + "}]}");
}

inline std::string token(const std::string& text) { return delta(R"("content":")" + text + "\""); }

inline const std::string role_event = delta(R"("role":"assistant","content":"")");
inline const std::string finish_event = delta("", "stop");
inline const std::string usage_event = event(
    R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}})");
inline const std::string done_event = event("[DONE]");

/// One of everything that a stream may hold: every line end, comments, a byte order mark, data of several lines,
/// unnamed and unknown fields, several scripts, and what tools and reasoning send. Two to three KB, without a usage
/// chunk.
std::string stream_corpus();
/// The same, a piece per event.
std::vector<std::string> stream_corpus_events();

}  // namespace tollgate::test
