#pragma once
#include "tollgate/base/random.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/simulator/script.hpp"

#include "simulator/call.hpp"
#include "simulator/prompt_cache.hpp"
#include "simulator/schedule.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tollgate::simulator {

/// From here on a pause per token is finer than any timer.
inline constexpr double unpaced_rate = 1'000'000;

/// Where a stop sequence ends the text.
struct StopAt {
  std::string sequence;
  std::size_t bytes = 0;  ///< of the text before it
};

/// Everything that is decided about an answer before its first byte is sent.
struct Plan {
  std::optional<Fault> fault;
  Millis first_token{0};
  double tokens_per_second = 0;  ///< 0: as fast as the client reads
  double jitter = 0;
  /// Of each choice, and there of each parallel call; the cap of the request is not yet applied.
  std::size_t answer_tokens = 0;
  std::size_t thinking_tokens = 0;  ///< before them
  std::optional<StopAt> stop;
  CacheUse cache;
  std::size_t fault_after = 0;  ///< tokens before a fault that strikes mid stream
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

  /// `call` is null for requests without one (GET); those fail only when steered to. `since_start` says where in the
  /// schedule the request stands: the same chance is drawn at any time, and judged by what holds then.
  Plan plan(std::uint64_t ordinal, const Call* call, const Steering& steering, Micros since_start = Micros{0}) const;
  Conditions conditions(Micros since_start) const { return schedule_.at(since_start); }

 private:
  void set_pace(Plan& plan, const Steering& steering, double slow) const;

  config::SimulatorSettings settings_;
  Schedule schedule_;
};

/// Decides what hangs on the text itself: the length of a fixed one, where a stop sequence cuts, how long is thought.
void shape(const Call& call, Plan& plan);

/// Tokens of each choice, before the request's cap and after it.
std::size_t uncut_length(const Call& call, const Plan& plan);
std::size_t answer_length(const Call& call, const Plan& plan);
/// Tokens of all choices together, after the request's cap.
std::size_t planned_tokens(const Call* call, const Plan& plan);

}  // namespace tollgate::simulator
