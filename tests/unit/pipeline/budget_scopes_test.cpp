// The budgets of a configuration: put in force, found again by a reload, told as figures. They are the only budgets
// that operators see, so none may be told twice or under another's name.
#include "tollgate/pipeline/budget_scopes.hpp"

#include "tollgate/base/instant.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline {
namespace {

const SystemTime now = parse_instant("2026-11-22T10:00:00Z").value();

policy::BudgetSettings budget(const char* name, std::int64_t nanos) {
  policy::BudgetSettings settings;
  settings.name = name;
  settings.amount = {nanos};
  return settings;
}

config::Snapshot snapshot_of(std::int64_t amount) {
  config::Snapshot snapshot;
  snapshot.groups.resize(1);
  snapshot.groups[0].name = "retail";
  snapshot.groups[0].budgets = {budget("year", 7)};
  snapshot.tenants.resize(2);
  snapshot.tenants[0].name = "acme";
  snapshot.tenants[0].budgets = {budget("monthly", amount)};
  snapshot.tenants[0].end_user_budgets = {budget("daily", 3)};
  for (const char* id : {"acme/ci", "acme/ci/2"}) {
    policy::Key& key = snapshot.tenants[0].keys.emplace_back();
    key.id = id;
    key.name = "ci";
    key.tenant = "acme";
    key.settings.budgets = {budget("monthly", 5)};
  }
  snapshot.tenants[1].name = "umbrella";
  return snapshot;
}

TEST(BudgetScopes, are_in_the_order_of_the_configuration_and_null_where_there_are_none) {
  LiveState live;
  const auto scopes = budget_scopes(snapshot_of(100), live, now);
  ASSERT_EQ(scopes->groups.size(), 1u);
  ASSERT_EQ(scopes->tenants.size(), 2u);
  EXPECT_EQ(scopes->tenants[0]->budgets()[0]->id(), policy::budget_id("tenant/acme/monthly"));
  EXPECT_EQ(scopes->tenants[1], nullptr);
  EXPECT_EQ(scopes->end_users.at(0)->size(), 1u);
  EXPECT_EQ(scopes->end_users.at(1), nullptr);
  EXPECT_FALSE(scopes->for_all);
  EXPECT_EQ(scopes->live, &live);
  config::Snapshot with_model = snapshot_of(100);
  with_model.models.resize(1);
  with_model.models[0].budgets = {budget("all", 1)};
  EXPECT_TRUE(budget_scopes(with_model, live, now)->for_all);
}

TEST(BudgetScopes, keep_what_was_spent_over_a_reload) {
  LiveState live;
  policy::BudgetChain chain;
  chain.put(budget_scopes(snapshot_of(100), live, now)->tenants[0]);
  policy::BudgetHold hold;
  ASSERT_FALSE(reserve(hold, chain, {60}, now, false));
  hold.settle({40}, now);
  policy::BudgetChain after;
  after.put(budget_scopes(snapshot_of(50), live, now)->tenants[0]);
  EXPECT_EQ(remaining(after, now), Money{10});
}

TEST(BudgetScopes, are_one_for_two_keys_of_one_name) {
  LiveState live;
  const config::Snapshot snapshot = snapshot_of(100);
  const auto first = known_key(snapshot.tenants[0].keys[0], live, SteadyTime{}, now);
  const auto second = known_key(snapshot.tenants[0].keys[1], live, SteadyTime{}, now);
  EXPECT_EQ(first->budgets->budgets()[0], second->budgets->budgets()[0]);
  policy::Key plain;
  plain.tenant = "acme";
  plain.name = "plain";
  EXPECT_EQ(known_key(plain, live, SteadyTime{}, now)->budgets, nullptr);
}

TEST(BudgetFigures, tell_each_budget_once_by_a_name_of_its_own) {
  LiveState live;
  const config::Snapshot snapshot = snapshot_of(100);
  const auto scopes = budget_scopes(snapshot, live, now);
  const auto key = known_key(snapshot.tenants[0].keys[0], live, SteadyTime{}, now);
  policy::BudgetChain chain;
  chain.put(scopes->tenants[0]);
  policy::BudgetHold spent, held;
  ASSERT_FALSE(reserve(spent, chain, {10}, now, false));
  spent.settle({12}, now);
  ASSERT_FALSE(reserve(held, chain, {3}, now, false));
  const auto figures = budget_figures(snapshot, live, now);
  ASSERT_EQ(figures.size(), 3u);
  EXPECT_EQ(figures[0].tenant, "");
  EXPECT_EQ(figures[0].budget, "group/retail/year");
  EXPECT_EQ(figures[1].tenant, "acme");
  EXPECT_EQ(figures[1].budget, "monthly");
  EXPECT_EQ(figures[1].limit, Money{100});
  EXPECT_EQ(figures[1].spent, Money{12});
  EXPECT_EQ(figures[1].reserved, Money{3});
  EXPECT_EQ(figures[1].overshoot, Money{2});
  EXPECT_EQ(figures[2].tenant, "acme");
  EXPECT_EQ(figures[2].budget, "ci/monthly");
}

}  // namespace
}  // namespace tollgate::pipeline
