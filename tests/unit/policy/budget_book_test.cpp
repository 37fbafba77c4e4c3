// Budgets that reloads find again, those of end users, and many threads at one budget: what is counted must neither be
// lost nor be counted for anybody else.
#include "tollgate/policy/budget_book.hpp"

#include "tollgate/policy/end_user_budgets.hpp"

#include "unit/policy/budget_helpers.hpp"

#include <atomic>
#include <thread>

namespace tollgate::policy {
namespace {

using namespace budget_test;

using ListPointer = std::shared_ptr<const BudgetList>;

BudgetChain chain_of(const ListPointer& list) {
  BudgetChain chain;
  chain.put(list);
  return chain;
}

class BudgetBookTest : public testing::Test {
 protected:
  ListPointer list(const BudgetSettings& settings, SystemTime now = start) {
    return book.list(ScopeKind::tenant, "acme", {&settings, 1}, now);
  }
  BudgetBook book;
  const std::uint64_t id = budget_id(ScopeKind::tenant, "acme", "monthly");
};

TEST_F(BudgetBookTest, finds_a_budget_again_by_its_name_with_all_that_is_counted) {
  const ListPointer before = list(settings_of(usd(10)));
  spend(chain_of(before), usd(4), start);
  const ListPointer after = list(settings_of(usd(20)));
  EXPECT_EQ(after->budgets()[0], before->budgets()[0]);
  EXPECT_EQ(remaining(chain_of(after), start), usd(16));
  EXPECT_EQ(remaining(chain_of(before), start), usd(16)) << "at once";
  EXPECT_EQ(book.list(ScopeKind::tenant, "acme", {}, start), nullptr);
  EXPECT_EQ(book.find(id), after->budgets()[0]);
  EXPECT_EQ(book.find(id + 1), nullptr);
}

TEST_F(BudgetBookTest, begins_to_count_anew_where_the_window_or_the_zone_has_changed) {
  const ListPointer before = list(settings_of(usd(10)));
  BudgetHold hold = held(chain_of(before), usd(4), start);
  const ListPointer weekly = list(settings_of(usd(10), Window::week));
  EXPECT_EQ(remaining(chain_of(weekly), start), usd(10));
  hold.settle(usd(4), start);
  EXPECT_EQ(remaining(chain_of(weekly), start), usd(10));
  BudgetSettings in_tokyo = settings_of(usd(10), Window::week);
  in_tokyo.zone = fixed("Asia/Tokyo", 9 * 3600);
  EXPECT_NE(list(in_tokyo)->budgets()[0], weekly->budgets()[0]);
}

TEST_F(BudgetBookTest, goes_on_with_a_zone_whose_rules_were_changed) {
  BudgetSettings settings = settings_of(usd(10));
  settings.zone = fixed("Europe/Berlin", 3600);
  const ListPointer before = list(settings);
  settings.zone = zone("Europe/Berlin", 3600, {{"2027-03-28T01:00:00Z", 7200}});
  EXPECT_EQ(list(settings)->budgets()[0], before->budgets()[0]);
}

TEST_F(BudgetBookTest, takes_what_was_spent_before_into_the_window_that_it_is_of) {
  book.prime(id, unix_time("2026-11-01"), usd(3), start);
  book.prime(id, unix_time("2026-10-01"), usd(9), start);
  const ListPointer made = list(settings_of(usd(10)));
  EXPECT_EQ(remaining(chain_of(made), start), usd(7));
  book.prime(id, unix_time("2026-11-01"), usd(2), start);
  book.prime(id, unix_time("2026-10-01"), usd(2), start);
  EXPECT_EQ(remaining(chain_of(made), start), usd(5));
}

TEST_F(BudgetBookTest, keeps_grants_for_budgets_that_come_and_go) {
  book.grant(id, {usd(5), start + hours(1), "launch"}, start);
  book.grant(id, {usd(5), start, "over"}, start);
  EXPECT_EQ(remaining(chain_of(list(settings_of(usd(10)))), start), usd(15));
  book.grant(id, {usd(1), start + hours(2), "more"}, start);
  EXPECT_EQ(remaining(chain_of(list(settings_of(usd(10)))), start), usd(16));
  EXPECT_EQ(book.grants(id, start).size(), 2u);
  EXPECT_EQ(book.grants(id, start + hours(1)), (std::vector<Grant>{{usd(1), start + hours(2), "more"}}));
  EXPECT_EQ(book.sweep(start), 1u);
  EXPECT_EQ(remaining(chain_of(list(settings_of(usd(10)))), start), usd(16));
}

TEST_F(BudgetBookTest, forgives_nothing_by_forgetting) {
  spend(chain_of(list(settings_of(usd(10)))), usd(4), start);
  EXPECT_EQ(book.sweep(start), 0u);
  EXPECT_EQ(remaining(chain_of(list(settings_of(usd(10)))), start), usd(6));
  EXPECT_EQ(book.sweep(at("2026-12-01") - nanoseconds(1)), 0u);
  EXPECT_EQ(book.sweep(at("2026-12-01")), 1u);
  const ListPointer kept = list(settings_of(usd(10)));
  EXPECT_EQ(book.sweep(start), 0u);
  EXPECT_EQ(book.size(), 1u);
}

TEST(EndUserBudgets, count_each_end_user_apart_and_follow_the_settings) {
  BudgetBook book;
  EndUserBudgets table(100, book);
  auto settings = std::make_shared<const std::vector<BudgetSettings>>(1, settings_of(usd(10)));
  spend(chain_of(table.list("acme", 1, settings, start)), usd(4), start);
  EXPECT_EQ(remaining(chain_of(table.list("acme", 1, settings, start)), start), usd(6));
  EXPECT_EQ(remaining(chain_of(table.list("acme", 2, settings, start)), start), usd(10));
  EXPECT_EQ(remaining(chain_of(table.list("other", 1, settings, start)), start), usd(10));
  settings = std::make_shared<const std::vector<BudgetSettings>>(1, settings_of(usd(5)));
  const ListPointer changed = table.list("acme", 1, settings, start);
  EXPECT_EQ(remaining(chain_of(changed), start), usd(1));
  EXPECT_EQ(changed->budgets()[0]->owner(), "acme/0000000000000001");
  EXPECT_EQ(changed->kind(), ScopeKind::end_user);
  EXPECT_EQ(table.list("acme", 1, nullptr, start), nullptr);
  EXPECT_EQ(table.size(), 3u);
}

TEST(EndUserBudgets, begin_with_what_was_spent_before_a_restart) {
  BudgetBook book;
  EndUserBudgets table(100, book);
  const auto settings = std::make_shared<const std::vector<BudgetSettings>>(1, settings_of(usd(10)));
  book.prime(budget_id(ScopeKind::end_user, "acme/00000000000000ff", "monthly"), unix_time("2026-11-01"), usd(9),
             start);
  EXPECT_EQ(remaining(chain_of(table.list("acme", 255, settings, start)), start), usd(1));
}

TEST(EndUserBudgets, share_one_budget_where_the_table_is_full_of_spenders) {
  BudgetBook book;
  EndUserBudgets table(4, book);
  const auto settings = std::make_shared<const std::vector<BudgetSettings>>(1, settings_of(usd(10)));
  for (std::uint64_t user = 0; user < 10'000; ++user) {
    BudgetHold hold;
    reserve(hold, chain_of(table.list("acme", user * 0x9E3779B97F4A7C15u, settings, start)), usd(10), start, false);
  }
  EXPECT_EQ(table.size(), 4u);
  const ListPointer shared = table.list("acme", 12'345, settings, start);
  EXPECT_EQ(shared->budgets()[0]->owner(), "acme/*");
  EXPECT_EQ(remaining(chain_of(shared), start), nanos(0)) << "made-up names gain nothing";
}

TEST(EndUserBudgets, make_room_by_forgetting_those_who_spent_nothing) {
  BudgetBook book;
  EndUserBudgets table(4, book);
  const auto settings = std::make_shared<const std::vector<BudgetSettings>>(1, settings_of(usd(10)));
  for (std::uint64_t user = 0; user < 1'000; ++user)
    EXPECT_NE(table.list("acme", user, settings, start)->budgets()[0]->owner(), "acme/*");
  EXPECT_EQ(table.size(), 4u);
}

TEST(BudgetThreads, admit_exactly_ten_of_many_at_once) {
  BudgetBook book;
  const BudgetSettings tenant = settings_of(usd(10)), group = settings_of(usd(10'000));
  for (int round = 0; round < 20; ++round) {
    BudgetChain chain;
    const std::string owner = "first-seen-" + std::to_string(round);
    std::atomic<int> admitted = 0, refused = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        BudgetChain own;
        own.put(book.list(ScopeKind::tenant, owner, {&tenant, 1}, start));
        own.put(book.list(ScopeKind::group, "all", {&group, 1}, start));
        std::vector<BudgetHold> holds(32);
        for (BudgetHold& hold : holds) ++(reserve(hold, own, usd(1), start, false) ? refused : admitted);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(admitted, 10);
    EXPECT_EQ(refused, 16 * 32 - 10);
    EXPECT_EQ(book.find(budget_id(ScopeKind::tenant, owner, "monthly"))->standing(start).spent, usd(10));
  }
  EXPECT_EQ(book.find(budget_id(ScopeKind::group, "all", "monthly"))->standing(start).spent, usd(200));
}

TEST(BudgetThreads, leave_nothing_held_while_reloads_grants_windows_and_sweeps_pass) {
  BudgetBook book;
  EndUserBudgets users(8, book);
  Told told;
  book.connect(&told);
  const std::uint64_t id = budget_id(ScopeKind::tenant, "acme", "monthly");
  const auto of_user = std::make_shared<const std::vector<BudgetSettings>>(1, settings_of(usd(100'000)));
  std::atomic<std::int64_t> spent = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 3'000; ++i) {
        const BudgetSettings settings = settings_of(usd(1'000 + i % 3));
        BudgetChain chain;
        chain.put(users.list("acme", static_cast<std::uint64_t>(i % 20), of_user, start));
        chain.put(book.list(ScopeKind::tenant, "acme", {&settings, 1}, start));
        BudgetHold hold;
        if (reserve(hold, chain, nanos(1'000), start, false)) continue;
        if (i % 3 == 0) hold.release();
        if (i % 3 == 1) hold.settle(nanos(i), start), spent += i;
        if (i % 3 == 2) spent += 1'000;
        if (i % 64 == thread) book.grant(id, {usd(1), start + minutes(i), "more"}, start);
        if (i % 32 == thread) book.sweep(start);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const BudgetStanding standing = book.find(id)->standing(start);
  EXPECT_EQ(standing.held, nanos(0));
  EXPECT_EQ(standing.spent, nanos(spent));
}

}  // namespace
}  // namespace tollgate::policy
