#pragma once
// W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/): how a call says which trace it belongs to.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol {

using TraceId = std::array<char, 32>;  ///< lower-case hex digits
using SpanId = std::array<char, 16>;

struct TraceContext {
  TraceId trace_id{};
  SpanId parent_id{};      ///< the span that called; zero bytes: none did
  std::uint8_t flags = 0;  ///< bit 0: sampled, bit 1: the id's last 56 bits are random
  std::string state;       ///< tracestate, as it came; may be empty
  /// Spans of our own are made in this trace, recorded or not: who is called next is called by one of those.
  bool own_spans = false;

  bool sampled() const { return (flags & 1) != 0; }
  bool has_parent() const { return parent_id[0] != 0; }
};

/// A `traceparent` of version 00, or the part of a later version that 00 knows; nothing where it is anything else:
/// upper case, zero ids, another size. Flags that level 2 does not know are cleared.
std::optional<TraceContext> parse_traceparent(std::string_view text);

/// "00-TRACE-SPAN-FLAGS": 55 bytes.
std::string show_traceparent(const TraceContext& trace, const SpanId& span);

/// Whether a tracestate may be passed on: printable ASCII, 512 bytes at most. What is in it is not ours to judge.
bool is_passable_tracestate(std::string_view text);

/// The ids that a UUID of version 7 in lower case stands for: the digits of all of it, and of its random last half. So
/// a request's id leads to its trace, and nothing has to be kept beside it.
TraceId trace_id_of(std::string_view uuid);
SpanId span_id_of(std::string_view uuid);

}  // namespace tollgate::protocol
