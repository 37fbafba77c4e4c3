#pragma once
// What the gateway reads of answers: usage, errors, and what one stream event means. Bytes are only looked at.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::openai {

/// Token counts as a provider reported them, under either naming (prompt/completion or input/output).
struct Usage {
  std::uint64_t input = 0;
  std::uint64_t cached_input = 0;
  std::uint64_t output = 0;
  std::uint64_t reasoning = 0;
};

/// What a whole JSON answer means; a text that is no JSON object means nothing.
struct ReplyMeaning {
  /// The `usage` object (top level, else of `response` or `x_groq` within), or nothing where it is absent, null or
  /// broken: any count that is negative, fractional, above 2^53 or no number, or no count at all.
  std::optional<Usage> usage;
  bool error = false;       ///< a truthy top-level `error`, or `object` is "error"
  bool no_choices = false;  ///< `choices` is there and holds none
  bool broken = false;      ///< it is no JSON object, or not all of one; the rest says nothing then
};
ReplyMeaning read_reply(std::string_view json);

/// read_reply(json).usage
std::optional<Usage> read_usage(std::string_view json);

/// Which surface's stream this is: they differ in what ends a stream and what counts as content.
enum class StreamKind : std::uint8_t { chat, completions, responses, opaque };

/// What one event of a stream means for relay and commit point (product.md, law 2).
struct ChunkMeaning {
  bool done = false;     ///< data is [DONE], or the terminal event of /v1/responses
  bool content = false;  ///< text, refusal, reasoning, tool deltas, audio; anything but an opening event on responses;
                         ///< all data on opaque
  bool finish = false;   ///< some choice has a finish_reason
  bool error = false;    ///< a truthy top-level `error`, an `error`/`response.failed` event, or `object` is "error"
  bool usage_only = false;  ///< the extra chunk of include_usage: `choices` is [] and `usage` is an object, and nothing
                            ///< else is carried
  std::optional<Usage> usage;
  bool malformed =
      false;  ///< data that is not one JSON value; nothing in it is believed, but its name may make it an error
};

/// Reads one event's data. `event_name` is the SSE event name, empty on chat. A heartbeat or comment (no data) has no
/// meaning at all.
ChunkMeaning read_chunk(StreamKind kind, std::string_view event_name, std::string_view data);

/// `error.message`, `.type`, `.code` and `.param` of an error body in any of the variants seen at compatible servers,
/// for log and status.
struct ErrorInfo {
  std::string message, type, code, param;
  std::optional<int> status;  ///< from a numeric code that is an HTTP status
};
std::optional<ErrorInfo> read_error(std::string_view json);

}  // namespace tollgate::protocol::openai
