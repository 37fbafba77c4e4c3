#pragma once
// What an operator sets: how much may be spent over which time, and what becomes of requests then.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/policy/budget_window.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::policy {

/// What becomes of a request that a budget has no room for.
enum class WhenSpent : std::uint8_t {
  reject,
  downgrade,  ///< a cheaper model answers, until `stop_at`
  alert,      ///< goes on; only those are told who are to be notified
  shadow      ///< goes on, and is counted as one that would have been refused
};

struct BudgetSettings {
  std::string name;  ///< unique within its owner; what was spent goes by it
  Money amount;      ///< 0 to most_budget
  Window window = Window::month;
  std::shared_ptr<const TimeZone> zone = TimeZone::utc();  ///< never null
  WhenSpent when_spent = WhenSpent::reject;
  std::string downgrade_to;      ///< a model's name
  std::optional<Money> stop_at;  ///< what downgraded requests are held to; not set: the amount
  /// Shares of the amount, in millionths and ascending, that somebody is told of when they are spent.
  std::vector<std::uint32_t> alert_at{500'000, 800'000, 1'000'000};
  std::vector<std::string> notify;  ///< names of `alerts:`
  bool forecast = false;            ///< tell also when the window will end above the amount if all goes on like this
  bool is_volatile = false;         ///< may begin at 0 whenever the gateway starts

  bool operator==(const BudgetSettings& other) const;
};
inline constexpr Money most_budget{1'000'000'000 * Money::nanos_per_dollar};
inline constexpr std::size_t most_thresholds = 8;
inline constexpr std::size_t most_budgets_of_one = 4;  ///< that one owner may have

/// More for a while.
struct Grant {
  Money amount;
  SystemTime until{};
  std::string reason;
  bool operator==(const Grant&) const = default;
};

}  // namespace tollgate::policy
