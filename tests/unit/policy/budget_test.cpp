// What one budget and a chain of them let through, to the nano-dollar, and what a denial says. Random lives of many are
// in budget_model_test.cpp.
#include "tollgate/policy/budget.hpp"

#include "unit/policy/budget_helpers.hpp"

#include <limits>
#include <stdexcept>

namespace tollgate::policy {
namespace {

using namespace budget_test;

TEST(Budget, admits_up_to_its_amount_and_not_a_nano_dollar_more) {
  const auto budget = budget_of(settings_of(usd(10)));
  const BudgetChain chain = chain_of({budget});
  const BudgetHold rest = held(chain, usd(10) - nanos(1), start);
  EXPECT_EQ(denied(chain, nanos(2), start).budget, "monthly");
  const BudgetHold last = held(chain, nanos(1), start);
  EXPECT_EQ(budget->standing(start).held, usd(10));
  EXPECT_EQ(remaining(chain, start), nanos(0));
}

TEST(Budget, is_settled_by_what_was_used_and_gives_back_the_rest) {
  const auto budget = budget_of(settings_of(usd(10)));
  const BudgetChain chain = chain_of({budget});
  BudgetHold hold = held(chain, usd(8), start);
  hold.settle(usd(3), start);
  hold.settle(usd(3), start);  // once only
  hold.release();
  const BudgetStanding standing = budget->standing(start);
  EXPECT_EQ(standing.spent, usd(3));
  EXPECT_EQ(standing.held, nanos(0));
  EXPECT_EQ(standing.overshoot, nanos(0));
  EXPECT_EQ(remaining(chain, start), usd(7));
}

TEST(Budget, gets_everything_back_of_a_call_that_was_not_sent) {
  const auto budget = budget_of(settings_of(usd(10)));
  BudgetHold hold = held(chain_of({budget}), usd(8), start);
  hold.release();
  hold.settle(usd(8), start);
  EXPECT_EQ(budget->standing(start).spent, nanos(0));
  EXPECT_EQ(budget->standing(start).held, nanos(0));
  EXPECT_TRUE(budget->at_rest(start));
}

TEST(Budget, counts_a_call_that_is_dropped_as_what_was_held_for_it) {
  const auto budget = budget_of(settings_of(usd(10)));
  { const BudgetHold hold = held(chain_of({budget}), usd(4), start); }
  EXPECT_EQ(budget->standing(start).spent, usd(4));
  EXPECT_EQ(budget->standing(start).held, nanos(0));
}

TEST(Budget, posts_in_full_what_a_call_has_cost_beyond_what_was_held) {
  const auto budget = budget_of(settings_of(usd(10)));
  const BudgetChain chain = chain_of({budget});
  held(chain, usd(1), start).settle(usd(12), start);
  EXPECT_EQ(budget->standing(start).spent, usd(12));
  EXPECT_EQ(budget->standing(start).overshoot, usd(11));
  EXPECT_EQ(budget->standing(start + hours(24 * 30)).overshoot, nanos(0));
  EXPECT_EQ(budget->standing(start + hours(24 * 30)).overshoot_ever, usd(11));
  EXPECT_EQ(remaining(chain, start), nanos(0));
  EXPECT_TRUE(denied(chain, nanos(1), start).is_spent);
}

TEST(Budget, tells_spent_and_held_apart) {
  const auto budget = budget_of(settings_of(usd(10)));
  const BudgetChain chain = chain_of({budget});
  spend(chain, usd(4), start);
  BudgetHold hold = held(chain, usd(5), start);
  const BudgetDenial waits = denied(chain, usd(2), start);
  EXPECT_FALSE(waits.is_spent);
  EXPECT_EQ(waits.limit, usd(10));
  EXPECT_EQ(waits.spent, usd(4));
  EXPECT_EQ(waits.held, usd(5));
  EXPECT_EQ(waits.worst, usd(2));
  EXPECT_EQ(waits.kind, ScopeKind::tenant);
  EXPECT_EQ(waits.owner, "acme");
  EXPECT_EQ(show_instant(waits.window.end), "2026-12-01T00:00:00Z");
  hold.settle(usd(5), start);
  EXPECT_TRUE(denied(chain, usd(2), start).is_spent);
  EXPECT_TRUE(denied(chain, usd(11), start).is_spent);
}

TEST(Budget, never_stands_in_the_way_of_what_costs_nothing) {
  const auto budget = budget_of(settings_of(usd(1)));
  const BudgetChain chain = chain_of({budget});
  held(chain, usd(1), start).settle(usd(5), start);
  EXPECT_TRUE(held(chain, nanos(0), start).is_open());
  EXPECT_TRUE(held(chain, nanos(-5), start).is_open());
}

TEST(Budget, changes_nothing_in_any_budget_where_one_has_no_room) {
  const auto group = budget_of(settings_of(usd(100)), ScopeKind::group, "retail");
  const auto tenant = budget_of(settings_of(usd(10)));
  const auto key = budget_of(settings_of(usd(1)), ScopeKind::key, "acme/ci");
  const BudgetChain chain = chain_of({group, tenant, key});
  EXPECT_EQ(denied(chain, usd(2), start).kind, ScopeKind::key);
  EXPECT_EQ(denied(chain, usd(20), start).owner, "acme");  // both are spent: the first of equals
  for (const auto& budget : {group, tenant, key}) EXPECT_EQ(budget->standing(start).held, nanos(0));
  BudgetHold hold = held(chain, usd(1), start);
  hold.settle(nanos(7), start);
  for (const auto& budget : {group, tenant, key}) EXPECT_EQ(budget->standing(start).spent, nanos(7));
}

TEST(Budget, begins_anew_with_the_window_and_settles_in_the_one_of_the_reservation) {
  const auto budget = budget_of(settings_of(usd(10), Window::day));
  const BudgetChain chain = chain_of({budget});
  const SystemTime midnight = at("2026-11-23T00:00:00Z");
  BudgetHold over = held(chain, usd(10), midnight - nanoseconds(1));
  ASSERT_EQ(over.shares().size(), 1u);
  EXPECT_EQ(over.shares()[0], (BudgetShare{budget->id(), unix_time("2026-11-22")}));
  EXPECT_EQ(denied(chain, usd(1), midnight - nanoseconds(1)).held, usd(10));
  EXPECT_EQ(remaining(chain, midnight), usd(10));
  BudgetHold next = held(chain, usd(10), midnight);
  over.settle(usd(9), midnight + hours(1));
  EXPECT_EQ(budget->standing(midnight).spent, nanos(0));
  EXPECT_EQ(budget->standing(midnight).held, usd(10));
  EXPECT_EQ(budget->standing(midnight - seconds(1)).spent, usd(9));
  EXPECT_EQ(over.shares()[0].window, unix_time("2026-11-22"));
}

TEST(Budget, finds_its_count_again_when_the_clock_is_set_back_over_the_end_of_a_window) {
  const auto budget = budget_of(settings_of(usd(10), Window::day));
  const BudgetChain chain = chain_of({budget});
  const SystemTime midnight = at("2026-11-23T00:00:00Z");
  spend(chain, usd(9), midnight - seconds(1));
  spend(chain, usd(3), midnight);
  EXPECT_EQ(remaining(chain, midnight - seconds(1)), usd(1));
  EXPECT_EQ(remaining(chain, midnight), usd(7));
}

TEST(Budget, ends_a_call_that_outlives_all_that_is_known_of_its_window) {
  const auto budget = budget_of(settings_of(usd(10), Window::hour));
  const BudgetChain chain = chain_of({budget});
  BudgetHold old = held(chain, usd(10), start);
  for (int i = 1; i <= 3; ++i) spend(chain, usd(1), start + hours(i));
  old.settle(usd(10), start + hours(3));
  EXPECT_EQ(budget->standing(start + hours(3)).spent, usd(1));
  EXPECT_EQ(budget->standing(start + hours(3)).held, nanos(0));
}

TEST(Budget, names_the_model_to_downgrade_to_and_holds_what_was_downgraded_to_stop_at) {
  BudgetSettings settings = settings_of(usd(10));
  settings.when_spent = WhenSpent::downgrade;
  settings.downgrade_to = "local-small";
  settings.stop_at = usd(12);
  const BudgetChain chain = chain_of({budget_of(settings)});
  spend(chain, usd(10), start);
  EXPECT_EQ(denied(chain, usd(1), start).downgrade_to, "local-small");
  held(chain, usd(2), start, true).settle(usd(2), start);
  const BudgetDenial stopped = denied(chain, nanos(1), start, true);
  EXPECT_EQ(stopped.downgrade_to, "");
  EXPECT_EQ(stopped.limit, usd(12));
  EXPECT_TRUE(stopped.is_spent);
}

TEST(Budget, names_first_what_no_cheaper_model_helps_against) {
  BudgetSettings downgrades = settings_of(usd(1));
  downgrades.when_spent = WhenSpent::downgrade;
  downgrades.downgrade_to = "local-small";
  const auto tenant = budget_of(downgrades);
  const auto key = budget_of(settings_of(usd(1)), ScopeKind::key, "acme/ci");
  EXPECT_EQ(denied(chain_of({tenant, key}), usd(2), start).kind, ScopeKind::key);
  const BudgetHold hold = held(chain_of({key}), usd(1), start);
  const BudgetDenial spent_first = denied(chain_of({tenant, key}), usd(2), start);
  EXPECT_EQ(spent_first.kind, ScopeKind::key);  // 2 USD do not fit into it either way
  const BudgetDenial spent_before_held = denied(chain_of({budget_of(settings_of(nanos(5))), key}), nanos(6), start);
  EXPECT_EQ(spent_before_held.kind, ScopeKind::tenant);
  EXPECT_TRUE(spent_before_held.is_spent);
}

TEST(Budget, only_counts_where_it_alerts_or_shadows) {
  BudgetSettings alerts = settings_of(usd(1)), shadows = settings_of(usd(2), Window::month, "shadow");
  alerts.when_spent = WhenSpent::alert;
  shadows.when_spent = WhenSpent::shadow;
  const auto alert = budget_of(alerts), shadow = budget_of(shadows, ScopeKind::key, "acme/ci");
  const BudgetChain chain = chain_of({alert, shadow});
  for (int i = 0; i < 3; ++i) spend(chain, usd(1), start);
  EXPECT_EQ(alert->standing(start).spent, usd(3));
  EXPECT_EQ(alert->standing(start).beyond, 2u);
  EXPECT_EQ(shadow->standing(start).beyond, 1u);
  EXPECT_FALSE(remaining(chain, start).has_value());
  EXPECT_EQ(denied(chain_of({budget_of(settings_of(usd(1)), ScopeKind::group, "g"), shadow}), usd(2), start).kind,
            ScopeKind::group);
  EXPECT_EQ(shadow->standing(start).beyond, 1u) << "what another budget refuses is not counted";
}

TEST(Budget, has_more_while_a_grant_lasts) {
  BudgetSettings settings = settings_of(usd(10));
  settings.when_spent = WhenSpent::downgrade;
  settings.stop_at = usd(11);
  const auto budget = budget_of(settings);
  const BudgetChain chain = chain_of({budget});
  spend(chain, usd(10), start);
  budget->set_grants({{usd(5), start + hours(1), "launch"}, {usd(1), start + hours(2), "more"}}, start);
  EXPECT_EQ(budget->standing(start).limit, usd(16));
  EXPECT_EQ(remaining(chain, start), usd(6));
  EXPECT_EQ(remaining(chain, start + hours(1) - nanoseconds(1)), usd(6));
  EXPECT_EQ(remaining(chain, start + hours(1)), usd(1));
  EXPECT_EQ(denied(chain, usd(3), start + hours(1), true).limit, usd(12));
  EXPECT_EQ(remaining(chain, start + hours(2)), nanos(0));
  EXPECT_EQ(remaining(chain, start), usd(6)) << "also when the clock is set back";
}

TEST(Budget, keeps_its_counts_when_its_amount_changes) {
  const auto budget = budget_of(settings_of(usd(10)));
  const BudgetChain chain = chain_of({budget});
  spend(chain, usd(6), start);
  BudgetHold hold = held(chain, usd(2), start);
  budget->configure(settings_of(usd(5)), start);
  EXPECT_EQ(denied(chain, nanos(1), start).limit, usd(5));
  hold.settle(usd(1), start);
  budget->configure(settings_of(usd(20)), start);
  EXPECT_EQ(remaining(chain, start), usd(13));
}

TEST(Budget, stays_exact_where_64_bits_end) {
  BudgetSettings settings = settings_of(most_budget);
  settings.when_spent = WhenSpent::alert;
  const auto budget = budget_of(settings);
  const Money most{std::numeric_limits<std::int64_t>::max()};
  {
    std::vector<BudgetHold> holds;
    for (int i = 0; i < 5; ++i) holds.push_back(held(chain_of({budget}), most, start));
    EXPECT_EQ(budget->standing(start).held, most) << "as much as can be shown";
    for (BudgetHold& hold : holds) hold.settle(nanos(1), start);
  }
  EXPECT_EQ(budget->standing(start).held, nanos(0));
  EXPECT_EQ(budget->standing(start).spent, nanos(5));
}

TEST(Budget, is_known_by_its_kind_its_owner_and_its_name) {
  // printf %s tenant/acme/monthly | sha256sum | cut -c1-16
  EXPECT_EQ(budget_of(settings_of(usd(1)))->id(), budget_id(ScopeKind::tenant, "acme", "monthly"));
  EXPECT_EQ(budget_id(ScopeKind::tenant, "acme", "monthly"), 0x0118265255b3d311u);
  EXPECT_NE(budget_id(ScopeKind::group, "acme", "monthly"), budget_id(ScopeKind::tenant, "acme", "monthly"));
}

TEST(BudgetHold, ends_what_it_held_before_when_it_is_used_again_or_moved_over) {
  const auto budget = budget_of(settings_of(usd(10)));
  const BudgetChain chain = chain_of({budget});
  BudgetHold hold = held(chain, usd(1), start);
  EXPECT_FALSE(reserve(hold, chain, usd(2), start, false).has_value());
  EXPECT_EQ(budget->standing(start).spent, usd(1));
  hold = held(chain, usd(3), start);
  EXPECT_EQ(budget->standing(start).spent, usd(3));
  BudgetHold moved = std::move(hold);
  EXPECT_EQ(budget->standing(start).held, usd(3));
  moved.settle(nanos(0), start);
  EXPECT_EQ(budget->standing(start).spent, usd(3));
}

TEST(BudgetHold, is_of_nothing_without_budgets) {
  BudgetHold hold;
  EXPECT_FALSE(reserve(hold, {}, usd(1), start, false).has_value());
  EXPECT_FALSE(hold.is_open());
  EXPECT_TRUE(hold.shares().empty());
  EXPECT_FALSE(remaining({}, start).has_value());
}

TEST(BudgetChain, has_one_order_however_it_is_filled) {
  const auto list = [](ScopeKind kind) {
    return std::make_shared<const BudgetList>(std::vector{budget_of(settings_of(usd(1)), kind, "x")});
  };
  BudgetChain chain;
  for (const ScopeKind kind : {ScopeKind::end_user, ScopeKind::model, ScopeKind::group, ScopeKind::route,
                               ScopeKind::key, ScopeKind::tenant, ScopeKind::model})
    chain.put(list(kind));
  chain.put(nullptr);
  std::vector<ScopeKind> kinds;
  for (const auto& each : chain.lists()) kinds.push_back(each->kind());
  EXPECT_EQ(kinds, (std::vector{ScopeKind::group, ScopeKind::tenant, ScopeKind::key, ScopeKind::route, ScopeKind::model,
                                ScopeKind::end_user}));
  chain.remove(ScopeKind::key);
  chain.remove(ScopeKind::key);
  EXPECT_EQ(chain.lists().size(), 5u);
  EXPECT_EQ(chain.lists()[2]->kind(), ScopeKind::route);
  EXPECT_EQ(held(chain, nanos(1), start).shares().size(), 5u);
}

TEST(BudgetList, refuses_what_could_not_be_locked_in_one_order) {
  const auto one = budget_of(settings_of(usd(1)));
  EXPECT_THROW(BudgetList({}), std::logic_error);
  EXPECT_THROW(BudgetList({one, one}), std::logic_error);
  EXPECT_THROW(BudgetList({one, budget_of(settings_of(usd(1), Window::day, "daily"), ScopeKind::key)}),
               std::logic_error);
}

}  // namespace
}  // namespace tollgate::policy
