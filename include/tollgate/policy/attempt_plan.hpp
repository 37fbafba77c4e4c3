#pragma once
// What to do next for a request, given what has happened to it and the time: which target to ask, after which wait, or
// that what has come is the answer. Knows no clock, no socket and no configuration.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/random.hpp"
#include "tollgate/policy/load.hpp"
#include "tollgate/policy/remedy.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tollgate::policy {

/// One target with one of its credentials, as it is at the moment.
struct Option {
  std::uint16_t rank = 0;        ///< the place of its model: 0 is the primary, then the fallbacks
  std::uint16_t target = 0;      ///< the same number is the same target
  std::uint16_t credential = 0;  ///< of the target's provider
  std::uint64_t context = 0;     ///< tokens that it holds; 0: not known
  bool fits = true;              ///< the request's estimate is within that; else it is asked after all others
  enum class State : std::uint8_t { usable, circuit_open, cooling, set_aside } state = State::usable;
  SteadyTime usable_at{};  ///< where it is not usable
  bool probes = false;     ///< its circuit is half open: this request would be a probe
  Choice load{};           ///< by which one of several equal ones is taken
};

/// Why this one, for x-tollgate-reason: a closed list.
enum class Reason : std::uint8_t {
  primary,
  weighted,  ///< one of several equivalent targets
  task,
  circuit_open,
  rate_limited,
  credential_refused,
  context_window,
  retry_exhausted,
  affinity,             ///< it has answered the conversation's earlier turns
  hedge,                ///< the one before took long
  overloaded,           ///< no place was free at the one before
  unsupported_feature,  ///< the primary cannot do what the request needs, and is no option
};
std::string_view name_of(Reason reason);

/// Whether an attempt has run out of time, and whether its provider may have begun to answer then, and to bill.
enum class Timeout : std::uint8_t { none, connecting, answering };

struct PlanSettings {
  std::size_t attempts = 3;  ///< over all options
  Millis backoff_base{250};
  Millis backoff_max{8000};
  std::size_t attempts_after_timeout = 1;  ///< how many timeouts may be followed by another attempt
  Millis least{100};                       ///< no attempt begins with less time than this
};

/// The first one is of the first model that has a usable target large enough: one that has to be probed, since nothing
/// else tells that it is well again, and what fails there moves on; else the target that the conversation stays with,
/// else one by weight and load. While all of that model's targets start slowly, what is more than their share goes to
/// the next model. Order after a failure that another attempt may mend: an equivalent target that
/// was not asked yet, at once; another credential of the same one, at once; the same one after a wait, if the retry
/// budget allows and an attempt is left for a fallback where there is one; the next fallback, at once; at last the one
/// that says when it will be back, where that is within the deadline. After a timeout the fallback comes before the
/// repeat. Where nobody is usable at the beginning, a credential that is set aside is asked all the same, and one that
/// cools is waited for up to the longest backoff. One request's, one thread.
class AttemptPlan {
 public:
  AttemptPlan(const PlanSettings& settings, SteadyTime deadline) : settings_(settings), deadline_(deadline) {}

  struct Step {
    bool stop = true;        ///< what has come last is the answer; nothing has come yet: no option is usable
    std::size_t option = 0;  ///< index into the options that were given
    SteadyTime at{};         ///< not before; a time in the past: at once
    bool repeat = false;     ///< of a target that was asked before: the retry budget has a say
    Reason reason = Reason::primary;
  };
  /// The options are all there are, in any order, the same at each call but for their states and costs.
  Step next(std::span<const Option> options, SteadyTime now, Random& random) const;
  /// Who might be asked beside the first one, which is at work and takes long; the equivalent ones first.
  Step hedge(std::span<const Option> options, std::size_t running, SteadyTime now, Random& random) const;

  /// An attempt was made and has failed.
  void failed(const Option& option, Diagnosis diagnosis, Timeout timeout, std::optional<Millis> retry_after,
              SteadyTime now);
  /// An attempt was made and broken off, because the one beside it was faster: it counts, and its target was asked.
  void outrun(const Option& option);
  /// The retry budget of this target is spent.
  void refuse_repeats(std::uint16_t target) { no_repeats_.push_back(target); }
  /// This target has no room: it is not asked for the request any more.
  void refuse(std::uint16_t target) { refused_.push_back(target); }
  bool is_refused(std::uint16_t target) const;

  std::size_t attempts() const { return tried_.size(); }
  const PlanSettings& settings() const { return settings_; }

 private:
  struct Tried {
    unsigned place;
    std::uint16_t target, credential;
    Diagnosis diagnosis;
    std::uint64_t context;
  };
  Step first(std::span<const Option> options, SteadyTime now, Random& random) const;
  Step first_at(unsigned place, std::span<const Option> options, SteadyTime now, Random& random) const;
  Step another(std::span<const Option> options, SteadyTime now, Random& random) const;
  std::optional<Step> again(std::span<const Option> options, bool has_fallback, SteadyTime now, Random& random) const;
  bool in_time(SteadyTime at) const { return deadline_ == never || at + settings_.least <= deadline_; }
  bool is_over() const;
  bool was_asked(std::uint16_t target) const;
  bool is_barred(const Option& option) const;
  bool is_fresh(const Option& option) const;
  std::optional<std::size_t> first_to_cool(std::span<const Option> options) const;
  SteadyTime wait_end(SteadyTime now, Random& random) const;

  PlanSettings settings_;
  SteadyTime deadline_;
  std::vector<Tried> tried_;
  std::vector<std::uint16_t> no_repeats_, refused_;
  std::size_t timeouts_ = 0;  ///< that may be billed
  Timeout last_timeout_ = Timeout::none;
  SteadyTime not_before_{};  ///< what the last answer's retry-after says of its target
};

}  // namespace tollgate::policy
