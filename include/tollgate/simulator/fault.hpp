#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tollgate::simulator {

/// One way a provider can go wrong. The names are a contract with configurations and tests; docs/simulator.md says what
/// each puts on the wire. An answer that is not a stream gets the nearest thing for the faults that speak of streams.
enum class Fault : std::uint8_t {
  rate_limit,            ///< 429, retry-after in seconds
  rate_limit_date,       ///< 429, retry-after as an HTTP date
  rate_limit_ms,         ///< 429, retry-after-ms
  rate_limit_plain,      ///< 429, no word on when
  quota,                 ///< 429 insufficient_quota
  error_500,             ///< JSON error
  error_502,             ///< HTML page, as an edge sends it
  error_503,             ///< JSON error
  error_529,             ///< JSON error
  unauthorized,          ///< 401 invalid_api_key
  payment_required,      ///< 402 billing_hard_limit_reached
  forbidden,             ///< 403 permission_denied
  bad_request,           ///< 400 context_length_exceeded
  hang_before_head,      ///< nothing, for ever
  hang_mid_stream,       ///< some tokens, then nothing, for ever
  reset_before_head,     ///< TCP reset
  reset_mid_stream,      ///< some tokens, then a TCP reset
  close_before_head,     ///< FIN without a byte
  close_before_content,  ///< head and role chunk, then FIN without the last chunk
  close_mid_stream,      ///< some tokens, then FIN without the last chunk
  end_without_done,      ///< finish chunk, no [DONE], body ends in order
  short_without_done,    ///< body ends in order in the middle, no finish_reason
  malformed_event,       ///< one event that is not JSON, mid stream
  error_event,           ///< an error frame mid stream, then the body ends in order
  error_first,           ///< an error frame as first event under 200
  role_then_hang,        ///< the role chunk, then nothing, for ever
  slow_bytes,            ///< one byte every millisecond, head included
  garbage_head,          ///< bytes that are not HTTP, then FIN
  wrong_length,          ///< content-length longer than the body, then FIN
  empty_choices          ///< 200 with choices []
};

/// The contract name, e.g. "rate_limit_ms".
std::string_view name_of(Fault fault);
/// The fault of that name; nothing if there is none.
std::optional<Fault> fault_named(std::string_view name);
/// Every fault, in the order above.
const std::vector<Fault>& all_faults();

}  // namespace tollgate::simulator
