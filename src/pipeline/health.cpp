#include "tollgate/pipeline/health.hpp"

namespace tollgate::pipeline {

namespace {

constexpr std::string_view of_callers = "(callers)";

SteadyTime time_of(SteadyTime::duration::rep count) { return SteadyTime(SteadyTime::duration(count)); }

/// Names hold no line break.
std::string joined(std::string_view one, std::string_view other) { return std::string(one).append("\n").append(other); }

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

bool CredentialHealth::set_aside(SteadyTime until, SteadyTime now) {
  const auto before = aside_until_.exchange(until.time_since_epoch().count(), std::memory_order_relaxed);
  return time_of(before) <= now;
}

void CredentialHealth::accepted() {
  if (aside_until_.load(std::memory_order_relaxed) != 0) aside_until_.store(0, std::memory_order_relaxed);
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

std::vector<HealthBook::Change> HealthBook::take_changes() {
  const std::lock_guard lock(mutex_);
  std::vector<Change> changes;
  for (const auto& [name, known] : circuits_) {
    const auto circuit = known.lock();
    if (!circuit) continue;
    const std::size_t end = name.find('\n');
    for (const auto& transition : circuit->take_transitions())
      changes.push_back({name.substr(0, end), name.substr(end + 1), transition});
  }
  return changes;
}

}  // namespace tollgate::pipeline
