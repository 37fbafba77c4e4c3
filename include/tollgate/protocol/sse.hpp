#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol {

/// Finds where events end in a text/event-stream that comes in pieces (WHATWG HTML, "Server-sent events"): lines end in
/// LF, CR or CRLF, an empty line ends an event, a byte-order mark may stand first. It looks at bytes and keeps none.
class SseScanner {
 public:
  /// Bytes from the start of `bytes` up to and including the end of the first event in it, or 0 where none ends there.
  /// Feed each byte once, in order: after a non-zero result go on with the rest; after 0 the whole input was scanned.
  /// A LF that completes a CRLF whose CR already ended an event is returned as part of the next event's bytes.
  std::size_t next_event_end(std::string_view bytes);

 private:
  bool line_empty_ = true;  ///< no byte seen yet on the current line
  bool after_cr_ = false;   ///< the last byte was a CR, so a LF now belongs to it
  bool content_ = false;    ///< the current event has at least one non-empty line
  std::uint8_t bom_ = 0;    ///< bytes of a leading byte-order mark seen; 3 and above: past the start
};

/// One event taken apart. `data` views the event where it has a single data line; several lines are not joined.
struct SseEvent {
  std::string_view name;         ///< of the `event:` field, or empty
  std::string_view data;         ///< the first data line's value
  std::uint32_t data_lines = 0;  ///< 0: comments or unknown fields only
};
/// Takes the bytes of one whole event (as SseScanner cut it) apart. A byte-order mark that begins the stream must be
/// off.
SseEvent parse_sse_event(std::string_view event);

/// The whole data of one event, without such a mark: the values of its data lines, joined by LF.
std::string join_data(std::string_view event);

}  // namespace tollgate::protocol
