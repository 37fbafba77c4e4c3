// Reading order: next() asks the plan, take_place() and begin() take place, circuit and budget, and one of answered(),
// failed() and abandoned() tells how it went.
#include "dispatcher.hpp"

#include "account.hpp"
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
// Who waits for a place shall have most of its time left for the answer.
constexpr int share_of_deadline = 10;

policy::PlanSettings settings_of(const Exchange& exchange) {
  const config::RetrySettings& retry = effort_of(exchange).retry;
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

}  // namespace

Dispatcher::Dispatcher(Exchange& exchange)
    : exchange_(exchange), plan_(settings_of(exchange), exchange.deadline), candidates_(exchange) {}

Dispatcher::~Dispatcher() {
  // Of two one may be over.
  for (int legs = other_ ? 2 : 1; legs > 0; --legs) {
    if (leg_.permit || leg_.place) abandoned(false);
    if (other_) turn();
  }
}

std::optional<SteadyTime> Dispatcher::next() {
  const SteadyTime now = exchange_.alarm.woken_at();
  if (is_plain(now)) {
    if (candidate().rank != 0) leg_.reason = policy::Reason::unsupported_feature;
    return now;
  }
  candidates_.look(options_, now, plan_.attempts() == 0);
  const auto step = plan_.next(options_, now, exchange_.random);
  if (step.stop) return std::nullopt;
  choose(step);
  return step.at;
}

void Dispatcher::choose(const policy::AttemptPlan::Step& step) {
  leg_.chosen = step.option;
  leg_.reason = step.reason;
  leg_.repeat = step.repeat;
}

/// Nothing to choose, and nothing known against it but what its circuit will say: the way of most requests.
bool Dispatcher::is_plain(SteadyTime now) const {
  if (candidates_.size() != 1 || plan_.attempts() > 0 || denied_ || full_ || now >= exchange_.deadline) return false;
  const auto& credential = candidate().of_credential;
  return !credential || credential->view(now).state == CredentialHealth::State::usable;
}

bool Dispatcher::take_place() {
  Places* const places = candidate().health->places.get();
  if (!places) return true;
  if (!places->try_take(exchange_.alarm.woken_at())) return false;
  leg_.place = places;
  return true;
}

std::unique_ptr<Places::Turn> Dispatcher::wait_for_place(SteadyTime& until) {
  const SteadyTime now = exchange_.alarm.woken_at();
  // An equal that has room is better than any wait.
  const auto is_equal = [this](const Option& option) {
    return option.rank == candidate().rank && option.target != candidate().number &&
           option.state == Option::State::usable && !plan_.is_refused(option.target);
  };
  if (std::any_of(options_.begin(), options_.end(), is_equal)) return nullptr;
  Places& places = *candidate().health->places;
  until = now + places.max_wait();
  if (exchange_.deadline != never) until = std::min(until, now + (exchange_.deadline - now) / share_of_deadline);
  const config::Tenant* tenant = exchange_.caller.tenant;
  return places.wait(tenant ? std::hash<std::string_view>()(tenant->name) : 0,
                     exchange_.inbound.priority.value_or(policy::Priority::normal), until, now, *exchange_.world->waker,
                     exchange_.point);
}

void Dispatcher::place_taken() { leg_.place = candidate().health->places.get(); }

void Dispatcher::pass_over() {
  full_ = true;
  plan_.refuse(candidate().number);
}

std::unique_ptr<Failure> Dispatcher::take_money() {
  exchange_.purse.has_others = candidates_[0].number != candidates_[candidates_.size() - 1].number;
  auto forbidden = fill_purse(exchange_, *candidate().model, *candidate().target, candidate().part);
  if (forbidden) {
    end_leg();
    plan_.refuse(candidate().number);
  }
  return forbidden;
}

bool Dispatcher::begin() {
  const bool begun = try_begin();
  if (!begun) empty_purse(exchange_);
  return begun;
}

bool Dispatcher::try_begin() {
  const SteadyTime now = exchange_.alarm.woken_at();
  const TargetHealth& health = *candidate().health;
  if (leg_.repeat && !health.repeats->try_repeat(now)) {
    plan_.refuse_repeats(candidate().number);
    end_leg();
    return false;
  }
  leg_.permit = health.circuits[candidate().circuit]->admit(now);
  denied_ = !leg_.permit;
  if (!leg_.permit) {
    if (leg_.repeat) health.repeats->repeat_over();
    end_leg();
    return false;
  }
  if (!leg_.repeat) health.repeats->arrived(now);
  // One that stands alone is compared with nobody.
  leg_.load = candidates_.several() ? health.load.get() : nullptr;
  leg_.began = now;
  if (leg_.load) {
    leg_.load->began(now);
    if (plan_.attempts() == 0 && !other_) health.hedges->arrived(effort_of(exchange_).hedge.share);
  }
  aim(exchange_,
      {candidate().model, candidate().target, candidate().part, candidate().credential, leg_.reason, leg_.load});
  return true;
}

/// Gives back what is counted by numbers alone.
void Dispatcher::end_leg() {
  if (leg_.place) std::exchange(leg_.place, nullptr)->give_back(exchange_.alarm.woken_at());
}

void Dispatcher::report(policy::Verdict verdict) {
  end_leg();
  leg_.load = nullptr;
  if (!leg_.permit) return;
  const TargetHealth& health = *candidate().health;
  health.circuits[candidate().circuit]->report(*leg_.permit, verdict, exchange_.alarm.woken_at(),
                                               exchange_.random.unit());
  leg_.permit.reset();
  if (leg_.repeat)
    health.repeats->repeat_over();
  else
    health.repeats->arrival_over();
}

void Dispatcher::answered() {
  if (candidate().of_credential) candidate().of_credential->accepted();
  if (leg_.load) leg_.load->ended();
  if (leg_.place) leg_.place->answered();
  report(policy::Verdict::success);
}

void Dispatcher::abandoned(bool had_content) {
  if (leg_.load) had_content ? leg_.load->ended() : leg_.load->left(leg_.began);
  report(policy::Verdict::ignored);
}

void Dispatcher::outrun() {
  // It would have taken longer still: that much is known of it. Of one that is shunned it is no sign of recovery.
  const SteadyTime now = exchange_.alarm.woken_at();
  const auto waited = std::chrono::duration_cast<Micros>(now - leg_.began);
  if (leg_.load && waited > leg_.load->first_token(now)) {
    leg_.load->sample(waited, now);
    leg_.load->ended();
    leg_.load = nullptr;
  }
  abandoned(false);
  plan_.outrun(candidates_.option(candidate(), now));
}

void Dispatcher::failed(const AttemptEnd& end) {
  const SteadyTime now = exchange_.alarm.woken_at();
  policy::Load* const load = leg_.load;
  if (candidate().of_credential) {
    if (end.diagnosis.remedy == Remedy::another_credential)
      candidate().of_credential->set_aside(now + aside_for, now, {end.status, end.code});
    if (end.diagnosis.remedy == Remedy::cool_down)
      candidate().of_credential->cool_until(
          now + std::clamp(end.retry_after.value_or(shortest_cooling), shortest_cooling, longest_cooling));
  }
  if (leg_.place && end.overload) {
    // What began before the limit fell speaks of the limit before it.
    leg_.place->overloaded(std::chrono::duration_cast<Micros>(now - leg_.began), now);
  }
  if (load && end.diagnosis.blame == policy::Blame::none && !end.had_content) {
    load->left(leg_.began);
  } else if (load) {
    if (!end.had_content) load->failed(end.retry_after.value_or(Millis(0)), leg_.began, now);
    load->ended();
  }
  switch (end.diagnosis.blame) {
    case policy::Blame::none: report(policy::Verdict::ignored); break;
    // The rate of a caller's own credential is no matter of the target's health.
    case policy::Blame::rate:
      report(candidate().of_credential ? policy::Verdict::soft_failure : policy::Verdict::ignored);
      break;
    case policy::Blame::failure: report(policy::Verdict::failure); break;
  }
  plan_.failed(candidates_.option(candidate(), now), end.diagnosis, end.timeout, end.retry_after, now);
}

SteadyTime Dispatcher::hedge_at() const {
  const config::HedgeSettings& hedge = effort_of(exchange_).hedge;
  if (hedge.share <= 0 || !leg_.load || plan_.attempts() > 0) return never;
  const SteadyTime now = exchange_.alarm.woken_at();
  if (hedge.after) return now + *hedge.after;
  const auto usual = leg_.load->p95(now);
  return usual ? now + *usual : never;
}

bool Dispatcher::begin_hedge() {
  const SteadyTime now = exchange_.alarm.woken_at();
  candidates_.look(options_, now, false);
  const auto step = plan_.hedge(options_, leg_.chosen, now, exchange_.random);
  if (step.stop || !candidate().health->hedges->try_take()) return false;
  other_ = std::make_unique<Leg>(std::exchange(leg_, {}));
  choose(step);
  if (take_place() && !take_money() && begin()) return true;
  leg_ = std::move(*other_);
  other_.reset();
  candidate().health->hedges->give_back();
  return false;
}

void Dispatcher::turn() { std::swap(leg_, *other_); }

Failure Dispatcher::none_usable() const {
  const SteadyTime now = exchange_.alarm.woken_at();
  const std::string name = "'" + exchange_.scan.model.substr(0, 128) + "'";
  if (const auto lacking = candidates_.lacking(); !lacking.empty())
    return {FailureKind::bad_request, Source::client,
            "the request has " + std::string(lacking) + ", and no model that may answer for " + name + " takes that",
            "unsupported_feature"};
  Failure failure{FailureKind::no_upstream, Source::upstream, "no target of " + name + " can be asked at the moment"};
  if (full_) {
    failure = {FailureKind::overloaded, Source::gateway,
               "the targets of " + name + " have as many requests as they are given at a time"};
    failure.retry_after = seconds(1);
    return failure;
  }
  SteadyTime soonest = never;
  bool all_cool = candidates_.size() > 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const Option option = candidates_.option(candidates_[i], now);
    soonest = std::min(soonest, option.usable_at);
    all_cool = all_cool && option.state == Option::State::cooling;
  }
  if (all_cool) failure.kind = FailureKind::rate_limited;
  if (soonest != never) failure.retry_after = std::max(std::chrono::ceil<Millis>(soonest - now), Millis(1000));
  return failure;
}

}  // namespace tollgate::pipeline
