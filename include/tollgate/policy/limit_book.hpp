#pragma once
// Where the scopes of groups, tenants, keys, routes and models live, so that a reload finds them as they were.
#include "tollgate/base/clock.hpp"
#include "tollgate/policy/limit_scope.hpp"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace tollgate::policy {

/// Scopes by kind and name. Any thread; meant for a reload or a new key, not for every request.
class LimitBook {
 public:
  /// The one scope of that name, made or configured anew. Held by whoever may still admit by it.
  std::shared_ptr<LimitScope> scope(ScopeKind kind, std::string_view name, const Limits& limits, SteadyTime now);

  /// Forgets what nobody holds and what is at rest: nothing is forgiven by it, and a scope that returns before that
  /// goes on where it was. Returns how many went.
  std::size_t sweep(SteadyTime now);
  std::size_t size() const;

 private:
  using Names = std::map<std::string, std::shared_ptr<LimitScope>, std::less<>>;
  mutable std::mutex mutex_;  ///< over all below; taken before the lock of a scope
  std::array<Names, scope_kind_count> scopes_;
};

}  // namespace tollgate::policy
