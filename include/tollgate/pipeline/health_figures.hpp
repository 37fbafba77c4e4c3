#pragma once
#include "tollgate/policy/circuit.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tollgate::pipeline {

/// How targets and credentials fare, in numbers, each under the names that tell it from others. A name is empty where
/// there is none.
struct HealthFigures {
  using Names = std::vector<std::string>;
  using Counts = std::map<Names, std::uint64_t>;
  struct OfCircuit {
    policy::CircuitState state;
    bool forced;
  };
  std::map<Names, OfCircuit> circuits;  ///< by target and credential
  Counts transitions;                   ///< by target, credential and the state that it changed to, ever
  Counts repeats_denied;                ///< by target, ever
  std::map<Names, bool> set_aside;      ///< by provider and credential
};

}  // namespace tollgate::pipeline
