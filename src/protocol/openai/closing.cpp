#include "tollgate/protocol/openai/closing.hpp"

#include "protocol/json_scan.hpp"
#include "protocol/same.hpp"

#include <algorithm>

namespace tollgate::protocol::openai {
namespace {

using json::Reader;

// More choices than any API gives.
constexpr std::uint64_t most_choices = 128;

/// The members that every chunk of a stream has in common, as they were written, each with a comma behind it.
std::string envelope_of(std::string_view chunk) {
  std::string members;
  Reader reader(chunk);
  if (!reader.enter_object()) return members;
  while (reader.next_member()) {
    const std::string key(reader.key());
    const std::string_view value = reader.take().text;
    if (value.empty()) break;
    if (same(key, "id") || same(key, "object") || same(key, "created") || same(key, "model") ||
        same(key, "system_fingerprint"))
      members.append("\"").append(key).append("\":").append(value).append(",");
  }
  return members;
}

std::string ended_choice(StreamKind kind, std::uint64_t index) {
  return "{\"index\":" + std::to_string(index) + (kind == StreamKind::chat ? R"(,"delta":{})" : R"(,"text":"")") +
         R"(,"logprobs":null,"finish_reason":"length"})";
}

std::string usage_member(const Usage& usage) {
  return R"("usage":{"prompt_tokens":)" + std::to_string(usage.input) + R"(,"completion_tokens":)" +
         std::to_string(usage.output) + R"(,"total_tokens":)" + std::to_string(usage.input + usage.output) + "}";
}

}  // namespace

bool can_be_closed(StreamKind kind) { return kind == StreamKind::chat || kind == StreamKind::completions; }

std::string closing_events(StreamKind kind, std::string_view last, std::uint64_t choices, const Usage* usage) {
  const std::string envelope = envelope_of(last);
  std::string events;
  for (std::uint64_t index = 0; index < std::clamp<std::uint64_t>(choices, 1, most_choices); ++index)
    events += "data: {" + envelope + "\"choices\":[" + ended_choice(kind, index) + "]}\n\n";
  if (usage) events += "data: {" + envelope + "\"choices\":[]," + usage_member(*usage) + "}\n\n";
  return events + "data: [DONE]\n\n";
}

}  // namespace tollgate::protocol::openai
