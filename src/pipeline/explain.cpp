// Plays a request through the steps of serve() with a client that is nobody and a time that stands still, and writes
// down what they decide. So it cannot say anything else than what would happen.
#include "tollgate/pipeline/explain.hpp"

#include "dispatcher.hpp"
#include "stages.hpp"

#include <algorithm>
#include <array>

namespace tollgate::pipeline {

namespace {

constexpr std::size_t longest_name = 128;

class StandingTime final : public Alarm {
 public:
  explicit StandingTime(SteadyTime now) : now_(now) {}
  SteadyTime now() const override { return now_; }
  void set(SteadyTime) override {}

 private:
  SteadyTime now_;
};

/// Nothing is read from it, and nothing is sent to it.
class Nobody final : public Client {
 public:
  bool take_ready_body(ByteBuffer&) override { return false; }
  Task<Result<void>> read_body(ByteBuffer&) override { co_return Result<void>(); }
  void watch() override {}
  void look() override {}
  bool left() const override { return false; }
  bool must_stop() const override { return false; }
  void begin(std::uint16_t, std::string_view, BodyForm) override {}
  bool begun() const override { return false; }
  void write(std::span<const std::string_view>) override {}
  void end() override {}
  void abort() override {}
  bool drained() override { return true; }
  SteadyTime last_taken() const override { return {}; }
};

std::string_view name_of(TaskSource source) {
  constexpr std::array<std::string_view, 5> names{"", "header", "model_name", "metadata", "classifier"};
  return names[static_cast<std::size_t>(source)];
}

/// Before a task may put another model in the place of the route's.
void explain_name(const Exchange& exchange, Explanation& told) {
  const config::Resolution named = exchange.world->snapshot->resolve(exchange.scan.model);
  if (!named.model) return;
  if (named.task)
    told.name_is = "route_and_task";
  else if (named.route)
    told.name_is = named.route->name == exchange.scan.model ? "route" : "match";
  else
    told.name_is = named.model->wildcard ? "wildcard" : "model";
  if (named.route) told.route = named.route->name;
  told.model = named.model->name;
}

void explain_task(const Exchange& exchange, Explanation& told) {
  const config::Route* route = exchange.resolution.route;
  if (!route) return;
  TaskSource source = named_task(exchange).source;
  if (source == TaskSource::nobody && route->classifies && !route->tasks.empty()) {
    source = TaskSource::classifier;
    told.classification = classify(exchange);
  }
  told.task_source = name_of(source);
  if (exchange.task) told.task = exchange.task->name;
  told.warning = exchange.warning;
}

Explanation::Candidate candidate_of(const Dispatcher::Prospect& prospect, SteadyTime now) {
  const TargetHealth& health = *prospect.health;
  return {.rank = prospect.option.rank,
          .model = prospect.model,
          .target = prospect.target,
          .credential = health.credentials[prospect.circuit],
          .state = prospect.option.state,
          .usable_at = prospect.option.usable_at,
          .circuit = health.circuits[prospect.circuit]->view(now),
          .first_token = health.load->first_token_when_well(now),
          .pending = health.load->pending()};
}

void explain_choice(Exchange& exchange, SteadyTime now, Explanation& told) {
  Dispatcher dispatcher(exchange);
  const auto [prospects, step] = dispatcher.preview();
  for (const auto& prospect : prospects) told.candidates.push_back(candidate_of(prospect, now));
  if (step.stop) {
    told.failure = dispatcher.none_usable();
    return;
  }
  exchange.choice.reason = step.reason;
  const auto& chosen = told.candidates[step.option];
  const auto equals = std::count_if(told.candidates.begin(), told.candidates.end(), [&chosen](const auto& other) {
    return other.rank == chosen.rank && other.state == chosen.state;
  });
  told.first = {.candidate = step.option,
                .reason = reason_of(exchange),
                .by_chance = equals > 1,
                .wait = std::max(Millis(0), std::chrono::ceil<Millis>(step.at - now))};
  told.attempts = dispatcher.most_attempts();
}

Result<void> explain_steps(Exchange& exchange, SteadyTime now, Explanation& told) {
  if (auto parsed = parse(exchange); !parsed) return parsed;
  told.requested = exchange.scan.model.substr(0, longest_name);
  explain_name(exchange, told);
  auto routed = route(exchange);
  explain_task(exchange, told);
  if (!routed) return routed;
  told.model = exchange.resolution.model->name;
  told.deadline = std::chrono::duration_cast<Millis>(exchange.deadline - exchange.began);
  if (auto authorized = authorize(exchange); !authorized) return authorized;
  explain_choice(exchange, now, told);
  return {};
}

}  // namespace

Dispatcher::Preview Dispatcher::preview() {
  const SteadyTime now = exchange_.alarm.woken_at();
  candidates_.look(options_, now, plan_.attempts() == 0);
  Preview preview;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    preview.prospects.push_back({candidate.model, candidate.target, candidate.health, candidate.circuit, options_[i]});
  }
  preview.step = plan_.next(options_, now, exchange_.random);
  return preview;
}

Explanation explain(const Question& question, const std::shared_ptr<const World>& world, SteadyTime now,
                    Random& random) {
  WaitPoint point;
  StandingTime alarm(now);
  Nobody client;
  Inbound inbound;
  inbound.path = question.inbound.path;
  inbound.stream_kind = question.inbound.stream_kind;
  inbound.knows_usage_option = question.inbound.knows_usage_option;
  inbound.task = question.inbound.task;
  inbound.timeout = question.inbound.timeout;
  Caller caller;
  if (question.tenant) {
    caller.tenant = question.tenant;
    caller.key = std::make_shared<const policy::KnownKey>();  // one that narrows nothing
  }
  Exchange exchange(point, alarm, client, random, inbound, caller, world);
  exchange.began = now;
  exchange.body.append(question.body);
  Explanation told;
  if (const auto gone = explain_steps(exchange, now, told); !gone) told.failure = gone.error();
  return told;
}

}  // namespace tollgate::pipeline
