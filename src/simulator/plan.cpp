// What is decided about one request, from the settings, the moment, the order of arrival and what was asked. Chance is
// drawn from seed and ordinal alone, so a request's luck does not hang on when it came.
#include "simulator/plan.hpp"

#include "simulator/require.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tollgate::simulator {

namespace {

std::optional<Fault> drawn_fault(Random& random, const Conditions& conditions) {
  // Both numbers are always drawn, so that what comes after does not depend on the outcome.
  const bool fails = random.unit() < conditions.failure_rate;
  const double chance = random.unit();
  if (!fails) return std::nullopt;
  return conditions.mix->drawn(chance);
}

}  // namespace

Planner::Planner(config::SimulatorSettings settings) : settings_(std::move(settings)), schedule_(settings_) {
  require(settings_.jitter >= 0 && settings_.jitter <= 1, "jitter is a share between 0 and 1");
  require(std::isfinite(settings_.tokens_per_second) && settings_.tokens_per_second >= 0,
          "tokens_per_second is not negative");
  require(settings_.first_token >= Millis{0}, "first_token is not negative");
}

/// What steering says is meant as it stands; only the settings are slowed.
void Planner::set_pace(Plan& plan, const Steering& steering, double slow) const {
  const double wait = static_cast<double>(settings_.first_token.count()) * slow;
  plan.first_token = steering.first_token.value_or(Millis{std::llround(wait)});
  const bool paced = settings_.tokens_per_second < unpaced_rate;
  plan.tokens_per_second =
      steering.tokens_per_second.value_or(paced ? settings_.tokens_per_second / slow : settings_.tokens_per_second);
  plan.jitter = steering.jitter.value_or(settings_.jitter);
}

Plan Planner::plan(std::uint64_t ordinal, const Call* call, const Steering& steering, Micros since_start) const {
  Plan plan;
  const Conditions conditions = schedule_.at(since_start);
  // Scrambled first: neighbouring states of this generator are shifted copies of one sequence.
  plan.random = Random(settings_.seed ^ Random(ordinal)());
  const std::optional<Fault> drawn = drawn_fault(plan.random, conditions);
  if (call && !steering.no_fault) plan.fault = drawn;
  if (steering.fault) plan.fault = steering.fault;

  set_pace(plan, steering, conditions.slow);
  if (!call && !steering.first_token) plan.first_token = Millis{0};
  plan.retry_after = steering.retry_after.value_or(plan.retry_after);
  plan.early_head = steering.early_head.value_or(false);

  // The text, and with it its length, hangs on the seed and the question alone: streamed or whole, now or later, the
  // same.
  Random text(settings_.seed ^ (call ? call->digest : 0));
  const double mean = static_cast<double>(settings_.answer_tokens);
  const auto drawn_length = static_cast<std::size_t>(std::llround(mean * (0.5 + text.unit())));
  plan.answer_tokens = steering.answer_tokens.value_or(drawn_length);
  plan.text_seed = text();
  if (call) shape(*call, plan);
  const std::size_t length = planned_tokens(call, plan);
  plan.fault_after = std::min(steering.fault_after.value_or(length / 2), length);
  return plan;
}

std::size_t planned_tokens(const Call* call, const Plan& plan) {
  if (!call) return plan.answer_tokens;
  return answer_length(*call, plan) * call->choices;
}

}  // namespace tollgate::simulator
