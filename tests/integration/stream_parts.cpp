#include "stream_parts.hpp"

namespace tollgate::test {

std::vector<std::string> stream_corpus_events() {
  const auto ended = [](std::string text, const std::string& line_end) {
    std::string out;
    for (const char byte : text) out += byte == '\n' ? line_end : std::string(1, byte);
    return out;
  };
  return {
      "\xEF\xBB\xBF: a comment before all\n\n",
      role_event,
      ": ping\n\n",
      ended(token("Hello, "), "\r\n"),
      ended(token("wor"), "\r"),
      token("ld. "),
      delta(R"("reasoning_content":"let me think \u2026")"),
      delta(R"("reasoning":"and again")"),
      ": between\r\n\r\n",
      token("\u6f22\u5b57\u3068\u4eee\u540d\u3001\ud55c\uad6d\uc5b4"),
      token("\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u0939\u093f\u0928\u094d\u0926\u0940"),
      ended(token("\U0001F600\U0001F468\u200D\U0001F469\u200D\U0001F467 e\u0301"), "\r\n"),
      token("\\ud83d\\ude00 escaped \\\"quotes\\\" and \\\\"),
      // One event of several data lines: they belong together, joined by line feeds.
      "event: message\ndata: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"in "
      "lines\"},\ndata:\"finish_reason\":null}]}\n\n",
      delta(
          R"("tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}])"),
      delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Z\u00fcrich\"}"}}])"),
      "unknown: field\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\nretry: 10\n\n",
      "\n\n\n",
      ended(delta("", "tool_calls"), "\r\n"),
      done_event,
  };
}

std::string stream_corpus() {
  std::string all;
  for (const std::string& piece : stream_corpus_events()) all += piece;
  return all;
}

}  // namespace tollgate::test
