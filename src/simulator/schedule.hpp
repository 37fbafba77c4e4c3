#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/simulator/fault.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::simulator {

/// What failing requests are drawn from.
class Mix {
 public:
  /// Names with weights. Throws std::invalid_argument for a name that is no fault and for weights that mean nothing.
  explicit Mix(const std::map<std::string, double>& weights);
  bool empty() const { return sum_ == 0; }  ///< nothing to draw: no weight is above 0
  /// `chance` in [0, 1); not for an empty mix.
  Fault drawn(double chance) const;

 private:
  std::vector<std::pair<Fault, double>> weights_;  ///< all above 0
  double sum_ = 0;
};

/// How the provider fares at one moment.
struct Conditions {
  double failure_rate = 0;
  const Mix* mix = nullptr;  ///< of the schedule that was asked
  double slow = 1;
};

/// The settings over time: those of an ordinary day, and over them the phases. Pure: time is an argument.
class Schedule {
 public:
  /// Throws std::invalid_argument for what config::load would have refused.
  explicit Schedule(const config::SimulatorSettings& settings);
  /// `since_start`: since the first request that counts. The phases that are on then go over the settings in the order
  /// of the list, key by key.
  Conditions at(Micros since_start) const;

 private:
  struct Phase {
    config::SimulatorPhase settings;
    std::optional<Mix> mix;
  };

  double failure_rate_;
  double slow_;
  Mix mix_;
  std::vector<Phase> phases_;
};

}  // namespace tollgate::simulator
