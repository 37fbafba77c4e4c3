#pragma once
// A tenant's API key: who it stands for and what it may do. The key's own text is known to its holder alone.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/digest.hpp"
#include "tollgate/policy/budget_settings.hpp"
#include "tollgate/policy/limits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::policy {

/// Names of routes and of models; a trailing "*" stands for any rest.
struct Names {
  std::vector<std::string> routes, models;
  bool empty() const { return routes.empty() && models.empty(); }
  bool operator==(const Names&) const = default;
};

/// What may be called: all, where `allow` is not set; else what it lists; never what `deny` lists.
struct Rights {
  std::optional<Names> allow;
  Names deny;
  bool allow_all() const { return !allow && deny.empty(); }
  bool operator==(const Rights&) const = default;
};

enum class Priority : std::uint8_t { low, normal, high };
std::string_view name_of(Priority priority);
std::optional<Priority> priority_of(std::string_view name);

/// What the holder of a key may do at most, beyond what its tenant may.
struct KeySettings {
  std::vector<std::string> addresses;  ///< IPs and networks it may come from; empty: any
  Rights rights;
  Limits limits;
  std::vector<BudgetSettings> budgets;  ///< only of keys of the configuration
  bool may_delegate = false;            ///< may name an end user, whose limits and budgets then apply
  Priority max_priority = Priority::high;
  bool may_use_cache = true;
  std::optional<Millis> max_timeout;  ///< longest deadline of its requests
  bool operator==(const KeySettings&) const = default;
};

struct Key {
  std::string id;  ///< unique over all keys: "tenant/name" for one of the configuration, else made up
  std::string name;
  std::string tenant;
  Digest digest{};  ///< of the key's text
  std::string
      hint;  ///< its first and last characters, for people to tell keys apart; empty where only a digest is known
  SystemTime created{};
  std::optional<SystemTime> expires;
  bool managed_by_config = false;
  KeySettings settings;
  bool operator==(const Key&) const = default;
};

}  // namespace tollgate::policy
