// A bounded table of end users: who may be forgotten, who has to share, and that made-up names gain a tenant nothing
// beyond the table.
#include "tollgate/policy/end_users.hpp"

#include "unit/policy/limit_helpers.hpp"

#include <set>
#include <thread>
#include <vector>

namespace tollgate::policy {
namespace {

using namespace limits_test;

const Limits ten_requests{.requests_per_minute = 10};

TEST(EndUserScopes, gives_each_end_user_of_each_tenant_one_scope) {
  EndUserScopes users(1000);
  const Scope one = users.scope("acme", 0x0123456789ABCDEF, ten_requests, start);
  EXPECT_EQ(users.scope("acme", 0x0123456789ABCDEF, ten_requests, start), one);
  EXPECT_NE(users.scope("acme", 2, ten_requests, start), one);
  EXPECT_NE(users.scope("other", 0x0123456789ABCDEF, ten_requests, start), one);
  EXPECT_EQ(one->kind(), ScopeKind::end_user);
  EXPECT_EQ(one->name(), "acme/0123456789abcdef");
  EXPECT_EQ(users.size(), 3u);
}

TEST(EndUserScopes, applies_changed_limits_to_who_is_known) {
  EndUserScopes users(1000);
  const Scope one = users.scope("acme", 1, ten_requests, start);
  users.scope("acme", 1, {.requests_per_minute = 20}, start);
  EXPECT_EQ(one->limits().requests_per_minute, 20u);
}

TEST(EndUserScopes, when_full_forgets_one_at_rest_for_a_new_one) {
  EndUserScopes users(1);
  admitted(chain_of({users.scope("acme", 1, ten_requests, start)}), {}, start);
  const SteadyTime rested = start + Millis(6000);
  const Scope two = users.scope("acme", 2, ten_requests, rested);
  EXPECT_EQ(two->name(), "acme/0000000000000002");
  EXPECT_EQ(users.size(), 1u);
  EXPECT_EQ(users.scope("acme", 2, ten_requests, rested), two);
}

TEST(EndUserScopes, forgets_nobody_who_has_used_something_is_in_flight_or_held) {
  EndUserScopes users(1);
  {
    const Scope used = users.scope("acme", 1, ten_requests, start);
    admitted(chain_of({used}), {}, start);
  }
  EXPECT_EQ(users.scope("acme", 2, ten_requests, start)->name(), "acme/*");
  EXPECT_EQ(requests_left(users.scope("acme", 1, ten_requests, start), start), 9u);

  const SteadyTime rested = start + Millis(6000);
  Scope held = users.scope("acme", 1, ten_requests, rested);
  EXPECT_EQ(users.scope("acme", 2, ten_requests, rested)->name(), "acme/*");

  Hold in_flight = admitted(chain_of({held}), {}, rested);
  held.reset();
  EXPECT_EQ(users.scope("acme", 2, ten_requests, rested + minutes(5))->name(), "acme/*");
  in_flight = Hold();
  EXPECT_EQ(users.scope("acme", 2, ten_requests, rested + minutes(5))->name(), "acme/0000000000000002");
}

TEST(EndUserScopes, shares_one_overflow_scope_per_tenant) {
  EndUserScopes users(0);
  const Scope one = users.scope("acme", 1, ten_requests, start);
  EXPECT_EQ(users.scope("acme", 2, ten_requests, start), one);
  EXPECT_NE(users.scope("other", 1, ten_requests, start), one);
  EXPECT_EQ(users.size(), 0u);
  users.scope("acme", 3, {.requests_per_minute = 20}, start);
  EXPECT_EQ(one->limits().requests_per_minute, 20u);
}

TEST(EndUserScopes, never_holds_more_than_its_capacity) {
  for (const std::size_t capacity : {1u, 5u, 16u, 100u}) {
    EndUserScopes users(capacity);
    for (std::uint64_t user = 0; user < 20 * capacity + 200; ++user) {
      const Scope scope = users.scope("acme", user, ten_requests, start);
      const Outcome admission = admit(chain_of({scope}), {}, start + minutes(user % 3));
      ASSERT_LE(users.size(), capacity);
    }
    EXPECT_EQ(users.size(), capacity);
  }
}

TEST(EndUserScopes, made_up_names_gain_no_more_than_the_table_and_the_overflow) {
  constexpr std::size_t capacity = 64;
  EndUserScopes users(capacity);
  std::uint64_t passed = 0;
  for (std::uint64_t user = 0; user < 50'000; ++user) {
    passed += is_admitted(admit(chain_of({users.scope("acme", user, ten_requests, start)}), {}, start));
  }
  EXPECT_EQ(passed, capacity + *ten_requests.requests_per_minute);
}

TEST(EndUserScopes, finds_room_behind_those_that_are_busy) {
  EndUserScopes users(1000);
  std::vector<Scope> held;
  std::uint64_t user = 0;
  for (; users.size() < 1000; ++user) users.scope("acme", user, ten_requests, start);
  std::set<Scope> fresh;
  for (int i = 0; i < 500; ++i) {
    held.push_back(users.scope("acme", ++user, ten_requests, start));
    fresh.insert(held.back());
  }
  EXPECT_EQ(users.size(), 1000u);
  EXPECT_GT(fresh.size(), 450u) << "nearly everyone got a scope of their own";
}

TEST(EndUserScopes, serves_many_threads) {
  EndUserScopes users(50);
  const Limits limits{.concurrency = 1};
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&users, &limits, thread] {
      for (std::uint64_t i = 0; i < 5'000; ++i) {
        ScopeChain chain;
        chain.add(users.scope("acme", i * (thread + 1) % 150, limits, start));
        const Outcome admission = admit(std::move(chain), {}, start);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(users.size(), 50u);
  for (std::uint64_t user = 0; user < 150; ++user) {
    EXPECT_EQ(users.scope("acme", user, limits, start)->in_flight(), 0u);
  }
}

}  // namespace
}  // namespace tollgate::policy
