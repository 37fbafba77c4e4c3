// Names to what is known by them. The book holds nothing alive: what the last configuration and the last request have
// let go of is forgotten at the next reload.
// What is known lives as long as a configuration or a request names it: the book itself only knows where to find it, so
// a reload finds what it had before, and what nobody names is gone.
#include "tollgate/pipeline/health.hpp"

#include <utility>

namespace tollgate::pipeline {

namespace {

constexpr std::string_view of_callers = "(callers)";

SteadyTime time_of(SteadyTime::duration::rep count) { return SteadyTime(SteadyTime::duration(count)); }

/// Names hold no line break.
std::string joined(std::string_view one, std::string_view other) { return std::string(one).append("\n").append(other); }
std::pair<std::string, std::string> parted(const std::string& names) {
  const std::size_t end = names.find('\n');
  return {names.substr(0, end), names.substr(end + 1)};
}

}  // namespace

CredentialHealth::View CredentialHealth::view(SteadyTime now) const {
  const SteadyTime aside = time_of(aside_until_.load(std::memory_order_relaxed));
  if (now < aside) return {State::set_aside, aside};
  const SteadyTime cool = time_of(cool_until_.load(std::memory_order_relaxed));
  if (now < cool) return {State::cooling, cool};
  return {};
}

void CredentialHealth::cool_until(SteadyTime time) {
  const auto wanted = time.time_since_epoch().count();
  auto known = cool_until_.load(std::memory_order_relaxed);
  while (known < wanted && !cool_until_.compare_exchange_weak(known, wanted, std::memory_order_relaxed)) {
  }
}

void CredentialHealth::set_aside(SteadyTime until, SteadyTime now, Refusal why) {
  const auto before = aside_until_.exchange(until.time_since_epoch().count(), std::memory_order_relaxed);
  if (time_of(before) <= now) tell({true, std::move(why)});
}

void CredentialHealth::accepted() {
  // Asked of every request, and of hardly any more than this.
  if (aside_until_.load(std::memory_order_relaxed) == 0) return;
  if (aside_until_.exchange(0, std::memory_order_relaxed) != 0) tell({false});
}

void CredentialHealth::tell(News news) {
  const std::lock_guard lock(mutex_);
  if (news_.size() == most_news) news_.erase(news_.begin());
  news_.push_back(std::move(news));
}

std::vector<CredentialHealth::News> CredentialHealth::take_news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

template <class T, class... Arguments>
std::shared_ptr<T> HealthBook::get(std::map<std::string, std::weak_ptr<T>>& known, const std::string& name,
                                   const Arguments&... arguments) {
  auto& entry = known[name];
  auto found = entry.lock();
  if (found) return found;
  found = std::make_shared<T>(arguments...);
  entry = found;
  return found;
}

std::shared_ptr<const Health> HealthBook::health_of(const config::Snapshot& snapshot, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  auto health = std::make_shared<Health>();
  for (const config::Provider& provider : snapshot.providers) {
    auto& credentials = health->credentials.emplace_back();
    for (const config::Credential& credential : provider.credentials)
      credentials.push_back(get(credentials_, joined(provider.name, credential.name)));
  }
  for (const config::Model& model : snapshot.models) {
    auto& targets = health->models.emplace_back();
    for (const config::Target& target : model.targets) {
      const config::Provider& provider = snapshot.providers[target.provider];
      TargetHealth& known = targets.emplace_back();
      known.label = target.label;
      known.repeats = get(repeats_, target.label, policy::RetryBudgetSettings{});
      known.load = get(loads_, target.label, now);
      known.hedges = get(hedges_, target.label);
      if (provider.places.limit) {
        known.places = get(places_, target.label, provider.places);
        known.places->configure(provider.places, now);
      }
      for (const config::Credential& credential : provider.credentials) known.credentials.push_back(credential.name);
      known.credentials.emplace_back(provider.credentials.empty() ? std::string_view() : of_callers);
      for (const std::string& credential : known.credentials) {
        known.circuits.push_back(get(circuits_, joined(target.label, credential), provider.circuit));
        known.circuits.back()->configure(provider.circuit);
      }
    }
  }
  // What no configuration names any more is gone with its last request.
  std::erase_if(circuits_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(loads_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(hedges_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(places_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(repeats_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(credentials_, [](const auto& entry) { return entry.second.expired(); });
  return health;
}

/// A circuit tells each transition once, and both the log and the metrics want to know.
void HealthBook::collect() {
  for (const auto& [name, known] : circuits_) {
    const auto circuit = known.lock();
    if (!circuit) continue;
    const auto [target, credential] = parted(name);
    for (const auto& transition : circuit->take_transitions()) {
      if (transition.from != transition.to)
        ++transitions_[{target, credential, std::string(policy::name_of(transition.to))}];
      if (changes_.size() < most_changes) changes_.push_back({target, credential, transition});
    }
  }
}

std::vector<HealthBook::Change> HealthBook::take_changes() {
  const std::lock_guard lock(mutex_);
  collect();
  return std::exchange(changes_, {});
}

std::vector<HealthBook::CredentialChange> HealthBook::take_credential_changes() {
  const std::lock_guard lock(mutex_);
  std::vector<CredentialChange> changes;
  for (const auto& [name, known] : credentials_) {
    const auto credential = known.lock();
    if (!credential) continue;
    const auto [provider, credential_name] = parted(name);
    for (auto& news : credential->take_news()) changes.push_back({provider, credential_name, std::move(news)});
  }
  return changes;
}

HealthFigures HealthBook::figures(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  HealthFigures figures;
  for (const auto& [name, known] : circuits_) {
    const auto circuit = known.lock();
    if (!circuit) continue;
    const auto view = circuit->view(now);
    const auto [target, credential] = parted(name);
    figures.circuits.emplace(HealthFigures::Names{target, credential},
                             HealthFigures::OfCircuit{view.state, view.forced});
  }
  for (const auto& [target, known] : repeats_)
    if (const auto repeats = known.lock()) figures.repeats_denied[{target}] = repeats->denied();
  for (const auto& [name, known] : credentials_) {
    const auto credential = known.lock();
    if (!credential) continue;
    const auto [provider, credential_name] = parted(name);
    figures.set_aside[{provider, credential_name}] = credential->view(now).state == CredentialHealth::State::set_aside;
  }
  // To ask a circuit may have moved it on.
  collect();
  figures.transitions = transitions_;
  return figures;
}

}  // namespace tollgate::pipeline
