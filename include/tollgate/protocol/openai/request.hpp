#pragma once
// What the gateway needs to know of a request body, found by one pass over the bytes where they lie, and the splices
// that change single values without touching any other byte.
#include "tollgate/base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::protocol::openai {

/// A run of bytes of the body.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool empty() const { return begin == end; }
};

/// The names by which a request limits its output, in the order of RequestScan::no_limits.
inline constexpr std::array<std::string_view, 3> output_limit_names = {"max_tokens", "max_completion_tokens",
                                                                       "max_output_tokens"};

/// Where a request names an output limit and sets none.
struct NoLimit {
  Span value = {};        ///< as written; empty: it is not named, or sets one
  bool negative = false;  ///< it is below zero, which some servers take for "no limit"; else it is null
};

/// The top level of a JSON request body. Spans are offsets into the scanned bytes, so they survive a move of the
/// buffer.
struct RequestScan {
  std::string model;  ///< decoded
  Span model_value;   ///< the value with its quotes; empty: the key is absent
  bool stream = false;
  bool stream_options_present = false;
  Span stream_options_value;          ///< the object (or null) as written
  std::optional<bool> include_usage;  ///< in stream_options
  Span include_usage_value;           ///< the value as written, where present
  bool stream_options_empty = false;  ///< `{}` or null: no member to keep
  std::size_t object_open = 0;        ///< offset just after the body's opening brace
  bool object_empty = false;          ///< `{}`: no member to put a comma before
  std::string task_type;              ///< metadata.task_type, decoded; empty: none
  Span task_type_member;  ///< where it is a string: what to cut out, the member with the one comma that goes with it
  bool store = false;
  std::optional<std::uint64_t>
      max_output;  ///< the larger of max_completion_tokens, max_tokens, max_output_tokens, where a whole number
  std::array<NoLimit, 3> no_limits;
  std::uint64_t choices = 1;  ///< `n`, where given and not null
  std::string end_user;       ///< safety_identifier, else user, decoded; empty: neither is a text
  std::string user_id;        ///< metadata.user_id, decoded: the end user of a message request; empty: none
  /// Decoded; empty: absent, no text, or longer than any tier's name (32 bytes as written).
  std::string service_tier;
  unsigned depth = 0;             ///< brackets that are open at once at most, the outermost included
  bool refers_elsewhere = false;  ///< previous_response_id or conversation: the prompt is more than this body
};

/// Scans a request body. Refused with bad_request (message and param say what and where): not one JSON object, a broken
/// or over 64-deep structure, bytes after it, a duplicate of any top-level key that the gateway acts on (also in an
/// escaped spelling, and in stream_options and metadata), one of these keys in another case (Go's decoder takes `Model`
/// for `model`; not in metadata), a wrong type for model, stream, stream_options or include_usage, an `n` or output
/// limit that is neither null nor a whole number (a limit below zero counts as none), invalid UTF-8 in the model or a
/// key. Strings are skipped 16 bytes and more at a time; nested values are checked for brackets, strings and stray
/// characters only.
Result<RequestScan> scan_request(std::string_view body);
/// The same into a scan that is as it was made; what a refused body leaves there means nothing.
Result<void> scan_request(std::string_view body, RequestScan& scan);

/// The body with some runs replaced: literal pieces in order, views into the body and into `owned`.
struct Splice {
  Span where;
  std::string text;
};

struct SpliceWishes {
  std::optional<std::string> model;  ///< the name to put in, if it differs from the scanned one
  bool inject_usage = false;         ///< stream_options.include_usage: true, where the stream has it not
  bool remove_task_type = false;
  /// One of output_limit_names and a limit, for a request that sets none by any of them. Where it says so by a value
  /// below zero, that one is replaced, by whatever name; a null only by the name given here.
  std::optional<std::pair<std::string_view, std::uint64_t>> max_output = std::nullopt;
};

/// The replacements that fulfil the wishes, sorted by place, none overlapping. Empty where nothing changes.
std::vector<Splice> plan_splices(const RequestScan& scan, const SpliceWishes& wishes);

/// The pieces of the spliced body in order, for a gather write. Views into `body` and `splices`, which must outlive
/// them.
std::vector<std::string_view> apply_splices(std::string_view body, const std::vector<Splice>& splices);

/// A JSON string literal, quotes included, of any UTF-8 text.
std::string quote(std::string_view text);

}  // namespace tollgate::protocol::openai
