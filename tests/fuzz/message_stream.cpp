// Whatever a chat provider streams, cut wherever: the same events come of it, each valid JSON under its own name,
// blocks one after the other, opened and closed once, and an end only after all of them.
#include "tollgate/protocol/anthropic/to_chat.hpp"

#include "protocol/json_pick.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace tollgate::protocol;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

struct Told {
  std::string events, fault;
  std::optional<Usage> usage;
  bool operator==(const Told&) const = default;
};

/// In pieces of so many bytes.
Told translate(std::string_view stream, std::size_t piece) {
  const auto translator = anthropic::make_message_stream({.id = "a", .model = "m\""});
  Told told;
  while (!stream.empty()) {
    translator->take(stream.substr(0, piece), told.events);
    stream.remove_prefix(std::min(piece, stream.size()));
  }
  translator->end(told.events);
  told.fault = translator->fault();
  told.usage = translator->usage();
  return told;
}

/// Follows the events of one stream.
class Follower {
 public:
  void see(std::string_view name, std::string_view data) {
    require(json::is_valid(data));
    const auto [type, index] = json::pick<2>(data, {"type", "index"});
    require(type.text == "\"" + std::string(name) + "\"");
    require(!ended_);
    if (name == "message_start") require(!std::exchange(started_, true));
    if (name == "content_block_start") {
      require(started_ && !open_ && index.text == std::to_string(next_));
      open_ = true;
    }
    if (name == "content_block_delta") require(open_ && index.text == std::to_string(next_));
    if (name == "content_block_stop") {
      require(open_ && index.text == std::to_string(next_));
      open_ = false;
      ++next_;
    }
    if (name == "message_delta") require(started_ && !open_ && !std::exchange(finished_, true));
    if (name == "message_stop" || name == "error") ended_ = true;
    if (name == "message_stop") require(finished_);
  }

 private:
  bool started_ = false, open_ = false, finished_ = false, ended_ = false;
  std::size_t next_ = 0;
};

void check_events(std::string_view events) {
  Follower follower;
  while (!events.empty()) {
    const std::size_t end = events.find("\n\n");
    require(end != events.npos);
    std::string_view event = events.substr(0, end);
    events.remove_prefix(end + 2);
    require(event.starts_with("event: "));
    event.remove_prefix(7);
    const std::size_t line = event.find("\ndata: ");
    require(line != event.npos && event.find('\n', line + 1) == event.npos && event.find('\r') == event.npos);
    follower.see(event.substr(0, line), event.substr(line + 7));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const Told whole = translate(stream, size);
  check_events(whole.events);
  // An event of a few bytes becomes one of the client's, or several where it ends what was held.
  require(whole.events.size() <= 200 * size + 4096);
  if (whole.usage) {
    constexpr std::uint64_t most = std::uint64_t{1} << 56;
    require(whole.usage->input <= most && whole.usage->output <= most);
  }
  require(translate(stream, 1) == whole);
  require(translate(stream, bytes[0] % 61 + 2u) == whole);
  return 0;
}
