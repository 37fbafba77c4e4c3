// What is told of a budget, with its numbers, and that it is told once: people stop reading what they are told again
// and again.
#include "tollgate/policy/budget_book.hpp"

#include "unit/policy/budget_helpers.hpp"

namespace tollgate::policy {
namespace {

using namespace budget_test;

class BudgetNewsTest : public testing::Test {
 protected:
  BudgetNewsTest() {
    settings.name = "monthly";
    settings.amount = usd(100);
    book.connect(&told);
  }
  BudgetChain chain(SystemTime now = start) {
    BudgetChain all;
    all.put(book.list(ScopeKind::tenant, "acme", {&settings, 1}, now));
    return all;
  }
  std::vector<std::uint32_t> thresholds() const {
    std::vector<std::uint32_t> all;
    for (const BudgetEvent& event : told.events) {
      if (event.what == BudgetNews::threshold) all.push_back(event.threshold);
    }
    return all;
  }
  std::size_t count(BudgetNews what) const {
    std::size_t all = 0;
    for (const BudgetEvent& event : told.events) all += event.what == what ? 1 : 0;
    return all;
  }

  Told told;
  BudgetBook book;
  BudgetSettings settings;
};

TEST_F(BudgetNewsTest, each_threshold_is_told_once_in_a_window_when_it_is_spent) {
  spend(chain(), usd(50) - nanos(1), start);
  EXPECT_TRUE(told.events.empty());
  spend(chain(), nanos(1), start);
  ASSERT_EQ(told.events.size(), 1u);
  const BudgetEvent& event = told.events[0];
  EXPECT_EQ(event.what, BudgetNews::threshold);
  EXPECT_EQ(event.threshold, 500'000u);
  EXPECT_EQ(event.limit, usd(100));
  EXPECT_EQ(event.spent, usd(50));
  EXPECT_EQ(event.owner, "acme");
  EXPECT_EQ(event.settings->name, "monthly");
  EXPECT_EQ(event.budget, budget_id(ScopeKind::tenant, "acme", "monthly"));
  EXPECT_EQ(show_instant(event.window.end), "2026-12-01T00:00:00Z");
  EXPECT_EQ(event.at, start);
  spend(chain(), usd(50), start);
  EXPECT_EQ(thresholds(), (std::vector<std::uint32_t>{500'000, 800'000, 1'000'000}));
  spend(chain(), usd(60), start + hours(24 * 30));
  EXPECT_EQ(thresholds().size(), 4u) << "the next window tells its own";
}

TEST_F(BudgetNewsTest, what_was_told_before_a_restart_is_not_told_again) {
  settings.forecast = true;
  book.prime(budget_id(ScopeKind::tenant, "acme", "monthly"), unix_time("2026-11-01"), usd(85), start);
  spend(chain(), usd(1), start);
  EXPECT_TRUE(told.events.empty());
  spend(chain(), usd(14), start);
  EXPECT_EQ(thresholds(), (std::vector<std::uint32_t>{1'000'000}));
}

TEST_F(BudgetNewsTest, a_raised_limit_arms_what_is_not_true_any_more) {
  spend(chain(), usd(80), start);
  settings.amount = usd(200);
  spend(chain(), usd(19), start);
  EXPECT_EQ(thresholds().size(), 2u);
  spend(chain(), usd(1), start);
  EXPECT_EQ(thresholds(), (std::vector<std::uint32_t>{500'000, 800'000, 500'000}));
  settings.alert_at = {100'000, 500'000};
  spend(chain(), usd(1), start);
  EXPECT_EQ(thresholds(), (std::vector<std::uint32_t>{500'000, 800'000, 500'000, 100'000}));
}

TEST_F(BudgetNewsTest, thresholds_go_by_the_limit_with_its_grants) {
  book.grant(budget_id(ScopeKind::tenant, "acme", "monthly"), {usd(100), start + hours(1), "launch"}, start);
  spend(chain(), usd(99), start);
  EXPECT_TRUE(told.events.empty());
  spend(chain(), usd(1), start + hours(1));  // the grant is over, and all of them are true
  EXPECT_EQ(thresholds().size(), 3u);
}

TEST_F(BudgetNewsTest, a_forecast_is_told_once_after_a_tenth_of_the_window) {
  settings.forecast = true;
  settings.alert_at.clear();
  const SystemTime begin = at("2026-11-01");
  spend(chain(), usd(40), begin + hours(24) * 3 - seconds(1));
  EXPECT_TRUE(told.events.empty()) << "too early to tell";
  spend(chain(), nanos(0), begin + hours(24) * 3);
  ASSERT_EQ(told.events.size(), 1u);
  EXPECT_EQ(told.events[0].what, BudgetNews::forecast);
  EXPECT_EQ(told.events[0].forecast, usd(400));
  spend(chain(), usd(1), begin + hours(24) * 4);
  EXPECT_EQ(told.events.size(), 1u);
}

TEST_F(BudgetNewsTest, a_forecast_within_the_limit_is_not_told) {
  settings.forecast = true;
  settings.alert_at.clear();
  spend(chain(), usd(50), at("2026-11-16"));  // exactly half of the month
  EXPECT_TRUE(told.events.empty());
  spend(chain(), nanos(10), at("2026-11-16"));
  EXPECT_EQ(count(BudgetNews::forecast), 1u);
}

TEST_F(BudgetNewsTest, the_first_refusal_for_want_of_money_is_told) {
  settings.alert_at.clear();
  spend(chain(), usd(90), start);
  const BudgetHold rest = held(chain(), usd(9), start);
  denied(chain(), usd(5), start);
  EXPECT_TRUE(told.events.empty()) << "that may fit later";
  denied(chain(), usd(101), start);
  EXPECT_TRUE(told.events.empty()) << "that never fits";
  denied(chain(), usd(11), start);
  denied(chain(), usd(11), start);
  ASSERT_EQ(told.events.size(), 1u);
  EXPECT_EQ(told.events[0].what, BudgetNews::refusing);
  EXPECT_EQ(told.events[0].held, usd(9));
}

TEST_F(BudgetNewsTest, an_overshoot_is_told_once) {
  settings.alert_at.clear();
  held(chain(), usd(1), start).settle(usd(2), start);
  held(chain(), usd(1), start).settle(usd(2), start);
  ASSERT_EQ(told.events.size(), 1u);
  EXPECT_EQ(told.events[0].what, BudgetNews::overshoot);
  EXPECT_EQ(name_of(told.events[0].what), "overshoot");
}

TEST_F(BudgetNewsTest, nobody_is_told_who_does_not_listen_any_more) {
  book.connect(nullptr);
  spend(chain(), usd(100), start);
  EXPECT_TRUE(told.events.empty());
}

}  // namespace
}  // namespace tollgate::policy
