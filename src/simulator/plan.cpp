#include "simulator/plan.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

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

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("simulator: ") + what);
}

}  // namespace

Planner::Planner(config::SimulatorSettings settings) : settings_(std::move(settings)) {
  require(settings_.failure_rate >= 0 && settings_.failure_rate <= 1, "failure_rate is a share between 0 and 1");
  require(settings_.jitter >= 0 && settings_.jitter <= 1, "jitter is a share between 0 and 1");
  require(std::isfinite(settings_.tokens_per_second) && settings_.tokens_per_second >= 0,
          "tokens_per_second is not negative");
  require(settings_.first_token >= Millis{0}, "first_token is not negative");
  for (const auto& [name, weight] : settings_.faults.empty() ? usual_mix() : settings_.faults) {
    const std::optional<Fault> fault = fault_named(name);
    require(fault.has_value(), ("there is no fault '" + name + "'; see docs/simulator.md").c_str());
    require(std::isfinite(weight) && weight >= 0, "a fault's weight is not negative");
    weights_.emplace_back(*fault, weight);
    weight_sum_ += weight;
  }
  require(settings_.failure_rate == 0 || weight_sum_ > 0, "failure_rate needs a fault with a weight above 0");
}

std::optional<Fault> Planner::drawn_fault(Random& random) const {
  // Both numbers are always drawn, so that what comes after does not depend on the outcome.
  const bool fails = random.unit() < settings_.failure_rate;
  double left = random.unit() * weight_sum_;
  if (!fails) return std::nullopt;
  for (const auto& [fault, weight] : weights_) {
    if (left < weight) return fault;
    left -= weight;
  }
  return weights_.back().first;
}

Plan Planner::plan(std::uint64_t ordinal, const Call* call, const Steering& steering) const {
  Plan plan;
  // Scrambled first: neighbouring states of this generator are shifted copies of one sequence.
  plan.random = Random(settings_.seed ^ Random(ordinal)());
  const std::optional<Fault> drawn = drawn_fault(plan.random);
  if (call && !steering.no_fault) plan.fault = drawn;
  if (steering.fault) plan.fault = steering.fault;

  plan.first_token = steering.first_token.value_or(call ? settings_.first_token : Millis{0});
  plan.tokens_per_second = steering.tokens_per_second.value_or(settings_.tokens_per_second);
  plan.jitter = steering.jitter.value_or(settings_.jitter);
  plan.retry_after = steering.retry_after.value_or(plan.retry_after);
  plan.early_head = steering.early_head.value_or(false);

  // The text, and with it its length, hangs on the seed and the question alone: streamed or whole, now or later, the
  // same.
  Random text(settings_.seed ^ (call ? call->digest : 0));
  const double mean = static_cast<double>(settings_.answer_tokens);
  const auto drawn_length = static_cast<std::size_t>(std::llround(mean * (0.5 + text.unit())));
  plan.answer_tokens = steering.answer_tokens.value_or(drawn_length);
  plan.text_seed = text();
  const std::size_t cap = call ? call->max_tokens.value_or(plan.answer_tokens) : plan.answer_tokens;
  const std::size_t length = std::min(cap, plan.answer_tokens) * (call ? call->choices : 1);
  plan.fault_after = std::min(steering.fault_after.value_or(length / 2), length);
  return plan;
}

}  // namespace tollgate::simulator
