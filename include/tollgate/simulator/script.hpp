#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/simulator/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::simulator {

/// What one request asks of the simulator beyond its settings. What is not set comes from the level below: settings,
/// model name, `x-simulator` header, script, each over the one before.
struct Steering {
  std::optional<Fault> fault;
  bool no_fault = false;                     ///< `fault=none`: not even one that failure_rate would have drawn
  std::optional<Millis> first_token;         ///< wait before the first token, or before the whole answer
  std::optional<double> tokens_per_second;   ///< 0: as fast as the client reads
  std::optional<double> jitter;              ///< share of each wait that is random, 0..1
  std::optional<std::size_t> answer_tokens;  ///< exact length of the answer
  std::optional<std::size_t> fault_after;    ///< tokens before a fault that strikes mid stream; default half of them
  std::optional<Millis> retry_after;         ///< what the rate_limit faults announce; default 1 s
  std::optional<bool> early_head;            ///< streams: the head goes out before the wait for the first token

  /// Takes over everything that `above` sets.
  void override_with(const Steering& above);
};

/// Reads `fault=error_500,first_token=50ms,tokens=10,rate=1000,jitter=0.2,after=4,retry_after=2s,head=early`, the pairs
/// separated by `separator`. The failure says which pair is wrong.
Result<Steering> parse_steering(std::string_view text, char separator);

/// "50ms", "1.5s", "2m", "0". Nothing if it is none of these.
std::optional<Millis> parse_duration(std::string_view text);

/// A response given byte for byte: each piece is one write, `gap` apart.
struct Replay {
  enum class Then : std::uint8_t { keep_open, close, reset, hang };
  std::vector<std::string> pieces;
  Millis gap{0};
  Then then = Then::keep_open;  ///< keep_open: the bytes were a whole response, the connection serves on
  unsigned status = 0;          ///< for the truth log only
};

/// A whole JSON response (or of another `content_type`) with its content-length, in one piece.
Replay json_replay(unsigned status, std::string_view body,
                   const std::vector<std::pair<std::string, std::string>>& fields = {},
                   std::string_view content_type = "application/json");
/// A whole event stream: the head, then every piece as one chunk in one write, then the last chunk.
Replay sse_replay(const std::vector<std::string>& pieces);

/// What the next request that matches gets, instead of what it would have got.
struct Script {
  std::string path{};  ///< exact path without query; empty matches every request
  Steering steering{};
  std::optional<Replay> replay{};  ///< set: sent as it is, after steering.first_token (default: at once)
};

}  // namespace tollgate::simulator
