#pragma once
// What is known of one request when it is over: the one source of its access-log line and its metrics.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/ids.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/policy/attempt_plan.hpp"
#include "tollgate/protocol/trace_context.hpp"
#include "tollgate/protocol/usage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::pipeline {

/// How a request ended, for the `outcome` label: a closed list (product.md, section 11).
enum class Outcome : std::uint8_t {
  ok,
  client_error,
  limited,
  upstream_error,
  timeout,
  truncated,
  cancelled,
  internal
};
std::string_view name_of(Outcome outcome);

/// Which side ended it.
enum class EndedBy : std::uint8_t { nobody, client, upstream, gateway };
std::string_view name_of(EndedBy side);

/// Where a request was when it ended, or which timer ran out.
enum class Phase : std::uint8_t { head, body, route, queue, connect, send, first_byte, first_token, relay, done };
std::string_view name_of(Phase phase);

/// Why what an attempt has cost brought the client nothing: a closed list, the `reason` of
/// tollgate_wasted_cost_usd_total.
enum class Waste : std::uint8_t {
  none,
  retry,      ///< the same target was asked again
  fallback,   ///< another target was asked after it
  hedge,      ///< another attempt beside it was faster
  truncated,  ///< it broke after content had gone out
  abandoned   ///< the client left
};
std::string_view name_of(Waste waste);

struct AttemptRecord {
  std::string_view target;      ///< "provider/name" as configured
  std::string_view credential;  ///< its configured name, or empty
  std::string_view model;       ///< the configured model that was asked
  Outcome outcome = Outcome::ok;
  policy::Reason reason = policy::Reason::primary;  ///< why it was asked
  Uuid id;                                          ///< what the upstream was sent as x-client-request-id
  bool reused = false;                              ///< went out on a pooled connection
  std::optional<protocol::Usage> usage;             ///< what its provider said, or an estimate
  bool estimated = false;                           ///< `usage` is one
  std::optional<Money> cost;                        ///< once settled; nothing: it has no price
  Waste waste = Waste::none;
  bool replayed = false;      ///< a stale pooled connection died first and the request went out again on a fresh one
  Micros began{0}, ended{0};  ///< since the first byte of the request's head
};

/// Filled in as the request goes on; complete once the last byte has left or the client is gone. One worker, one
/// request. Names are views into the configuration that the request has pinned, ids into the session's request: a copy
/// of each would cost more than the rest of the record.
struct RequestRecord {
  std::string_view request_id;
  std::string_view client_request_id;  ///< the client's own, checked and bounded; empty: none
  std::string upstream_request_id;     ///< the provider's x-request-id, checked and bounded
  std::string_view method;             ///< a literal: "GET", "POST", ..., or "other"
  std::string_view endpoint;           ///< the route table's own path, or "other"
  std::string_view tenant, key;        ///< configured names; empty where nobody was recognised
  std::string_view priority;           ///< that it was given, a literal; empty: it asked for none
  std::string limit;                   ///< which limit turned the request away: "tenant_requests"; empty: none
  std::string_view route, task;        ///< configured names; empty where none applies
  std::string_view model;              ///< the configured model that answered; empty where none applies
  std::string_view target;             ///< "provider/name"; empty where none applies
  std::uint16_t status = 0;            ///< what the client was sent; 499 where it left before
  Outcome outcome = Outcome::ok;
  EndedBy ended_by = EndedBy::nobody;
  Phase phase = Phase::head;
  std::string error_code;  ///< the envelope's code, where an error was sent
  bool stream = false;
  std::optional<protocol::Usage> usage;       ///< of the answer: what its provider said, or an estimate
  bool estimated = false;                     ///< `usage` is one
  std::optional<Money> cost;                  ///< of all attempts; nothing: none had a price, or none was made
  Money wasted;                               ///< of that: what brought no answer
  bool unpriced = false;                      ///< some attempt had no price
  std::uint64_t bytes_in = 0, bytes_out = 0;  ///< bodies, without framing
  std::vector<AttemptRecord> attempts;
  std::optional<protocol::TraceContext> trace;  ///< that it belongs to; nothing where nobody asks
  SystemTime began_at;
  Micros duration{0};                 ///< first byte of the head to the last byte of the answer
  std::optional<Micros> first_token;  ///< first byte of the head to the first content sent (streams)
  Micros waited_for_upstream{0};      ///< time in which only the upstream could go on
  Micros overhead() const { return duration > waited_for_upstream ? duration - waited_for_upstream : Micros{0}; }
};

}  // namespace tollgate::pipeline
