// Streams come in pieces that end anywhere, with any line end, so the scanner's state is all that joins two pieces; no
// byte is kept or looked at twice.
#include "tollgate/protocol/sse.hpp"

#include "protocol/byte_scan.hpp"

#include <string>

namespace tollgate::protocol {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Takes the first line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
  const char* const stop = find_line_end(rest.data(), rest.data() + rest.size());
  const auto length = static_cast<std::size_t>(stop - rest.data());
  const std::string_view line = rest.substr(0, length);
  const bool crlf = rest.substr(length, 2) == "\r\n";
  rest.remove_prefix(length == rest.size() ? length : length + (crlf ? 2 : 1));
  return line;
}

/// The value of a line of the given field, or nothing if it is another's. A line without a colon is a field with an
/// empty value.
bool read_field(std::string_view line, std::string_view name, std::string_view& value) {
  if (!line.starts_with(name)) return false;
  line.remove_prefix(name.size());
  if (!line.empty() && line.front() != ':') return false;
  if (!line.empty()) line.remove_prefix(1);
  if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  value = line;
  return true;
}

/// Calls `seen` with each line of the event but its empty ones.
template <class Seen>
void each_line(std::string_view event, Seen seen) {
  while (!event.empty()) {
    const std::string_view line = take_line(event);
    if (!line.empty()) seen(line);
  }
}

}  // namespace

std::size_t SseScanner::next_event_end(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && bom_ < byte_order_mark.size()) {
    if (bytes[at] == byte_order_mark[bom_]) {
      ++bom_;
      ++at;
      continue;
    }
    // Half a mark was no mark but the start of a line.
    if (bom_ != 0) line_empty_ = false, content_ = true;
    bom_ = byte_order_mark.size();
  }
  while (at < bytes.size()) {
    const char byte = bytes[at];
    const bool ends_crlf = after_cr_ && byte == '\n';
    after_cr_ = byte == '\r';
    if (ends_crlf) {
      ++at;
    } else if (byte == '\n' || byte == '\r') {
      ++at;
      if (line_empty_ && content_) {
        content_ = false;
        return at;
      }
      line_empty_ = true;
    } else {
      line_empty_ = false;
      content_ = true;
      const char* const stop = find_line_end(bytes.data() + at, bytes.data() + bytes.size());
      at = static_cast<std::size_t>(stop - bytes.data());
    }
  }
  return 0;
}

SseEvent parse_sse_event(std::string_view event) {
  SseEvent result;
  each_line(event, [&](std::string_view line) {
    std::string_view value;
    if (read_field(line, "data", value)) {
      if (result.data_lines++ == 0) result.data = value;
    } else {
      read_field(line, "event", result.name);
    }
  });
  return result;
}

std::string join_data(std::string_view event) {
  std::string joined;
  bool first = true;
  each_line(event, [&](std::string_view line) {
    std::string_view value;
    if (!read_field(line, "data", value)) return;
    if (!first) joined.push_back('\n');
    joined.append(value);
    first = false;
  });
  return joined;
}

}  // namespace tollgate::protocol
