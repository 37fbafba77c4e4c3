// Budgets as they are read: every key, every place where they may stand, and what is known of them without a database
// of time zones. What is refused has its files in broken/.
#include "tollgate/config/schema.hpp"

#include "config/units.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

using policy::BudgetSettings;
using policy::WhenSpent;
using policy::Window;

Money usd(std::int64_t dollars) { return {dollars * Money::nanos_per_dollar}; }

/// A world whose database knows one zone.
Loaded load(const std::string& more, const LoadOptions& options = {}) {
  test::Memory memory;
  memory.files["/etc/tollgate/routes.yaml"] = test::valid_with(more);
  Sources sources = memory.sources();
  sources.time_zone = [](const std::string& name) -> Result<std::shared_ptr<const policy::TimeZone>> {
    if (name == "Europe/Berlin")
      return std::make_shared<const policy::TimeZone>(name, 3600, std::vector<policy::TimeZone::Change>{});
    return Failure{.kind = FailureKind::internal, .message = name + " is not there"};
  };
  sources.time_zone_names = [] { return std::vector<std::string>{"Europe/Berlin", "Europe/Bern"}; };
  return config::load("/etc/tollgate/routes.yaml", sources, options);
}

BudgetSettings only(const std::string& budget) {
  const Loaded loaded = load("tenants: {acme: {budgets: [" + budget + "]}}\n");
  EXPECT_TRUE(loaded.snapshot) << test::all_text(loaded);
  return loaded.snapshot ? loaded.snapshot->tenants[0].budgets.at(0) : BudgetSettings();
}

TEST(Budgets, have_their_defaults) {
  const BudgetSettings budget = only("{name: monthly, amount: 500 USD}");
  BudgetSettings expected;
  expected.name = "monthly";
  expected.amount = usd(500);
  EXPECT_EQ(budget, expected);
  EXPECT_EQ(budget.window, Window::month);
  EXPECT_EQ(budget.zone->name(), "UTC");
  EXPECT_EQ(budget.alert_at, (std::vector<std::uint32_t>{500'000, 800'000, 1'000'000}));
}

TEST(Budgets, are_read_with_every_key) {
  const BudgetSettings budget = only(
      "{name: weekly, amount: 0.000000001 USD, window: week, timezone: Europe/Berlin, when_spent: {downgrade_to: "
      "small},"
      " stop_at: 2 USD, alert_at: [99.5%, 10%, 10%], forecast: true, notify: [platform], volatile: true}");
  EXPECT_EQ(budget.amount, Money{1});
  EXPECT_EQ(budget.window, Window::week);
  EXPECT_EQ(budget.zone->name(), "Europe/Berlin");
  EXPECT_EQ(budget.when_spent, WhenSpent::downgrade);
  EXPECT_EQ(budget.downgrade_to, "small");
  EXPECT_EQ(budget.stop_at, usd(2));
  EXPECT_EQ(budget.alert_at, (std::vector<std::uint32_t>{100'000, 995'000})) << "in their order, each once";
  EXPECT_TRUE(budget.forecast);
  EXPECT_TRUE(budget.is_volatile);
  EXPECT_EQ(budget.notify, std::vector<std::string>{"platform"});
  EXPECT_EQ(only("{name: a, amount: 1 USD, when_spent: shadow, alert_at: []}").when_spent, WhenSpent::shadow);
  EXPECT_EQ(only("{name: a, amount: 1 USD, when_spent: alert}").when_spent, WhenSpent::alert);
  EXPECT_EQ(only("{name: a, amount: 1 USD, when_spent: reject}").when_spent, WhenSpent::reject);
}

TEST(Budgets, may_stand_wherever_limits_may) {
  test::Memory memory;
  const Loaded loaded = memory.load(
      "version: 1\n"
      "providers: {sim: {simulator: {}}}\n"
      "models: {small: {provider: sim, budgets: [{name: m, amount: 1 USD}]}}\n"
      "routes: {auto: {primary: small, budgets: [{name: r, amount: 2 USD}]}}\n"
      "groups: {retail: {budgets: [{name: g, amount: 3 USD}]}}\n"
      "tenants:\n"
      "  acme:\n"
      "    group: retail\n"
      "    budgets: [{name: t, amount: 4 USD}, {name: t2, amount: 5 USD, window: day}]\n"
      "    end_user_budgets: [{name: u, amount: 6 USD}]\n"
      "    keys: [{name: ci, secret: a-secret-of-20-bytes-or-more, budgets: [{name: k, amount: 7 USD}]}]\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  const Snapshot& snapshot = *loaded.snapshot;
  EXPECT_EQ(snapshot.models[0].budgets.at(0).amount, usd(1));
  EXPECT_EQ(snapshot.routes[0].budgets.at(0).amount, usd(2));
  EXPECT_EQ(snapshot.groups[0].budgets.at(0).amount, usd(3));
  EXPECT_EQ(snapshot.tenants[0].budgets.at(1).amount, usd(5));
  EXPECT_EQ(snapshot.tenants[0].end_user_budgets.at(0).amount, usd(6));
  EXPECT_EQ(snapshot.tenants[0].keys[0].settings.budgets.at(0).amount, usd(7));
  const std::string shown = effective(snapshot);
  for (const char* amount : {"1 USD", "2 USD", "3 USD", "4 USD", "5 USD", "6 USD", "7 USD"})
    EXPECT_NE(shown.find("\"" + std::string(amount) + "\""), std::string::npos) << amount;
}

TEST(Budgets, suggest_a_time_zone_that_there_is) {
  const Loaded loaded = load("tenants: {acme: {budgets: [{name: a, amount: 1 USD, timezone: Europe/Berln}]}}\n");
  ASSERT_EQ(loaded.faults.size(), 1u) << test::all_text(loaded);
  EXPECT_EQ(loaded.faults[0].suggestion, "did you mean 'Europe/Berlin'?");
  EXPECT_EQ(loaded.faults[0].line, 4);
  EXPECT_EQ(loaded.faults[0].column, 63);
}

TEST(Budgets, are_checked_without_the_secrets_they_refer_to) {
  const Loaded loaded = load(
      "tenants: {acme: {budgets: [{name: a, amount: \"${LIMIT}\", timezone: \"${ZONE}\","
      " when_spent: {downgrade_to: \"${MODEL}\"}}]}}\n",
      {.allow_unset = true});
  EXPECT_TRUE(loaded.snapshot) << test::all_text(loaded);
}

TEST(Budgets, without_storage_are_those_that_say_so) {
  test::Memory memory;
  const Loaded loaded = memory.load(
      "version: 1\nproviders: {sim: {simulator: {}}}\n"
      "models: {small: {provider: sim, budgets: [{name: a, amount: 1 USD, volatile: true},"
      " {name: b, amount: 1 USD, when_spent: shadow}]}}\n");
  EXPECT_TRUE(loaded.snapshot) << test::all_text(loaded);
}

TEST(Units, money_has_its_currency) {
  EXPECT_EQ(*parse_usd("500 USD"), usd(500));
  EXPECT_EQ(*parse_usd("0.05 USD"), Money{50'000'000});
  EXPECT_EQ(show_usd(Money{50'000'000}), "0.05 USD");
  for (const char* bad : {"", "USD", " USD", "500", "500USD", "500  USD", "-1 USD", "1e3 USD", "500 usd", "500 EUR",
                          "0.0000000001 USD", "$500", "1,000 USD"})
    EXPECT_FALSE(parse_usd(bad)) << bad;
}

}  // namespace
}  // namespace tollgate::config
