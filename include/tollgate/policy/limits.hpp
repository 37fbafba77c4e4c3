#pragma once
// The amounts that an operator sets. What holds requests to them is limit_scope.hpp.
#include "tollgate/base/clock.hpp"

#include <cstdint>
#include <optional>

namespace tollgate::policy {

/// Which tokens of a request count against tokens_per_minute.
enum class TokenBasis : std::uint8_t { total, input, output };

/// What one group, tenant, key, end user, route or model may do. What is not set is not limited.
struct Limits {
  std::optional<std::uint64_t> requests_per_minute{};
  std::optional<std::uint64_t> tokens_per_minute{};
  std::optional<std::uint64_t> concurrency{};  ///< requests in flight at one time
  TokenBasis basis = TokenBasis::total;
  bool count_cached = true;                 ///< whether input tokens that the provider had cached count too
  Millis burst = std::chrono::seconds(60);  ///< how much of a rate may be used at once, in time's worth of it
  bool operator==(const Limits&) const = default;
  bool any() const { return requests_per_minute || tokens_per_minute || concurrency; }
};

}  // namespace tollgate::policy
