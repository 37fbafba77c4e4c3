// Whatever a provider of Anthropic's protocol sends, however it is cut: a client of the chat API gets whole events that
// are valid JSON, no more of them than there is reason for, and counts that can be.
#include "tollgate/protocol/anthropic/chat_answer.hpp"

#include "protocol/json_pick.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace {

using namespace tollgate::protocol;
using namespace tollgate::protocol::anthropic;

const AnswerNames names{.id = "1", .model = "m", .created = 1};

void require(bool condition) {
  if (!condition) __builtin_trap();
}

/// The first byte says under what terms; all names are short, so that they are hit.
ChatShape shape_of(std::uint8_t terms) {
  ChatShape shape;
  shape.include_usage = (terms & 1) != 0;
  shape.bare_json = (terms & 2) != 0;
  if ((terms & 4) != 0) shape.answer_tool = "a";
  if ((terms & 8) != 0) shape.custom_tools = {"c"};
  return shape;
}

struct Told {
  std::string out, fault, thoughts;
  std::optional<Usage> usage;
  bool operator==(const Told&) const = default;
};

void check_thoughts(const Thoughts& thoughts) {
  require(!thoughts.calls.empty() && !thoughts.blocks.empty());
  require(json::is_valid("[" + thoughts.blocks + "]"));
}

/// Pieces of `most` bytes, or of any number up to it where `chance` is given.
Told tell(const ChatShape& shape, std::string_view text, std::size_t most, std::minstd_rand* chance) {
  const auto stream = make_chat_stream(shape, names);
  Told told;
  while (!text.empty()) {
    const std::size_t size = std::min(text.size(), chance ? 1 + (*chance)() % most : most);
    const std::string piece(text.substr(0, size));  // of its own, so that reading beyond it is found
    text.remove_prefix(size);
    stream->take(piece, told.out);
  }
  stream->end(told.out);
  told.usage = stream->usage();
  told.fault = stream->fault();
  if (const auto thoughts = stream->take_thoughts()) {
    check_thoughts(*thoughts);
    for (const std::string& call : thoughts->calls) told.thoughts += call + "\n";
    told.thoughts += thoughts->blocks;
  }
  return told;
}

void check_usage(const std::optional<Usage>& usage) {
  if (!usage) return;
  constexpr std::uint64_t most = std::uint64_t{1} << 56;
  require(usage->input <= most && usage->output <= most && usage->searches <= most);
  require(usage->cached_input + usage->cache_write + usage->cache_write_long <= usage->input);
  require(usage->reasoning <= usage->output);
}

/// Comments and data lines, each with its empty line; nothing behind the end.
void check_events(std::string_view out) {
  bool over = false;
  while (!out.empty()) {
    require(!over);
    const std::size_t end = out.find("\n\n");
    require(end != out.npos);
    const std::string_view event = out.substr(0, end);
    out.remove_prefix(end + 2);
    if (event == ": ping") continue;
    require(event.starts_with("data: ") && event.find_first_of("\r\n") == event.npos);
    const std::string_view data = event.substr(6);
    over = data == "[DONE]" || data.starts_with(R"({"error":)");
    require(data == "[DONE]" || nlohmann::json::accept(data));
  }
}

void check_whole(std::string_view text, const ChatShape& shape) {
  const auto error = to_chat_error(static_cast<std::uint16_t>(text.size() % 700), text);
  require(error.status >= 400 && error.status < 600 && nlohmann::json::accept(error.body));
  const auto reply = to_chat_reply(text, shape, names);
  if (!reply) return;
  require(nlohmann::json::accept(reply->body));
  check_usage(reply->usage);
  if (reply->thoughts) check_thoughts(*reply->thoughts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const ChatShape shape = shape_of(bytes[0]);
  std::minstd_rand chance(bytes[1]);
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  const Told whole = tell(shape, text, size, nullptr);
  check_events(whole.out);
  check_usage(whole.usage);
  require(whole.out.size() <= 64 * size + 4096);
  require(tell(shape, text, 1, nullptr) == whole);
  require(tell(shape, text, 40, &chance) == whole);
  check_whole(text, shape);
  return 0;
}
