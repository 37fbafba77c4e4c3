// However a stream is cut, the same bytes make the same events, and they are those that the standard's own algorithm,
// line by line, finds in the whole.
#include "tollgate/protocol/sse.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace tollgate::protocol;

/// Ends of the events when the text comes in pieces of the given length (0: whole).
std::vector<std::size_t> event_ends(std::string_view text, std::size_t piece) {
  SseScanner scanner;
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t stop = piece == 0 ? text.size() : std::min(text.size(), at - at % piece + piece);
    const std::size_t length = scanner.next_event_end(text.substr(at, stop - at));
    if (length > stop - at) __builtin_trap();
    at = length == 0 ? stop : at + length;
    if (length != 0) ends.push_back(at);
  }
  return ends;
}

bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_event(std::string_view bytes) {
  const SseEvent event = parse_sse_event(bytes);
  if (!lies_within(event.data, bytes) || !lies_within(event.name, bytes)) __builtin_trap();
  const std::string joined = join_data(bytes);
  if (event.data_lines == 1 && joined != event.data) __builtin_trap();
  if (event.data_lines == 0 && !joined.empty()) __builtin_trap();
  if (!std::string_view(joined).starts_with(event.data)) __builtin_trap();
}

/// One event as a client dispatches it.
struct Dispatched {
  std::string name, data;
  bool operator==(const Dispatched&) const = default;
};

/// WHATWG HTML, 9.2.6, as it is written there. An event without data is none.
std::vector<Dispatched> by_the_standard(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  std::vector<Dispatched> events;
  std::string name, data;
  bool any = false;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find_first_of("\r\n", at);
    if (end == std::string::npos) return events;
    const std::string line = text.substr(at, end - at);
    at = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
    if (line.empty()) {
      if (any) events.push_back({name, data.substr(0, data.size() - 1)});
      name.clear(), data.clear();
      any = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    const std::string field = line.substr(0, colon);
    if (field == "event") name = value;
    if (field == "data") data += value + '\n', any = true;
  }
}

std::vector<Dispatched> by_the_gateway(std::string_view text, const std::vector<std::size_t>& ends) {
  std::vector<Dispatched> events;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    std::string_view bytes = text.substr(begin, end - begin);
    if (begin == 0 && bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    const SseEvent event = parse_sse_event(bytes);
    if (event.data_lines > 0) events.push_back({std::string(event.name), join_data(bytes)});
    begin = end;
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto ends = event_ends(text, 0);
  for (const std::size_t piece : {1, 2, 3, 7, 64}) {
    if (event_ends(text, piece) != ends) __builtin_trap();
  }
  if (by_the_gateway(text, ends) != by_the_standard(std::string(text))) __builtin_trap();
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    check_event(text.substr(begin, end - begin));
    begin = end;
  }
  check_event(text.substr(begin));
  return 0;
}
