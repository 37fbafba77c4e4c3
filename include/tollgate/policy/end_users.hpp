#pragma once
// Limits of end users, of whom a client may name any number: a table of bounded size in front of LimitScope.
#include "tollgate/base/clock.hpp"
#include "tollgate/policy/end_user_table.hpp"
#include "tollgate/policy/limit_scope.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace tollgate::policy {

/// Scopes by tenant and end user. Any thread.
class EndUserScopes {
 public:
  /// Holds at most `capacity` of them, and one more per tenant for its overflow.
  explicit EndUserScopes(std::size_t capacity) : scopes_(capacity) {}

  /// The scope of an end user, known by a hash of its name (64 bits of a digest), so that no table holds names; made,
  /// or found and configured anew where `limits` have changed. Its name is "tenant/0123456789abcdef".
  ///
  /// Where the table is full, one takes the place of another that nobody holds and that is at rest, since forgetting
  /// that changes nothing. Where none of a few is, this end user shares the tenant's one overflow scope, "tenant/*",
  /// with all others of whom that is true: made-up names gain a tenant nothing beyond the table.
  std::shared_ptr<LimitScope> scope(std::string_view tenant, std::uint64_t end_user, const Limits& limits,
                                    SteadyTime now);

  std::size_t size() const { return scopes_.size(); }  ///< without the overflows

 private:
  std::shared_ptr<LimitScope> overflow(std::string_view tenant, const Limits& limits, SteadyTime now);

  EndUserTable<std::shared_ptr<LimitScope>> scopes_;
  std::mutex overflow_mutex_;
  std::map<std::string, std::shared_ptr<LimitScope>, std::less<>> overflows_;  ///< as many as tenants at most
};

}  // namespace tollgate::policy
