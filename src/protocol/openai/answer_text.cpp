#include "tollgate/protocol/openai/answer_text.hpp"

#include "protocol/json_scan.hpp"
#include "protocol/json_text.hpp"
#include "protocol/same.hpp"

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;

// Deeper than any answer's words lie: choices, choice, message, tool_calls, call, function.
constexpr int deepest = 8;

bool holds_words(std::string_view key) {
  return same(key, "content") || same(key, "text") || same(key, "refusal") || same(key, "reasoning") ||
         same(key, "reasoning_content") || same(key, "arguments");
}

bool leads_to_words(std::string_view key) {
  return same(key, "choices") || same(key, "message") || same(key, "tool_calls") || same(key, "function") ||
         same(key, "content");
}

void collect(Reader& reader, std::string& words, int depth);

void collect_member(Reader& reader, std::string& words, int depth) {
  const std::string key(reader.key());
  if (reader.peek() == Kind::string) {
    const auto value = reader.take();
    if (holds_words(key)) words += json::decode_lossy(value.inside());
  } else if (leads_to_words(key)) {
    collect(reader, words, depth + 1);
  } else {
    reader.take();
  }
}

void collect(Reader& reader, std::string& words, int depth) {
  if (depth > deepest) {
    reader.take();
  } else if (reader.enter_object()) {
    while (reader.next_member()) collect_member(reader, words, depth);
  } else if (reader.enter_array()) {
    while (reader.next_element()) collect(reader, words, depth + 1);
  } else {
    reader.take();
  }
}

}  // namespace

std::string answer_text(std::string_view json) {
  std::string words;
  Reader reader(json);
  if (reader.peek() == Kind::object) collect(reader, words, 0);
  return reader.finish() ? words : std::string();
}

}  // namespace tollgate::protocol::openai
