#pragma once
// What the tests of limits share: a first moment, and short ways to say whose limits and what a request did.
#include "tollgate/policy/admission.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace tollgate::policy::limits_test {

using std::chrono::minutes;
using std::chrono::nanoseconds;

inline const SteadyTime start = SteadyTime{} + std::chrono::hours(7) + nanoseconds(123'456'789);

using Scope = std::shared_ptr<LimitScope>;

inline Scope scope_of(ScopeKind kind, const Limits& limits, std::string name = "one") {
  return std::make_shared<LimitScope>(kind, std::move(name), limits, start);
}

inline ScopeChain chain_of(std::initializer_list<Scope> scopes) {
  ScopeChain chain;
  for (const Scope& scope : scopes) chain.add(scope);
  return chain;
}

/// A hold, or why not and what is left.
struct Refused {
  Denial denial;
  Standing standing;
};
using Outcome = std::variant<Hold, Refused>;

inline Outcome admit(ScopeChain chain, const Demand& demand, SteadyTime now) {
  Hold hold;
  hold.begin() = std::move(chain);
  Standing after;
  auto denial = admit(hold, demand, now, after);
  if (denial) return Refused{*std::move(denial), after};
  return hold;
}

inline bool is_admitted(const Outcome& outcome) { return std::holds_alternative<Hold>(outcome); }

/// The hold of what must be admitted, or the denial of what must be denied; throws std::bad_variant_access otherwise.
inline Hold admitted(const ScopeChain& chain, const Demand& demand, SteadyTime now) {
  return std::get<Hold>(admit(chain, demand, now));
}
inline Denial denied(const ScopeChain& chain, const Demand& demand, SteadyTime now) {
  return std::get<Refused>(admit(chain, demand, now)).denial;
}

inline std::uint64_t requests_left(const Scope& scope, SteadyTime now) {
  return standing(chain_of({scope}), now).requests.value().remaining;
}
inline std::uint64_t tokens_left(const Scope& scope, SteadyTime now) {
  return standing(chain_of({scope}), now).tokens.value().remaining;
}

}  // namespace tollgate::policy::limits_test
