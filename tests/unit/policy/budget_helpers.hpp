#pragma once
// What the tests of budgets share: time zones of the past years by hand, moments in words, short ways to fill a chain.
#include "tollgate/base/instant.hpp"
#include "tollgate/policy/budget_hold.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::policy::budget_test {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;

inline SystemTime at(std::string_view text) { return parse_instant(text).value(); }
inline std::int64_t unix_time(std::string_view text) {
  return std::chrono::floor<seconds>(at(text)).time_since_epoch().count();
}
inline Money usd(std::int64_t dollars) { return {dollars * Money::nanos_per_dollar}; }
inline Money nanos(std::int64_t amount) { return {amount}; }

inline const SystemTime start = at("2026-11-22T10:00:00Z");

using Zone = std::shared_ptr<const TimeZone>;
inline Zone fixed(std::string name, std::int32_t offset) {
  return std::make_shared<const TimeZone>(std::move(name), offset, std::vector<TimeZone::Change>{});
}
struct Change {
  std::string_view when;
  std::int32_t offset;
};
inline Zone zone(std::string name, std::int32_t first, std::initializer_list<Change> changes) {
  std::vector<TimeZone::Change> all;
  for (const Change& change : changes) all.push_back({unix_time(change.when), change.offset});
  return std::make_shared<const TimeZone>(std::move(name), first, std::move(all));
}

using BudgetPointer = std::shared_ptr<Budget>;
inline BudgetPointer budget_of(const BudgetSettings& settings, ScopeKind kind = ScopeKind::tenant,
                               std::string owner = "acme") {
  return std::make_shared<Budget>(kind, std::move(owner), settings);
}
inline BudgetSettings settings_of(Money amount, Window window = Window::month, std::string name = "monthly") {
  BudgetSettings settings;
  settings.name = std::move(name);
  settings.amount = amount;
  settings.window = window;
  return settings;
}
inline BudgetChain chain_of(std::initializer_list<BudgetPointer> budgets) {
  BudgetChain chain;
  for (const BudgetPointer& budget : budgets)
    chain.put(std::make_shared<const BudgetList>(std::vector<BudgetPointer>{budget}));
  return chain;
}
/// The hold of what must be admitted.
inline BudgetHold held(const BudgetChain& chain, Money worst, SystemTime now, bool downgraded = false) {
  BudgetHold hold;
  EXPECT_FALSE(reserve(hold, chain, worst, now, downgraded).has_value());
  return hold;
}
/// Why what must be denied is denied; throws std::bad_optional_access otherwise.
inline BudgetDenial denied(const BudgetChain& chain, Money worst, SystemTime now, bool downgraded = false) {
  BudgetHold hold;
  return reserve(hold, chain, worst, now, downgraded).value();
}
inline void spend(const BudgetChain& chain, Money amount, SystemTime now) {
  held(chain, amount, now).settle(amount, now);
}

/// Keeps what it is told.
class Told final : public BudgetEvents {
 public:
  void tell(const BudgetEvent& event) override { events.push_back(event); }
  std::vector<BudgetEvent> events;
};

}  // namespace tollgate::policy::budget_test
