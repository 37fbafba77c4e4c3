// Every rule of next() is one line of the class's comment, in that order. The options are looked through once for each:
// there are a handful.
#include "tollgate/policy/attempt_plan.hpp"

#include "tollgate/policy/backoff.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <array>

namespace tollgate::policy {

namespace {

using State = Option::State;

bool is_usable(const Option& option) { return option.state == State::usable; }

/// The order in which models are asked.
unsigned place_of(const Option& option) {
  constexpr unsigned after_all = 0x10000;
  return option.rank + (option.fits ? 0 : after_all);
}

template <class Suits>
std::optional<unsigned> first_place(std::span<const Option> options, Suits suits) {
  std::optional<unsigned> first;
  for (const Option& option : options)
    if (suits(option) && (!first || place_of(option) < *first)) first = place_of(option);
  return first;
}

struct Drawn {
  std::size_t option;
  Reason reason;
};

/// One of those that suit: where the conversation was, else by weight and load.
template <class Suits>
std::optional<Drawn> draw(std::span<const Option> options, Random& random, Suits suits) {
  boost::container::small_vector<std::size_t, 8> indices;
  boost::container::small_vector<Choice, 8> choices;
  bool several_targets = false;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (!suits(options[i])) continue;
    several_targets |= !indices.empty() && options[indices.front()].target != options[i].target;
    indices.push_back(i);
    choices.push_back(options[i].load);
  }
  if (indices.empty()) return std::nullopt;
  if (indices.size() == 1) return Drawn{indices.front(), Reason::primary};
  const std::size_t drawn = choose(choices, random);
  if (const auto home = home_of(choices, drawn)) return Drawn{indices[*home], Reason::affinity};
  return Drawn{indices[drawn], several_targets ? Reason::weighted : Reason::primary};
}

/// Why the primary was passed over.
Reason passed_over(std::span<const Option> options) {
  Reason reason = Reason::unsupported_feature;
  for (const Option& option : options) {
    if (option.rank != 0) continue;
    if (!option.fits) return Reason::context_window;
    switch (option.state) {
      case State::circuit_open: return Reason::circuit_open;
      case State::cooling: return Reason::rate_limited;
      case State::set_aside: return Reason::credential_refused;
      case State::usable: reason = Reason::overloaded; break;
    }
  }
  return reason;
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
  constexpr std::array<std::string_view, 12> names{
      "primary",        "weighted",        "task",     "circuit_open", "rate_limited", "credential_refused",
      "context_window", "retry_exhausted", "affinity", "hedge",        "overloaded",   "unsupported_feature"};
  return names[static_cast<std::size_t>(reason)];
}

bool AttemptPlan::is_over() const {
  if (tried_.empty()) return false;
  const Remedy remedy = tried_.back().diagnosis.remedy;
  if (remedy == Remedy::nothing || tried_.size() >= settings_.attempts) return true;
  return last_timeout_ == Timeout::answering && timeouts_ > settings_.attempts_after_timeout;
}

bool AttemptPlan::is_refused(std::uint16_t target) const {
  return std::find(refused_.begin(), refused_.end(), target) != refused_.end();
}

bool AttemptPlan::was_asked(std::uint16_t target) const {
  return std::any_of(tried_.begin(), tried_.end(), [target](const Tried& tried) { return tried.target == target; });
}

/// Usable, and its target was not asked yet.
bool AttemptPlan::is_fresh(const Option& option) const {
  return is_usable(option) && !is_barred(option) && !was_asked(option.target);
}

/// What was learnt of an option in this request, for the rest of it.
bool AttemptPlan::is_barred(const Option& option) const {
  if (is_refused(option.target)) return true;
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
  // The first one is made whatever time there is: only it can tell.
  if (tried_.empty()) return deadline_ != never && now >= deadline_ ? Step{} : first(options, now, random);
  return is_over() || !in_time(now) ? Step{} : another(options, now, random);
}

AttemptPlan::Step AttemptPlan::first(std::span<const Option> options, SteadyTime now, Random& random) const {
  const auto fresh = [&](const Option& option) { return is_fresh(option); };
  if (const auto place = first_place(options, fresh)) return first_at(*place, options, now, random);
  // What was refused to one request may be given to the next: better than asking nobody.
  const auto is_aside = [&](const Option& option) { return option.state == State::set_aside && !is_barred(option); };
  if (const auto aside = draw(options, random, is_aside)) return {false, aside->option, now, false, Reason::primary};
  // A short wait is better than sending away who would come back at once; not all at the same moment.
  const auto cooled = first_to_cool(options);
  if (!cooled || options[*cooled].usable_at > now + settings_.backoff_max) return {};
  const SteadyTime at = options[*cooled].usable_at + up_to(settings_.backoff_base, random.unit());
  return in_time(at) ? Step{false, *cooled, at, false, Reason::primary} : Step{};
}

AttemptPlan::Step AttemptPlan::first_at(unsigned place, std::span<const Option> options, SteadyTime now,
                                        Random& random) const {
  const auto here = [&](const Option& option) { return is_fresh(option) && place_of(option) == place; };
  const auto probes = [&](const Option& option) { return here(option) && option.probes; };
  // Where nobody else can be asked that is large enough, it is the primary, though too small.
  const auto reason_of_drawn = [&](const Drawn& drawn) {
    return options[drawn.option].rank == 0 ? drawn.reason : passed_over(options);
  };
  if (const auto probe = draw(options, random, probes))
    return {false, probe->option, now, false, reason_of_drawn(*probe)};

  double share = 0;
  for (const Option& option : options)
    if (here(option)) share = std::max(share, option.load.share);
  const auto later = [&](const Option& option) { return is_fresh(option) && place_of(option) > place; };
  const auto next = share < 1 ? first_place(options, later) : std::nullopt;
  if (next && random.unit() >= share) {
    const auto drawn =
        draw(options, random, [&](const Option& option) { return later(option) && place_of(option) == *next; });
    return {false, drawn->option, now, false, Reason::circuit_open};
  }
  const auto drawn = draw(options, random, here);
  return {false, drawn->option, now, false, reason_of_drawn(*drawn)};
}

AttemptPlan::Step AttemptPlan::another(std::span<const Option> options, SteadyTime now, Random& random) const {
  const Tried& last = tried_.back();
  const Reason reason = reason_of(last.diagnosis.remedy);
  const auto fresh = [&](const Option& option) { return is_fresh(option); };
  const auto at_place = [&](unsigned place) {
    return draw(options, random, [&](const Option& option) { return fresh(option) && place_of(option) == place; });
  };
  if (const auto equal = at_place(last.place)) return {false, equal->option, now, false, reason};

  const bool credential_at_fault =
      last.diagnosis.remedy == Remedy::cool_down || last.diagnosis.remedy == Remedy::another_credential;
  const auto other_key = [&](const Option& option) {
    return is_usable(option) && !is_barred(option) && option.target == last.target &&
           option.credential != last.credential;
  };
  if (credential_at_fault)
    if (const auto other = draw(options, random, other_key)) return {false, other->option, now, false, reason};

  const auto next_place =
      first_place(options, [&](const Option& option) { return fresh(option) && place_of(option) > last.place; });
  if (const auto repeat = again(options, next_place.has_value(), now, random)) return *repeat;
  if (next_place) return {false, at_place(*next_place)->option, now, false, reason};

  // Nobody else: whoever says when it will be back.
  const auto cooled = first_to_cool(options);
  if (!cooled || !in_time(options[*cooled].usable_at)) return {};
  return {false, *cooled, options[*cooled].usable_at, was_asked(options[*cooled].target), reason};
}

/// The same one after a wait, where that is better than what else there is.
std::optional<AttemptPlan::Step> AttemptPlan::again(std::span<const Option> options, bool has_fallback, SteadyTime now,
                                                    Random& random) const {
  const Tried& last = tried_.back();
  const bool prefers_fallback = last_timeout_ != Timeout::none || last.diagnosis.remedy != Remedy::repeat;
  const bool last_is_needed = settings_.attempts - tried_.size() < 2;
  if (has_fallback && (prefers_fallback || last_is_needed)) return std::nullopt;
  const bool refused = std::find(no_repeats_.begin(), no_repeats_.end(), last.target) != no_repeats_.end();
  const auto same = draw(options, random, [&](const Option& option) {
    return !refused && is_usable(option) && !is_barred(option) && option.target == last.target;
  });
  if (!same) return std::nullopt;
  const SteadyTime at = wait_end(now, random);
  // A fallback that answers now is better than a target that asks for so long a pause.
  const bool long_pause = at > now + settings_.backoff_max;
  if (!in_time(at) || (long_pause && has_fallback)) return std::nullopt;
  return Step{false, same->option, at, true, reason_of(last.diagnosis.remedy)};
}

AttemptPlan::Step AttemptPlan::hedge(std::span<const Option> options, std::size_t running, SteadyTime now,
                                     Random& random) const {
  if (settings_.attempts - tried_.size() < 2 || !in_time(now)) return {};
  const unsigned from = place_of(options[running]);
  const auto other = [&](const Option& option) {
    return is_fresh(option) && option.target != options[running].target && place_of(option) >= from;
  };
  const auto place = first_place(options, other);
  if (!place) return {};
  const auto drawn =
      draw(options, random, [&](const Option& option) { return other(option) && place_of(option) == *place; });
  return {false, drawn->option, now, false, Reason::hedge};
}

std::optional<std::size_t> AttemptPlan::first_to_cool(std::span<const Option> options) const {
  std::optional<std::size_t> soonest;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].state != State::cooling || is_barred(options[i])) continue;
    if (!soonest || options[i].usable_at < options[*soonest].usable_at) soonest = i;
  }
  return soonest;
}

void AttemptPlan::outrun(const Option& option) {
  tried_.push_back({place_of(option), option.target, option.credential, {Remedy::repeat, Blame::none}, option.context});
}

void AttemptPlan::failed(const Option& option, Diagnosis diagnosis, Timeout timeout, std::optional<Millis> retry_after,
                         SteadyTime now) {
  tried_.push_back({place_of(option), option.target, option.credential, diagnosis, option.context});
  last_timeout_ = timeout;
  timeouts_ += timeout == Timeout::answering ? 1 : 0;
  not_before_ = retry_after ? now + *retry_after : SteadyTime{};
}

}  // namespace tollgate::policy
