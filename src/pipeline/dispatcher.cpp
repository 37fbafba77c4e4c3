// Reading order: the constructor lists the candidates, next() asks the plan, begin() takes circuit and budget, and one
// of answered(), failed() and abandoned() tells how it went.
#include "dispatcher.hpp"

#include "tollgate/pipeline/live_state.hpp"

#include "stages.hpp"

#include <algorithm>

namespace tollgate::pipeline {

using policy::Option;
using policy::Remedy;

namespace {

// What a provider asks for at most, and what a rate is given where it says nothing.
constexpr Millis longest_cooling = std::chrono::seconds(300);
constexpr Millis shortest_cooling = std::chrono::seconds(1);
// A credential without money or rights is tried again after so long: somebody may have paid.
constexpr Millis aside_for = std::chrono::minutes(10);
constexpr Millis least_time{100};  ///< for an attempt

const config::Dispatch* dispatch_of(const Exchange& exchange) {
  if (exchange.task) return &exchange.task->dispatch;
  return exchange.resolution.route ? &exchange.resolution.route->dispatch : nullptr;
}

policy::PlanSettings settings_of(const Exchange& exchange) {
  const config::Dispatch* dispatch = dispatch_of(exchange);
  const config::RetrySettings& retry = dispatch ? dispatch->effort.retry : exchange.world->snapshot->defaults.retry;
  policy::PlanSettings settings;
  settings.attempts = retry.attempts;
  settings.backoff_base = retry.base;
  settings.backoff_max = retry.max;
  settings.least = least_time;
  switch (retry.on_timeout) {
    case config::OnTimeout::never: settings.attempts_after_timeout = 0; break;
    case config::OnTimeout::once: settings.attempts_after_timeout = 1; break;
    case config::OnTimeout::always: settings.attempts_after_timeout = retry.attempts; break;
  }
  return settings;
}

/// Callers with credentials of their own: what those meet is theirs alone.
bool has_own(const Exchange& exchange, std::size_t provider) {
  const config::Tenant* tenant = exchange.caller.tenant;
  if (!tenant) return false;
  return tenant->passes_credentials || std::any_of(tenant->credentials.begin(), tenant->credentials.end(),
                                                   [provider](const auto& own) { return own.first == provider; });
}

Option::State state_of(CredentialHealth::State state) {
  switch (state) {
    case CredentialHealth::State::cooling: return Option::State::cooling;
    case CredentialHealth::State::set_aside: return Option::State::set_aside;
    case CredentialHealth::State::usable: break;
  }
  return Option::State::usable;
}

}  // namespace

Dispatcher::Dispatcher(Exchange& exchange) : exchange_(exchange), plan_(settings_of(exchange), exchange.deadline) {
  add_model(*exchange.resolution.model, exchange.resolution.wildcard_part, 0);
  const config::Dispatch* dispatch = dispatch_of(exchange);
  if (!dispatch) return;
  std::uint16_t rank = 1;
  for (const config::ModelName& name : dispatch->fallbacks) add(name, rank++);
}

Dispatcher::~Dispatcher() {
  if (permit_) abandoned(false);
}

void Dispatcher::add(const config::ModelName& name, std::uint16_t rank) {
  const config::Model& model = exchange_.world->snapshot->models[name.model];
  if (may_ask(model, name.part)) add_model(model, name.part, rank);
}

/// A route may dispatch to what its caller may not call by name, but not to what is denied.
bool Dispatcher::may_ask(const config::Model& model, std::string_view part) const {
  if (!exchange_.caller.tenant) return true;
  return exchange_.caller.may_call(*exchange_.world->snapshot,
                                   {exchange_.resolution.route, &model, std::string(part), nullptr});
}

void Dispatcher::add_model(const config::Model& model, std::string_view part, std::uint16_t rank) {
  for (std::size_t i = 0; i < model.targets.size(); ++i) add_target(model, i, part, rank);
}

void Dispatcher::add_target(const config::Model& model, std::size_t index, std::string_view part, std::uint16_t rank) {
  const config::Snapshot& snapshot = *exchange_.world->snapshot;
  const Health& health = *exchange_.world->health;
  const config::Target& target = model.targets[index];
  const auto place = static_cast<std::size_t>(&model - snapshot.models.data());
  const TargetHealth& known = health.models[place][index];
  const auto number = static_cast<std::uint16_t>(candidates_.empty() ? 0 : candidates_.back().number + 1);
  const auto& credentials = snapshot.providers[target.provider].credentials;
  const auto last = static_cast<std::uint16_t>(known.circuits.size() - 1);
  if (credentials.empty() || has_own(exchange_, target.provider)) {
    candidates_.push_back({&model, &target, part, &known, rank, number, last, nullptr, nullptr});
    return;
  }
  for (std::size_t i = 0; i < credentials.size(); ++i)
    candidates_.push_back({&model, &target, part, &known, rank, number, static_cast<std::uint16_t>(i), &credentials[i],
                           health.credentials[target.provider][i]});
}

Option Dispatcher::option_of(const Candidate& candidate, SteadyTime now) const {
  Option option;
  option.rank = candidate.rank;
  option.target = candidate.number;
  option.credential = candidate.circuit;
  option.context = candidate.model->context.value_or(0);
  const policy::Circuit& circuit = *candidate.health->circuits[candidate.circuit];
  if (!circuit.usable(now)) {
    option.state = Option::State::circuit_open;
    option.usable_at = circuit.retry_at(now).value_or(now);
    return option;
  }
  if (candidate.of_credential) {
    const auto view = candidate.of_credential->view(now);
    option.state = state_of(view.state);
    option.usable_at = view.until;
  }
  // One that stands alone needs no comparing.
  if (candidates_.size() > 1) {
    const double weight = candidate.target->weight * (candidate.credential ? candidate.credential->weight : 1);
    option.load = candidate.health->load->choice(weight, circuit.share(now), now);
  }
  return option;
}

void Dispatcher::look(SteadyTime now) {
  options_.clear();
  for (const Candidate& candidate : candidates_) options_.push_back(option_of(candidate, now));
}

std::optional<SteadyTime> Dispatcher::next() {
  const SteadyTime now = exchange_.alarm.woken_at();
  if (is_plain(now)) return now;
  look(now);
  const auto step = plan_.next(options_, now, exchange_.random);
  if (step.stop) return std::nullopt;
  chosen_ = step.option;
  repeat_ = step.repeat;
  reason_ = step.reason;
  return step.at;
}

/// Nothing to choose, and nothing known against it but what its circuit will say: the way of most requests.
bool Dispatcher::is_plain(SteadyTime now) const {
  if (candidates_.size() != 1 || plan_.attempts() > 0 || denied_ || now >= exchange_.deadline) return false;
  const auto& credential = candidates_.front().of_credential;
  return !credential || credential->view(now).state == CredentialHealth::State::usable;
}

bool Dispatcher::begin() {
  const SteadyTime now = exchange_.alarm.woken_at();
  const Candidate& candidate = candidates_[chosen_];
  if (repeat_ && !candidate.health->repeats->try_repeat(now)) {
    plan_.refuse_repeats(candidate.number);
    return false;
  }
  permit_ = candidate.health->circuits[candidate.circuit]->admit(now);
  denied_ = !permit_;
  if (!permit_) {
    if (repeat_) candidate.health->repeats->repeat_over();
    return false;
  }
  if (!repeat_) candidate.health->repeats->arrived(now);
  // One that stands alone is compared with nobody.
  load_ = candidates_.size() > 1 ? candidate.health->load.get() : nullptr;
  if (load_) load_->began();
  aim(exchange_, {candidate.model, candidate.target, candidate.part, candidate.credential, reason_, load_});
  return true;
}

void Dispatcher::report(policy::Verdict verdict) {
  if (!permit_) return;
  const Candidate& candidate = candidates_[chosen_];
  candidate.health->circuits[candidate.circuit]->report(*permit_, verdict, exchange_.alarm.woken_at(),
                                                        exchange_.random.unit());
  permit_.reset();
  if (repeat_)
    candidate.health->repeats->repeat_over();
  else
    candidate.health->repeats->arrival_over();
}

void Dispatcher::answered() {
  const Candidate& candidate = candidates_[chosen_];
  if (candidate.of_credential) candidate.of_credential->accepted();
  if (load_) load_->ended();
  report(policy::Verdict::success);
}

void Dispatcher::abandoned(bool had_content) {
  if (load_) had_content ? load_->ended() : load_->left();
  report(policy::Verdict::ignored);
}

void Dispatcher::failed(const AttemptEnd& end) {
  const SteadyTime now = exchange_.alarm.woken_at();
  const Candidate& candidate = candidates_[chosen_];
  if (candidate.of_credential) {
    if (end.diagnosis.remedy == Remedy::another_credential) set_aside(candidate, now);
    if (end.diagnosis.remedy == Remedy::cool_down)
      candidate.of_credential->cool_until(
          now + std::clamp(end.retry_after.value_or(shortest_cooling), shortest_cooling, longest_cooling));
  }
  if (load_ && end.diagnosis.blame == policy::Blame::none && !end.had_content) {
    load_->left();
  } else if (load_) {
    if (!end.had_content) load_->failed(end.retry_after.value_or(Millis(0)), now);
    load_->ended();
  }
  switch (end.diagnosis.blame) {
    case policy::Blame::none: report(policy::Verdict::ignored); break;
    // The rate of a caller's own credential is no matter of the target's health.
    case policy::Blame::rate:
      report(candidate.of_credential ? policy::Verdict::soft_failure : policy::Verdict::ignored);
      break;
    case policy::Blame::failure: report(policy::Verdict::failure); break;
  }
  plan_.failed(option_of(candidate, now), end.diagnosis, end.timeout, end.retry_after, now);
}

void Dispatcher::set_aside(const Candidate& candidate, SteadyTime now) {
  candidate.of_credential->set_aside(now + aside_for, now);
}

Failure Dispatcher::none_usable() const {
  const SteadyTime now = exchange_.alarm.woken_at();
  Failure failure{FailureKind::no_upstream, Source::upstream,
                  "no target of '" + exchange_.scan.model.substr(0, 128) + "' can be asked at the moment"};
  SteadyTime soonest = never;
  bool all_cool = !candidates_.empty();
  for (const Candidate& candidate : candidates_) {
    const Option option = option_of(candidate, now);
    soonest = std::min(soonest, option.usable_at);
    all_cool = all_cool && option.state == Option::State::cooling;
  }
  if (all_cool) failure.kind = FailureKind::rate_limited;
  if (soonest != never) failure.retry_after = std::max(std::chrono::ceil<Millis>(soonest - now), Millis(1000));
  return failure;
}

}  // namespace tollgate::pipeline
