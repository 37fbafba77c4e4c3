// A provider's day: how often requests fail, of what, and how slow it is, at any moment. Apart from the plan of one
// request, so that a whole day can be walked through in a test without waiting for it.
#include "simulator/schedule.hpp"

#include "simulator/require.hpp"

#include <algorithm>
#include <cmath>

namespace tollgate::simulator {

namespace {

// What failure_rate draws from when the settings name no faults: what a bad day at a provider looks like, without the
// kinds that hang, so that a first try of failure_rate shows errors and not a frozen terminal.
const std::map<std::string, double>& usual_mix() {
  static const std::map<std::string, double> mix = {
      {"rate_limit", 4}, {"error_500", 2},         {"error_503", 2},        {"error_502", 1},
      {"error_529", 1},  {"reset_before_head", 1}, {"close_mid_stream", 1}, {"error_event", 1}};
  return mix;
}

void require_share(double share, const char* name) {
  require(share >= 0 && share <= 1, std::string(name) + " is a share between 0 and 1");
}

void require_slowness(double slow) { require(std::isfinite(slow) && slow >= 1, "slow is a factor of 1 or more"); }

void require_sense(const config::SimulatorPhase& phase) {
  require(phase.from >= Millis{0}, "a phase does not begin before the first request");
  require(!phase.to || *phase.to > phase.from, "a phase ends after it begins");
  require(phase.every.has_value() == phase.lasts.has_value(), "`every` and `for` go together");
  require(!phase.every || (*phase.every > Millis{0} && *phase.lasts <= *phase.every), "`for` is not above `every`");
  require(!phase.ramp || (phase.to && !phase.failure_rate), "a ramp has an end, and no failure_rate beside it");
  if (phase.failure_rate) require_share(*phase.failure_rate, "failure_rate");
  if (phase.ramp) require_share(phase.ramp->from, "ramp.from");
  if (phase.ramp) require_share(phase.ramp->to, "ramp.to");
  if (phase.slow) require_slowness(*phase.slow);
}

bool is_on(const config::SimulatorPhase& phase, Micros time) {
  if (time < phase.from || (phase.to && time >= *phase.to)) return false;
  return !phase.every || (time - phase.from) % Micros(*phase.every) < *phase.lasts;
}

double ramped(const config::SimulatorPhase& phase, Micros time) {
  const auto passed = static_cast<double>((time - phase.from).count());
  const auto whole = static_cast<double>(Micros(*phase.to - phase.from).count());
  return phase.ramp->from + (phase.ramp->to - phase.ramp->from) * passed / whole;
}

}  // namespace

Mix::Mix(const std::map<std::string, double>& weights) {
  for (const auto& [name, weight] : weights) {
    const std::optional<Fault> fault = fault_named(name);
    require(fault.has_value(), "there is no fault '" + name + "'; see docs/simulator.md");
    require(std::isfinite(weight) && weight >= 0, "a fault's weight is not negative");
    if (weight > 0) weights_.emplace_back(*fault, weight);
    sum_ += weight;
  }
}

Fault Mix::drawn(double chance) const {
  double left = chance * sum_;
  for (const auto& [fault, weight] : weights_) {
    if (left < weight) return fault;
    left -= weight;
  }
  return weights_.back().first;
}

Schedule::Schedule(const config::SimulatorSettings& settings)
    : failure_rate_(settings.failure_rate),
      slow_(settings.slow),
      mix_(settings.faults.empty() ? usual_mix() : settings.faults) {
  require_share(failure_rate_, "failure_rate");
  require_slowness(slow_);
  // Also where nothing fails now: a phase may raise the rate and say no faults of its own.
  require(!mix_.empty(), "at least one fault needs a weight above 0");
  for (const config::SimulatorPhase& phase : settings.schedule) {
    require_sense(phase);
    Phase& kept = phases_.emplace_back();
    kept.settings = phase;
    if (!phase.faults.empty()) kept.mix.emplace(phase.faults);
    require(!kept.mix || !kept.mix->empty(), "at least one fault of a phase needs a weight above 0");
  }
}

Conditions Schedule::at(Micros since_start) const {
  Conditions conditions{failure_rate_, &mix_, slow_};
  for (const Phase& phase : phases_) {
    if (!is_on(phase.settings, since_start)) continue;
    if (phase.settings.failure_rate) conditions.failure_rate = *phase.settings.failure_rate;
    if (phase.settings.ramp) conditions.failure_rate = ramped(phase.settings, since_start);
    if (phase.settings.slow) conditions.slow = *phase.settings.slow;
    if (phase.mix) conditions.mix = &*phase.mix;
  }
  return conditions;
}

}  // namespace tollgate::simulator
