#pragma once
#include "tollgate/base/random.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/simulator/script.hpp"

#include "simulator/call.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace tollgate::simulator {

/// Everything that is decided about an answer before its first byte is sent.
struct Plan {
  std::optional<Fault> fault;
  Millis first_token{0};
  double tokens_per_second = 0;  ///< 0: as fast as the client reads
  double jitter = 0;
  std::size_t answer_tokens = 0;  ///< per choice, cap of the request not yet applied
  std::size_t fault_after = 0;    ///< tokens before a fault that strikes mid stream
  Millis retry_after{1000};
  bool early_head = false;
  std::uint64_t text_seed = 0;
  Random random{0};  ///< for jitter and ids: by seed and order of arrival
};

/// Turns settings into plans. Pure; throws std::invalid_argument from the constructor for an unknown fault or a value
/// out of range.
class Planner {
 public:
  explicit Planner(config::SimulatorSettings settings);

  /// `call` is null for requests without one (GET); those fail only when steered to.
  Plan plan(std::uint64_t ordinal, const Call* call, const Steering& steering) const;

 private:
  std::optional<Fault> drawn_fault(Random& random) const;

  config::SimulatorSettings settings_;
  std::vector<std::pair<Fault, double>> weights_;
  double weight_sum_ = 0;
};

}  // namespace tollgate::simulator
