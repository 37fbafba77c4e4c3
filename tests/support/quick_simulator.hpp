#pragma once
#include "tollgate/config/snapshot.hpp"

namespace tollgate::test {

/// Settings of a simulator that answers at once and as fast as it is read, unless told otherwise.
inline config::SimulatorSettings quick_simulator(std::size_t answer_tokens, Millis first_token = Millis(0),
                                                 double tokens_per_second = 1e6) {
  config::SimulatorSettings settings;
  settings.first_token = first_token;
  settings.tokens_per_second = tokens_per_second;
  settings.answer_tokens = answer_tokens;
  return settings;
}

}  // namespace tollgate::test
