// Every rule of next() is one line of its comment in the header, in that order. The options are looked through once for
// each: there are a handful.
#include "tollgate/policy/attempt_plan.hpp"

#include "tollgate/policy/backoff.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <array>

namespace tollgate::policy {

namespace {

using State = Option::State;

/// One of those that fit, by weight and load.
template <class Fits>
std::optional<std::size_t> draw(std::span<const Option> options, Random& random, Fits fits) {
  boost::container::small_vector<std::size_t, 8> places;
  boost::container::small_vector<Choice, 8> choices;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (!fits(options[i])) continue;
    places.push_back(i);
    choices.push_back(options[i].load);
  }
  if (places.empty()) return std::nullopt;
  return places[places.size() == 1 ? 0 : choose(choices, random)];
}

/// Why the primary was passed over.
Reason passed_over(std::span<const Option> options) {
  for (const Option& option : options) {
    if (option.rank != 0) continue;
    switch (option.state) {
      case State::circuit_open: return Reason::circuit_open;
      case State::cooling: return Reason::rate_limited;
      case State::set_aside: return Reason::credential_refused;
      case State::usable: break;
    }
  }
  return Reason::retry_exhausted;
}

Reason reason_of(Remedy remedy) {
  switch (remedy) {
    case Remedy::cool_down: return Reason::rate_limited;
    case Remedy::another_credential: return Reason::credential_refused;
    case Remedy::larger_context: return Reason::context_window;
    default: return Reason::retry_exhausted;
  }
}

}  // namespace

std::string_view name_of(Reason reason) {
  constexpr std::array<std::string_view, 8> names{"primary",        "weighted",       "task",
                                                  "circuit_open",   "rate_limited",   "credential_refused",
                                                  "context_window", "retry_exhausted"};
  return names[static_cast<std::size_t>(reason)];
}

bool AttemptPlan::is_over() const {
  if (tried_.empty()) return false;
  const Remedy remedy = tried_.back().diagnosis.remedy;
  if (remedy == Remedy::nothing || tried_.size() >= settings_.attempts) return true;
  return last_timed_out_ && timeouts_ > settings_.attempts_after_timeout;
}

bool AttemptPlan::was_asked(std::uint16_t target) const {
  return std::any_of(tried_.begin(), tried_.end(), [target](const Tried& tried) { return tried.target == target; });
}

/// What was learnt of an option in this request, for the rest of it.
bool AttemptPlan::is_barred(const Option& option) const {
  return std::any_of(tried_.begin(), tried_.end(), [&option](const Tried& tried) {
    const bool same_target = tried.target == option.target;
    switch (tried.diagnosis.remedy) {
      case Remedy::another_target: return same_target;
      case Remedy::another_credential: return same_target && tried.credential == option.credential;
      // What holds as little is no help either; where nobody knows, another target may.
      case Remedy::larger_context:
        return same_target || (tried.context > 0 && option.context > 0 && option.context <= tried.context);
      default: return false;
    }
  });
}

SteadyTime AttemptPlan::wait_end(SteadyTime now, Random& random) const {
  const auto& last = tried_.back();
  const auto repeats = static_cast<unsigned>(
      std::count_if(tried_.begin(), tried_.end(), [&last](const Tried& tried) { return tried.target == last.target; }));
  const Millis wait = backoff(repeats - 1, settings_.backoff_base, settings_.backoff_max, random.unit());
  return std::max(now + wait, not_before_);
}

AttemptPlan::Step AttemptPlan::next(std::span<const Option> options, SteadyTime now, Random& random) const {
  const auto in_time = [this](SteadyTime at) { return deadline_ == never || at + settings_.least <= deadline_; };
  // The first one is made whatever time there is: only it can tell.
  if (is_over() || (tried_.empty() ? deadline_ != never && now >= deadline_ : !in_time(now))) return {};
  const auto usable = [this](const Option& option) { return option.state == State::usable && !is_barred(option); };
  const auto lowest_rank = [&](auto fits) {
    std::optional<std::uint16_t> lowest;
    for (const Option& option : options)
      if (fits(option) && (!lowest || option.rank < *lowest)) lowest = option.rank;
    return lowest;
  };

  if (tried_.empty()) {
    if (const auto rank = lowest_rank(usable)) {
      const auto chosen =
          draw(options, random, [&](const Option& option) { return usable(option) && option.rank == *rank; });
      return {false, *chosen, now, false, *rank == 0 ? Reason::primary : passed_over(options)};
    }
    // What was refused to one request may be given to the next: better than asking nobody.
    if (const auto aside = draw(options, random, [](const Option& option) { return option.state == State::set_aside; }))
      return {false, *aside, now, false, Reason::primary};
    // A short wait is better than sending away who would come back at once; not all at the same moment.
    const auto cooled = first_to_cool(options);
    if (!cooled || options[*cooled].usable_at > now + settings_.backoff_max) return {};
    const SteadyTime at = options[*cooled].usable_at + up_to(settings_.backoff_base, random.unit());
    if (!in_time(at)) return {};
    return {false, *cooled, at, false, Reason::primary};
  }

  const Tried& last = tried_.back();
  const Reason reason = reason_of(last.diagnosis.remedy);
  const auto fresh = [&](const Option& option) { return usable(option) && !was_asked(option.target); };
  if (const auto equal =
          draw(options, random, [&](const Option& option) { return fresh(option) && option.rank == last.rank; }))
    return {false, *equal, now, false, reason};

  const bool credential_at_fault =
      last.diagnosis.remedy == Remedy::cool_down || last.diagnosis.remedy == Remedy::another_credential;
  const auto other_key = [&](const Option& option) {
    return usable(option) && option.target == last.target && option.credential != last.credential;
  };
  if (credential_at_fault)
    if (const auto other = draw(options, random, other_key)) return {false, *other, now, false, reason};

  const auto next_rank = lowest_rank([&](const Option& option) { return fresh(option) && option.rank > last.rank; });
  const auto fallback = [&]() -> Step {
    const auto chosen =
        draw(options, random, [&](const Option& option) { return fresh(option) && option.rank == *next_rank; });
    return {false, *chosen, now, false, reason};
  };
  const bool may_spend_one = !next_rank || settings_.attempts - tried_.size() >= 2;
  const bool prefers_fallback = next_rank && (last_timed_out_ || last.diagnosis.remedy != Remedy::repeat);
  const auto again = [&](const Option& option) {
    return usable(option) && option.target == last.target &&
           std::find(no_repeats_.begin(), no_repeats_.end(), option.target) == no_repeats_.end();
  };
  if (may_spend_one && !prefers_fallback) {
    if (const auto same = draw(options, random, again)) {
      const SteadyTime at = wait_end(now, random);
      // A fallback that answers now is better than a target that asks for so long a pause.
      const bool long_pause = at > now + settings_.backoff_max;
      if (in_time(at) && !(long_pause && next_rank)) return {false, *same, at, true, reason};
    }
  }
  if (next_rank) return fallback();

  // Nobody else: whoever says when it will be back.
  const auto cooled = first_to_cool(options);
  if (!cooled || !in_time(options[*cooled].usable_at)) return {};
  return {false, *cooled, options[*cooled].usable_at, was_asked(options[*cooled].target), reason};
}

std::optional<std::size_t> AttemptPlan::first_to_cool(std::span<const Option> options) const {
  std::optional<std::size_t> soonest;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].state != State::cooling || is_barred(options[i])) continue;
    if (!soonest || options[i].usable_at < options[*soonest].usable_at) soonest = i;
  }
  return soonest;
}

void AttemptPlan::failed(const Option& option, Diagnosis diagnosis, bool timeout, std::optional<Millis> retry_after,
                         SteadyTime now) {
  tried_.push_back({option.rank, option.target, option.credential, diagnosis, option.context});
  last_timed_out_ = timeout;
  timeouts_ += timeout ? 1 : 0;
  not_before_ = retry_after ? now + *retry_after : SteadyTime{};
}

}  // namespace tollgate::policy
