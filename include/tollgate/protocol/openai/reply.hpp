#pragma once
// What the gateway reads of answers: usage, errors, and what one stream event means. Bytes are only looked at.
#include "tollgate/protocol/usage_part.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::openai {

// Usage is read by name from OpenAI, Anthropic, Gemini (`usageMetadata`) and those who write like them; docs/usage.md
// lists name by name what becomes of it. What the counts mean together:
// - `prompt_tokens` is the whole prompt. `input_tokens` is so too (OpenAI), but where the cache is named as Anthropic
//   names it (`cache_read_input_tokens` and the like) it is without what was read from the cache or written there.
// - Reasoning is part of the output, unless the total is prompt + output + reasoning (xAI), or there is more of it than
//   of output, or it is Gemini's `thoughtsTokenCount`: then it is added. A total that is larger than prompt and output
//   where no reasoning is named (Gemini's compatible endpoint) is generated too, unless it is larger by the cached
//   part.
// - A write to the cache that is not said to last longer is of the shorter time.
// A report is believed whole or not at all. It is broken by a count that is negative, fractional, above 2^53 or no
// number, by two different counts under one meaning where neither is 0, and by parts that are larger than their whole.

/// What a whole JSON answer means; a text that is no JSON object means nothing.
struct ReplyMeaning {
  /// What the report says (top level, else of `response` or `x_groq` within), with the tier named in it or beside it;
  /// nothing where it is absent, null or broken, or names neither prompt nor output.
  std::optional<Usage> usage;
  bool error = false;       ///< a truthy top-level `error`, or `object` is "error"
  bool no_choices = false;  ///< `choices` is there and holds none
  bool broken = false;      ///< it is no JSON object, or not all of one; the rest says nothing then
};
ReplyMeaning read_reply(std::string_view json);

/// read_reply(json).usage
std::optional<Usage> read_usage(std::string_view json);

/// Which surface's stream this is: they differ in what ends a stream and what counts as content.
enum class StreamKind : std::uint8_t { chat, completions, responses, messages, opaque };

/// What one event of a stream means for relay and commit point (product.md, law 2).
struct ChunkMeaning {
  bool done = false;     ///< data is [DONE], the terminal event of /v1/responses, or message_stop
  bool content = false;  ///< text, refusal, reasoning, tool deltas, audio; anything but an opening event on responses;
                         ///< deltas of blocks and blocks that begin with something in them on messages; all data on
                         ///< opaque
  bool finish = false;   ///< some choice has a finish_reason, or the message a stop_reason
  bool error = false;    ///< a truthy top-level `error`, an `error`/`response.failed` event, or `object` is "error"
  bool usage_only = false;  ///< the extra chunk of include_usage: `choices` is [] and `usage` is an object, and nothing
                            ///< else is carried
  std::optional<UsagePart> usage;  ///< what this event reports; to be merged over what earlier ones did
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
