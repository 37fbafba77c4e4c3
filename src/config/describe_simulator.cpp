// The tables of the simulator behind a provider: what it plays on an ordinary day, and the phases of a bad one.
// Whatever would keep it from starting is refused here, since a simulator starts where a reload can no longer fail.
#include "tollgate/config/simulator_faults.hpp"

#include "config/bounds.hpp"
#include "config/document.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace tollgate::config {

namespace {

constexpr Bounds<double> weights{0, 1e6};
constexpr Bounds<double> slower{1, 1000};

/// The fault that answers with a status, for those who write the status.
std::string fault_of_status(std::string_view status) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> faults{{{"400", "bad_request"},
                                                                                 {"401", "unauthorized"},
                                                                                 {"402", "payment_required"},
                                                                                 {"403", "forbidden"},
                                                                                 {"429", "rate_limit"},
                                                                                 {"500", "error_500"},
                                                                                 {"502", "error_502"},
                                                                                 {"503", "error_503"},
                                                                                 {"529", "error_529"}}};
  for (const auto& [known, fault] : faults)
    if (known == status) return "did you mean '" + std::string(fault) + "'?";
  return {};
}

Dictionary fault_weights(std::map<std::string, double>& faults) {
  const std::vector<std::string> names(simulator_faults.begin(), simulator_faults.end());
  return {
      "^(" + joined(names, "|") + ")$",
      [&faults, names](const std::string& name, const Spot&) -> Parsed<Value> {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          const std::string by_status = fault_of_status(name);
          return Problem{"the simulator has no such fault", by_status.empty() ? did_you_mean(name, names) : by_status};
        }
        return Value(number(faults[name], weights));
      },
      [&faults] {
        std::vector<std::pair<std::string, Value>> values;
        for (auto& [name, weight] : faults) values.emplace_back(name, number(weight, weights));
        return values;
      },
      names.front()};
}

void check_weights(Keys& keys, const std::map<std::string, double>& faults) {
  const bool any = std::any_of(faults.begin(), faults.end(), [](const auto& fault) { return fault.second > 0; });
  if (!faults.empty() && !any) keys.fault("faults", {"at least one fault needs a weight above 0"});
}

Scalar seed(std::uint64_t& value) {
  return {{{"type", "integer"}, {"minimum", 0}},
          [&value](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto parsed = parse_count(text);
            if (!parsed) return parsed.error();
            value = *parsed;
            return std::nullopt;
          },
          [&value] { return Json(value); }};
}

Scalar slowness(double& value) { return number(value, slower); }

void check_phase(Keys& keys, const SimulatorPhase& phase) {
  if (phase.to && *phase.to <= phase.from) keys.fault("to", {"a phase ends after it begins"});
  if (phase.every.has_value() != phase.lasts.has_value())
    keys.fault(phase.every ? "every" : "for", {"`every` and `for` go together"});
  if (phase.every && phase.lasts && *phase.lasts > *phase.every)
    keys.fault("for", {"`for` must not be longer than `every`"});
  if (phase.ramp && phase.failure_rate) keys.fault("ramp", {"a phase has either a failure_rate or a ramp, not both"});
  if (phase.ramp && !phase.to) keys.fault("ramp", {"a ramp needs the phase's end", "add `to`"});
  check_weights(keys, phase.faults);
  const bool says_anything = phase.failure_rate || phase.ramp || phase.slow || !phase.faults.empty();
  // A key that was refused has been told of already.
  const bool means_anything =
      keys.given("failure_rate") || keys.given("ramp") || keys.given("slow") || keys.given("faults");
  if (!says_anything && !means_anything)
    keys.fault("from", {"this phase changes nothing", "add failure_rate, ramp, faults or slow"});
}

}  // namespace

// Not in the unnamed namespace: block_of() finds them by their arguments.
static void describe(Keys& keys, SimulatorRamp& ramp) {
  keys.key("from", "failure rate at the phase's begin", share(ramp.from));
  keys.key("to", "failure rate at its end", share(ramp.to));
}

static void describe(Keys& keys, SimulatorPhase& phase) {
  keys.key("from", "begin, counted from the simulator's first request", duration(phase.from, no_or_some_time));
  keys.key("to", "end; none: for good", duration(phase.to, some_time));
  keys.key("every", "period of a phase that comes and goes", duration(phase.every, some_time));
  keys.key("for", "how long it is on in each period", duration(phase.lasts, some_time));
  keys.key("failure_rate", "share of requests that fail", optional_of(phase.failure_rate, share));
  keys.key("ramp", "a failure rate that changes evenly", block_of(phase.ramp));
  keys.key("faults", "kinds of failure, with weights; none: those outside the phase", fault_weights(phase.faults));
  keys.key("slow", "factor on first_token and on the time of every other token", optional_of(phase.slow, slowness));
  check_phase(keys, phase);
}

static void describe(Keys& keys, SimulatorLimits& limits) {
  keys.key("requests_per_minute", "requests of one credential", count(limits.requests_per_minute, some_per_minute));
  keys.key("tokens_per_minute", "tokens of one credential, prompt and answer",
           count(limits.tokens_per_minute, some_per_minute));
}

void describe(Keys& keys, SimulatorSettings& simulator) {
  constexpr double most_tokens_per_second = 1e6;
  keys.key("first_token", "time to the first token", duration(simulator.first_token, no_or_some_time));
  keys.key("tokens_per_second", "speed of an answer",
           number(simulator.tokens_per_second, {0.001, most_tokens_per_second}));
  keys.key("jitter", "share of each wait that is random", share(simulator.jitter));
  keys.key("slow", "factor on first_token and on the time of every other token", slowness(simulator.slow));
  keys.key("answer_tokens", "mean length of an answer", count(simulator.answer_tokens, {1, 1'000'000}));
  keys.key("failure_rate", "share of requests that fail", share(simulator.failure_rate));
  keys.key("faults", "kinds of failure, with weights; none: the simulator's own mix", fault_weights(simulator.faults));
  keys.key("schedule", "phases of a bad day",
           list_of(simulator.schedule, [](SimulatorPhase& phase) { return block_of(phase); }));
  keys.key("limits", "what each credential may use before it gets a 429",
           Block{[&simulator](Keys& inside) { describe(inside, simulator.limits); },
                 [&simulator] { return simulator.limits.any(); }});
  keys.key("accepts", "API keys that it knows, any other gets a 401; none: any will do",
           list_of(simulator.accepts, [](Secret& key) { return secret(key, false); }));
  keys.key("seed", "same seed, same answers", seed(simulator.seed));
  check_weights(keys, simulator.faults);
}

}  // namespace tollgate::config
