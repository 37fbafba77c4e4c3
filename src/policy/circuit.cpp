// The rules of a circuit, once for all who ask: whoever takes the lock first brings the machine up to the present, so
// that no answer below has to think of a state whose time is over.
#include "tollgate/policy/circuit.hpp"

#include "tollgate/policy/backoff.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::policy {
namespace {

constexpr Millis longest = std::chrono::hours(24 * 365);  // with which no sum of durations overflows
constexpr unsigned most_probes = 1000;
constexpr unsigned most_openings = 64;  // where open_for is 0, whose doubling never reaches its longest
constexpr double least_share = 0.1;

CircuitSettings within_bounds(CircuitSettings settings) {
  settings.window = std::clamp(settings.window, Millis(12), longest);
  settings.min_requests = std::max(settings.min_requests, 1u);
  settings.open_for = std::clamp(settings.open_for, Millis(0), longest);
  settings.longest_open = std::clamp(settings.longest_open, Millis(0), longest);
  settings.probes = std::clamp(settings.probes, 1u, most_probes);
  settings.probe_lease = std::clamp(settings.probe_lease, Millis(1), longest);
  settings.slow_start = std::clamp(settings.slow_start, Millis(0), longest);
  return settings;
}

SteadyTime after(SteadyTime time, Millis span) { return time > never - span ? never : time + span; }

}  // namespace

void Circuit::Window::clear(Millis length) {
  slots_ = {};
  slot_length_ = SteadyTime::duration(length) / slots_.size();
}

void Circuit::Window::add(bool failed, SteadyTime now) {
  const std::int64_t tick = tick_of(now);
  Slot& slot = slots_[static_cast<std::size_t>(tick) % slots_.size()];
  if (slot.tick != tick) slot = {.tick = tick, .count = {}};
  ++slot.count.finished;
  if (failed) ++slot.count.failed;
}

Circuit::Window::Count Circuit::Window::count(SteadyTime now) const {
  const std::int64_t oldest = tick_of(now) - static_cast<std::int64_t>(slots_.size()) + 1;
  Count all;
  for (const Slot& slot : slots_) {
    if (slot.tick < oldest) continue;
    all.finished += slot.count.finished;
    all.failed += slot.count.failed;
  }
  return all;
}

void Circuit::Machine::configure(const CircuitSettings& changed) {
  const bool is_same_window = changed.window == settings.window;
  settings = changed;
  if (!is_same_window) window.clear(settings.window);
}

void Circuit::Machine::advance(SteadyTime now) {
  if (time == SteadyTime{}) since = std::max(now, time);
  time = std::max(time, now);
  if (forced) return;
  if (state == CircuitState::closed) {
    forget_openings();
  } else if (state == CircuitState::half_open) {
    std::erase_if(leases, [&](const Lease& lease) { return after(lease.given, settings.probe_lease) <= time; });
  } else if (after(since, pause()) <= time) {
    enter(CircuitState::half_open, "open_time_over");
  }
}

void Circuit::Machine::forget_openings() {
  if (openings == 0) return;
  const auto steps = std::min<std::int64_t>((time - healthy_since) / healthy_step, openings);
  openings -= static_cast<unsigned>(steps);
  healthy_since += steps * healthy_step;
}

void Circuit::Machine::enter(CircuitState next, std::string_view why) {
  if (transitions.size() == most_transitions) transitions.erase(transitions.begin());
  transitions.push_back({state, next, why, time});
  state = next;
  reason = why;
  since = healthy_since = time;
  ++generation;
  slow_starting = false;
  failures_in_a_row = probes_succeeded = 0;
  leases.clear();
  window.clear(settings.window);
}

void Circuit::Machine::open(std::string_view why, double chance_given) {
  const bool is_longest =
      openings > 0 && doubled(settings.open_for, openings - 1, settings.longest_open) >= settings.longest_open;
  if (!is_longest && openings < most_openings) ++openings;
  chance = chance_given;
  enter(CircuitState::open, why);
}

Millis Circuit::Machine::pause() const {
  const Millis planned = doubled(settings.open_for, openings - 1, settings.longest_open);
  return planned - planned / 10 + up_to(planned / 5, chance);
}

void Circuit::Machine::count(Verdict verdict, double chance_given) {
  if (verdict == Verdict::ignored) return;
  if (verdict == Verdict::success) failures_in_a_row = 0;
  if (verdict == Verdict::failure) ++failures_in_a_row;
  window.add(verdict != Verdict::success, time);
  if (settings.failures > 0 && failures_in_a_row >= settings.failures) return open("failures_in_a_row", chance_given);
  const auto [finished, failed] = window.count(time);
  if (finished < settings.min_requests || failed == 0) return;
  // As a quotient: the nearest double to it is the one that was meant where the two are the same fraction.
  const double rate = static_cast<double>(failed) / static_cast<double>(finished);
  if (rate >= settings.failure_rate) open("failure_rate", chance_given);
}

void Circuit::Machine::end_probe(std::uint64_t lease, Verdict verdict, double chance_given) {
  if (std::erase_if(leases, [&](const Lease& out) { return out.id == lease; }) == 0) return;
  if (verdict == Verdict::ignored) return;
  if (verdict != Verdict::success) return open("probe_failed", chance_given);
  if (++probes_succeeded < settings.probes) return;
  enter(CircuitState::closed, "probes_succeeded");
  slow_starting = true;
}

bool Circuit::Machine::usable() const {
  if (state == CircuitState::half_open) return leases.size() < settings.probes;
  return state == CircuitState::closed;
}

std::optional<SteadyTime> Circuit::Machine::retry_at() const {
  if (usable()) return std::nullopt;
  if (forced) return never;
  if (state == CircuitState::open) return after(since, pause());
  // More than `probes` are out where their number was lowered: so many have to end first.
  return after(leases[leases.size() - settings.probes].given, settings.probe_lease);
}

Circuit::Circuit(const CircuitSettings& settings) {
  machine_.settings = within_bounds(settings);
  machine_.window.clear(machine_.settings.window);
}

Circuit::Machine& Circuit::at(SteadyTime now) const {
  machine_.advance(now);
  return machine_;
}

void Circuit::configure(const CircuitSettings& settings) {
  const std::lock_guard lock(mutex_);
  machine_.configure(within_bounds(settings));
}

std::optional<Circuit::Permit> Circuit::admit(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Machine& machine = at(now);
  if (!machine.usable()) return std::nullopt;
  if (machine.state == CircuitState::closed) return Permit{.generation = machine.generation};
  machine.leases.push_back({.id = ++machine.last_lease, .given = machine.time});
  return Permit{.generation = machine.generation, .probe = true, .lease = machine.last_lease};
}

void Circuit::report(const Permit& permit, Verdict verdict, SteadyTime now, double chance) {
  const std::lock_guard lock(mutex_);
  Machine& machine = at(now);
  if (machine.forced || permit.generation != machine.generation) return;
  if (permit.probe) {
    machine.end_probe(permit.lease, verdict, chance);
  } else {
    machine.count(verdict, chance);
  }
}

bool Circuit::usable(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return at(now).usable();
}

double Circuit::share(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  const Machine& machine = at(now);
  const SteadyTime::duration passed = machine.time - machine.since;
  const SteadyTime::duration whole = machine.settings.slow_start;
  if (!machine.slow_starting || passed >= whole) return 1;
  return least_share + (1 - least_share) * static_cast<double>(passed.count()) / static_cast<double>(whole.count());
}

std::optional<SteadyTime> Circuit::retry_at(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return at(now).retry_at();
}

Circuit::View Circuit::view(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  const Machine& machine = at(now);
  return {.state = machine.state,
          .forced = machine.forced,
          .reason = machine.reason,
          .since = machine.since,
          .retry_at = machine.retry_at(),
          .openings = machine.openings};
}

void Circuit::force(std::optional<CircuitState> state, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Machine& machine = at(now);
  const bool was_forced = machine.forced;
  machine.forced = state && *state != CircuitState::half_open;
  if (machine.forced) {
    if (!was_forced || machine.state != *state) machine.enter(*state, "forced");
  } else if (state) {
    machine.enter(CircuitState::half_open, "probe_requested");
  } else if (was_forced) {
    const bool was_open = machine.state == CircuitState::open;
    machine.enter(was_open ? CircuitState::half_open : CircuitState::closed, "released");
  }
}

std::vector<Circuit::Transition> Circuit::take_transitions() {
  const std::lock_guard lock(mutex_);
  return std::exchange(machine_.transitions, {});
}

std::string_view name_of(CircuitState state) {
  switch (state) {
    case CircuitState::closed: return "closed";
    case CircuitState::open: return "open";
    case CircuitState::half_open: return "half_open";
  }
  return "closed";  // GCOVR_EXCL_LINE: every state has returned
}

}  // namespace tollgate::policy
