#pragma once
// How the targets and their credentials fare, as all workers see them together. Outlives a configuration: what is known
// of a target by its name is not forgotten by a reload.
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/pipeline/health_figures.hpp"
#include "tollgate/pipeline/places.hpp"
#include "tollgate/policy/circuit.hpp"
#include "tollgate/policy/hedge_budget.hpp"
#include "tollgate/policy/load.hpp"
#include "tollgate/policy/retry_budget.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tollgate::pipeline {

/// A credential of ours at a provider: whether it may be used now. Any thread.
class CredentialHealth {
 public:
  enum class State : std::uint8_t {
    usable,
    cooling,   ///< it has used up its rate
    set_aside  ///< the provider refuses it, or it has no money left
  };
  struct View {
    State state = State::usable;
    SteadyTime until{};
  };
  View view(SteadyTime now) const;
  /// The later time counts.
  void cool_until(SteadyTime time);
  /// What the provider has answered.
  struct Refusal {
    std::uint16_t status = 0;
    std::string code{};  ///< fit for a log; empty: it said none
  };
  void set_aside(SteadyTime until, SteadyTime now, Refusal why);
  /// It was taken again.
  void accepted();

  static constexpr std::size_t most_news = 64;  ///< kept for take_news(); then the oldest go
  struct News {
    bool set_aside;  ///< it was not before; else: it was, and is accepted again
    Refusal why{};
  };
  /// Since the last call, oldest first, so that each is told once.
  std::vector<News> take_news();

 private:
  void tell(News news);

  std::atomic<SteadyTime::duration::rep> cool_until_{0}, aside_until_{0};
  std::mutex mutex_;
  std::vector<News> news_;
};

/// A target with what is known of it under each credential of its provider, and at the end under those of callers.
struct TargetHealth {
  std::string label;
  std::vector<std::string> credentials;                    ///< names, in the order of `circuits`
  std::vector<std::shared_ptr<policy::Circuit>> circuits;  ///< at least one
  std::shared_ptr<policy::RetryBudget> repeats;
  std::shared_ptr<policy::Load> load;
  std::shared_ptr<policy::HedgeBudget> hedges;
  std::shared_ptr<Places> places;  ///< null: not limited
  policy::Circuit& circuit_of_callers() const { return *circuits.back(); }
};

/// That of one configuration's targets and credentials, in the order of its lists.
struct Health {
  std::vector<std::vector<TargetHealth>> models;                            ///< by model and target
  std::vector<std::vector<std::shared_ptr<CredentialHealth>>> credentials;  ///< by provider and credential
};

/// Everything by name. Any thread.
class HealthBook {
 public:
  /// Puts the configuration's settings in force at once.
  std::shared_ptr<const Health> health_of(const config::Snapshot& snapshot, SteadyTime now);

  /// A circuit that has changed its state.
  struct Change {
    std::string target, credential;
    policy::Circuit::Transition transition;
  };
  static constexpr std::size_t most_changes = 10'000;  ///< kept for take_changes(); further ones are only counted
  /// Since the last call.
  std::vector<Change> take_changes();

  struct CredentialChange {
    std::string provider, credential;
    CredentialHealth::News news;
  };
  /// Since the last call.
  std::vector<CredentialChange> take_credential_changes();

  /// Of all that a configuration in use names.
  HealthFigures figures(SteadyTime now);

 private:
  void collect();
  template <class T, class... Arguments>
  std::shared_ptr<T> get(std::map<std::string, std::weak_ptr<T>>& known, const std::string& name,
                         const Arguments&... arguments);

  std::mutex mutex_;  ///< over all below
  std::map<std::string, std::weak_ptr<policy::Circuit>> circuits_;
  std::map<std::string, std::weak_ptr<policy::RetryBudget>> repeats_;
  std::map<std::string, std::weak_ptr<policy::Load>> loads_;
  std::map<std::string, std::weak_ptr<policy::HedgeBudget>> hedges_;
  std::map<std::string, std::weak_ptr<Places>> places_;
  std::map<std::string, std::weak_ptr<CredentialHealth>> credentials_;
  std::vector<Change> changes_;  ///< not yet taken
  HealthFigures::Counts transitions_;
};

}  // namespace tollgate::pipeline
