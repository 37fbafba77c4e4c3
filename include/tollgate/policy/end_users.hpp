#pragma once
// Limits of end users, of whom a client may name any number: a table of bounded size in front of LimitScope.
#include "tollgate/base/clock.hpp"
#include "tollgate/policy/limit_scope.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tollgate::policy {

/// Scopes by tenant and end user. Any thread.
class EndUserScopes {
 public:
  /// Holds at most `capacity` of them, and one more per tenant for its overflow.
  explicit EndUserScopes(std::size_t capacity);

  /// The scope of an end user, known by a hash of its name (64 bits of a digest), so that no table holds names; made,
  /// or found and configured anew where `limits` have changed. Its name is "tenant/0123456789abcdef".
  ///
  /// Where the table is full, one takes the place of another that nobody holds and that is at rest, since forgetting
  /// that changes nothing. Where none of a few is, this end user shares the tenant's one overflow scope, "tenant/*",
  /// with all others of whom that is true: made-up names gain a tenant nothing beyond the table.
  std::shared_ptr<LimitScope> scope(std::string_view tenant, std::uint64_t end_user, const Limits& limits,
                                    SteadyTime now);

  std::size_t size() const;  ///< without the overflows

 private:
  struct Sought {
    std::string_view tenant;
    std::uint64_t end_user;
  };
  struct Name {
    std::string tenant;
    std::uint64_t end_user;
    operator Sought() const { return {tenant, end_user}; }
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Sought& sought) const;
  };
  struct Same {
    using is_transparent = void;
    bool operator()(const Sought& one, const Sought& other) const {
      return one.end_user == other.end_user && one.tenant == other.tenant;
    }
  };
  using Scopes = std::unordered_map<Name, std::shared_ptr<LimitScope>, Hash, Same>;

  struct Shard {
    std::shared_ptr<LimitScope> find(const Sought& sought, const Limits& limits, SteadyTime now);
    Scopes::iterator find_at_rest(SteadyTime now);

    mutable std::mutex mutex;  ///< over all below; taken before the lock of a scope
    Scopes scopes;
    std::size_t capacity = 0;
    std::vector<const Scopes::value_type*> ring;  ///< all of `scopes`, whose nodes never move
    std::size_t hand = 0;                         ///< where in the ring to look for room next
  };

  std::shared_ptr<LimitScope> overflow(std::string_view tenant, const Limits& limits, SteadyTime now);

  std::vector<Shard> shards_;
  std::mutex overflow_mutex_;
  std::map<std::string, std::shared_ptr<LimitScope>, std::less<>> overflows_;  ///< as many as tenants at most
};

}  // namespace tollgate::policy
