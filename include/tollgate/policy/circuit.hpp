#pragma once
// A circuit breaker: a target that fails is left alone for a while, then tried by a few probes, then trusted again step
// by step. One circuit stands for one target and credential, so that what is wrong with one of them benches no other.
#include "tollgate/base/clock.hpp"

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace tollgate::policy {

/// Durations count as at most a year and not below 0; what has a least value below counts as at least that.
struct CircuitSettings {
  unsigned failures = 5;  ///< in a row open the circuit; 0: they do not
  Millis window{60'000};  ///< over which the share of failures is taken; longer than nearly all calls. At least 12 ms
  unsigned min_requests = 20;  ///< finished in the window before their share says anything. At least 1
  double failure_rate = 0.5;   ///< of those, opens the circuit; above 1: never
  Millis open_for{5'000};      ///< the first time, then twice as long each time
  Millis longest_open{300'000};
  unsigned probes = 3;         ///< out at a time while half open, and successes that close it. 1..1000
  Millis probe_lease{60'000};  ///< a probe of which nothing was heard for so long is given up. At least 1 ms
  Millis slow_start{30'000};   ///< from a tenth of the traffic to all of it, after probes have closed it
  bool operator==(const CircuitSettings&) const = default;
};

enum class CircuitState { closed, open, half_open };
/// For logs and operators: "half_open".
std::string_view name_of(CircuitState state);

/// How a call ended.
enum class Verdict {
  success,
  failure,       ///< connect, TLS, reset, timeout, 5xx, 529, an answer cut short
  soft_failure,  ///< 429: counts in the window alone, and fails a probe
  ignored,       ///< says nothing of the target: the client left, the caller's own 4xx, limits of our own
};

/// Closed -> open: `failures` in a row, or `failure_rate` of at least `min_requests` in the window, asked whenever a
/// call that counts has finished. Open for min(open_for * 2^(n-1), longest_open) * U(0.9, 1.1), in whole milliseconds,
/// where n is the number of openings; n grows no further once that has reached longest_open, and falls by 1 for each
/// 300 s closed. Open -> half open: at the first question after that time. Half open -> closed: `probes` successes;
/// half open -> open: any failure, hard or soft. (Parameters: Hystrix, Envoy's outlier detection, Linkerd.)
///
/// Calls count when they finish. Every change begins a generation; what was admitted in an older one changes nothing.
/// Any thread. A time before the latest that was told counts as that, since the clocks of two threads need not be read
/// in the order in which they get here.
class Circuit {
 public:
  static constexpr Millis healthy_step{300'000};       ///< closed for so long: one opening is forgotten
  static constexpr std::size_t most_transitions = 64;  ///< kept for take_transitions(); then the oldest go

  /// Closed.
  explicit Circuit(const CircuitSettings& settings);

  /// Takes effect at once, also on an open time or a slow start that runs, and keeps the state. Calls already finished
  /// are forgotten where the window changes, except for how many failed in a row.
  void configure(const CircuitSettings& settings);

  struct Permit {
    std::uint64_t generation = 0;  ///< 0: of no circuit; a report on it changes nothing
    bool probe = false;
    std::uint64_t lease = 0;  ///< of a probe
  };

  /// Nothing: open, or every probe is out. Each permit is reported once, as soon as it is known how the call went. A
  /// permit that is lost costs a probe's place until its lease is over, and nothing else.
  std::optional<Permit> admit(SteadyTime now);

  /// `chance`, uniform in [0, 1), is for the open time should this open the circuit. Changes nothing for a probe whose
  /// lease is over, for a permit of an older generation, and while an operator holds the state.
  void report(const Permit& permit, Verdict verdict, SteadyTime now, double chance);

  bool usable(SteadyTime now) const;  ///< admit() would give a permit

  /// Of the traffic it would get otherwise: 0.1..1, linearly, in a slow start, else 1, also where it is not usable.
  double share(SteadyTime now) const;

  /// When it may be tried again, at the latest; nothing: now. While half open: when the lease of a probe is over,
  /// though it may be reported before. `never`: held open by an operator.
  std::optional<SteadyTime> retry_at(SteadyTime now) const;

  struct View {
    CircuitState state;
    bool forced;              ///< held by an operator
    std::string_view reason;  ///< of the latest transition, a literal; "started" before the first
    SteadyTime since;         ///< of the latest transition; before the first: the earliest time told
    std::optional<SteadyTime> retry_at;
    unsigned openings;  ///< n
  };
  View view(SteadyTime now) const;

  /// Held `open` or `closed` by an operator until told otherwise. `half_open`: held by nobody, and tried by probes at
  /// once. Nothing: held no longer; it is tried by probes where it was held open, and stays closed where it was closed.
  void force(std::optional<CircuitState> state, SteadyTime now);

  struct Transition {
    CircuitState from, to;    ///< the same where an operator asked for the state it was in
    std::string_view reason;  ///< failures_in_a_row, failure_rate, open_time_over, probe_failed, probes_succeeded,
                              ///< forced, released, probe_requested
    SteadyTime at;
  };
  /// Those since the last call, oldest first, so that each is logged once.
  std::vector<Transition> take_transitions();

 private:
  /// Calls that finished within the last `length`, to a twelfth of that.
  class Window {
   public:
    struct Count {
      std::uint64_t finished = 0, failed = 0;
    };
    void clear(Millis length);
    void add(bool failed, SteadyTime now);
    Count count(SteadyTime now) const;

   private:
    struct Slot {
      std::int64_t tick = 0;
      Count count;
    };
    std::int64_t tick_of(SteadyTime now) const { return now.time_since_epoch() / slot_length_; }
    std::array<Slot, 12> slots_{};
    SteadyTime::duration slot_length_{1};
  };

  struct Lease {
    std::uint64_t id;
    SteadyTime given;
  };

  /// The circuit without its lock; every question is asked after advance().
  struct Machine {
    void configure(const CircuitSettings& changed);
    void advance(SteadyTime now);
    void enter(CircuitState next, std::string_view why);
    void open(std::string_view why, double chance_given);
    void count(Verdict verdict, double chance_given);
    void end_probe(std::uint64_t lease, Verdict verdict, double chance_given);
    bool usable() const;
    std::optional<SteadyTime> retry_at() const;
    Millis pause() const;
    void forget_openings();

    CircuitSettings settings;
    CircuitState state = CircuitState::closed;
    bool forced = false;
    std::string_view reason = "started";
    SteadyTime time{}, since{}, healthy_since{};
    std::uint64_t generation = 1;
    unsigned openings = 0;
    double chance = 0;  ///< of this open time
    bool slow_starting = false;
    unsigned failures_in_a_row = 0, probes_succeeded = 0;
    std::uint64_t last_lease = 0;
    std::vector<Lease> leases;  ///< of probes that are out, oldest first
    Window window;
    std::vector<Transition> transitions;
  };

  Machine& at(SteadyTime now) const;

  mutable std::mutex mutex_;
  mutable Machine machine_;  ///< time goes on also where one only asks
};

}  // namespace tollgate::policy
