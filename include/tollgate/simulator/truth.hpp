#pragma once
#include "tollgate/base/clock.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::simulator {

/// What really happened to one request, written when it is over. The accounting of whoever sits in front is checked
/// against this. Counts speak of what the kernel took, not of what the peer read.
struct TruthEntry {
  std::uint64_t ordinal = 0;      ///< order of arrival, from 1
  std::string client_request_id;  ///< x-client-request-id, the caller's attempt id; may be empty
  std::string credential;         ///< "none", or the first 8 hex digits of its SHA-256
  std::string method;
  std::string endpoint;  ///< path without query
  std::string model;     ///< as requested
  bool stream = false;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t completion_tokens = 0;  ///< sent; 0 for a whole answer of which only a part went out
  std::uint64_t reasoning_tokens = 0;   ///< of completion_tokens
  std::uint64_t cache_read_tokens = 0;  ///< of prompt_tokens, as are the two that follow
  std::uint64_t cache_write_5m_tokens = 0;
  std::uint64_t cache_write_1h_tokens = 0;
  std::uint64_t bytes_sent = 0;  ///< head and framing included, TLS not
  unsigned status = 0;           ///< 0: no head was sent
  /// The fault that was planned, or why it was refused before: "wrong_credential", "over_limit"; empty for none.
  std::string fault;
  /// "complete", what `fault` says, "client_gone", "stopped" (this server was), "internal_error". For "client_gone",
  /// completion_tokens says after how many tokens.
  std::string ended;
  SystemTime at{};          ///< request read in full
  SteadyTime received{};    ///< the same moment
  SteadyTime first_byte{};  ///< first byte of the answer handed over; epoch: none was
  SteadyTime finished{};    ///< end; for client_gone the moment the closing was seen
};

/// One line of JSON without the line feed. Times are in microseconds: `at_us` since 1970, the others after `at_us`.
std::string to_json_line(const TruthEntry& entry);

/// Sums over finished requests.
struct Tally {
  std::uint64_t requests = 0;
  std::map<std::string, std::uint64_t> outcomes;  ///< by TruthEntry::ended
  std::map<std::string, std::uint64_t> faults;    ///< by TruthEntry::fault, where there was one
  std::map<unsigned, std::uint64_t> statuses;     ///< 0: no head was sent
  std::uint64_t prompt_tokens = 0;
  std::uint64_t completion_tokens = 0;
  void add(const TruthEntry& entry);
};

/// The truth in numbers, those entries included that the truth log has forgotten.
struct Stats {
  Tally all;
  std::map<std::string, Tally> by_credential;  ///< the first 10,000; "others" for any more
  void add(const TruthEntry& entry);
};

/// A request as it arrived, for tests that look at what a gateway sends upstream.
struct ReceivedRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;  ///< in order, names as spelled
  std::string body;
  std::uint64_t connection = 0;  ///< which accepted connection, from 1
};

}  // namespace tollgate::simulator
