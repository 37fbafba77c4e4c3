#include "tollgate/policy/hedge_budget.hpp"

#include <gtest/gtest.h>

namespace tollgate::policy {
namespace {

int taken_of(HedgeBudget& budget, int requests, double share) {
  int taken = 0;
  for (int i = 0; i < requests; ++i) {
    budget.arrived(share);
    taken += budget.try_take();
  }
  return taken;
}

TEST(HedgeBudget, GivesExactlyTheShare) {
  for (const auto& [share, expected] :
       {std::pair(0.05, 50), {0.5, 500}, {1.0, 1000}, {0.001, 1}, {0.0, 0}, {7.0, 1000}}) {
    HedgeBudget budget;
    EXPECT_EQ(taken_of(budget, 1000, share), expected) << share;
  }
}

TEST(HedgeBudget, BeginsWithNoneAndSavesUpTen) {
  HedgeBudget budget;
  EXPECT_FALSE(budget.try_take());
  for (int i = 0; i < 100'000; ++i) budget.arrived(0.05);
  int taken = 0;
  while (budget.try_take()) ++taken;
  EXPECT_EQ(taken, 10);
}

TEST(HedgeBudget, TakesBackWhatWasOfNoUse) {
  HedgeBudget budget;
  budget.arrived(1);
  ASSERT_TRUE(budget.try_take());
  EXPECT_FALSE(budget.try_take());
  budget.give_back();
  EXPECT_TRUE(budget.try_take());
}

}  // namespace
}  // namespace tollgate::policy
