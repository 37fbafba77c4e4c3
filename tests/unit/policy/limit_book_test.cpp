// Scopes that reloads find again, and that go only when forgetting them forgives nothing.
#include "tollgate/policy/limit_book.hpp"

#include "unit/policy/limit_helpers.hpp"

#include <thread>
#include <vector>

namespace tollgate::policy {
namespace {

using namespace limits_test;

TEST(LimitBook, finds_a_scope_again_by_kind_and_name) {
  LimitBook book;
  const Limits limits{.requests_per_minute = 10};
  const Scope acme = book.scope(ScopeKind::tenant, "acme", limits, start);
  EXPECT_EQ(book.scope(ScopeKind::tenant, "acme", limits, start), acme);
  EXPECT_NE(book.scope(ScopeKind::tenant, "other", limits, start), acme);
  EXPECT_NE(book.scope(ScopeKind::key, "acme", limits, start), acme);
  EXPECT_EQ(acme->kind(), ScopeKind::tenant);
  EXPECT_EQ(acme->name(), "acme");
  EXPECT_EQ(book.size(), 3u);
}

TEST(LimitBook, keeps_what_was_used_over_a_reload_and_applies_changed_amounts_at_once) {
  LimitBook book;
  const Scope scope = book.scope(ScopeKind::tenant, "acme", {.requests_per_minute = 10}, start);
  for (int i = 0; i < 5; ++i) admitted(chain_of({scope}), {}, start);
  const Scope again = book.scope(ScopeKind::tenant, "acme", {.requests_per_minute = 10}, start);
  EXPECT_EQ(requests_left(again, start), 5u);
  book.scope(ScopeKind::tenant, "acme", {.requests_per_minute = 100, .concurrency = 0}, start);
  EXPECT_EQ(requests_left(scope, start), 50u);
  EXPECT_EQ(denied(chain_of({scope}), {}, start).what, LimitKind::concurrency);
}

TEST(LimitBook, keeps_what_somebody_holds) {
  LimitBook book;
  const Scope held = book.scope(ScopeKind::tenant, "held", {.requests_per_minute = 10}, start);
  book.scope(ScopeKind::tenant, "idle", {.requests_per_minute = 10}, start);
  EXPECT_EQ(book.sweep(start), 1u);
  EXPECT_EQ(book.scope(ScopeKind::tenant, "held", held->limits(), start), held);
  EXPECT_EQ(book.size(), 1u);
}

TEST(LimitBook, forgives_nothing_by_forgetting) {
  LimitBook book;
  const Limits limits{.requests_per_minute = 10, .tokens_per_minute = 60};
  {
    const Scope scope = book.scope(ScopeKind::key, "acme/ci", limits, start);
    admitted(chain_of({scope}), {.input_tokens = 60}, start);
  }
  EXPECT_EQ(book.sweep(start), 0u);
  EXPECT_EQ(tokens_left(book.scope(ScopeKind::key, "acme/ci", limits, start), start), 0u);
  EXPECT_EQ(book.sweep(start + minutes(1) - nanoseconds(1)), 0u);
  EXPECT_EQ(book.sweep(start + minutes(1)), 1u);
  EXPECT_EQ(book.size(), 0u);
}

TEST(LimitBook, keeps_a_scope_while_a_request_is_in_flight) {
  LimitBook book;
  Hold hold = admitted(chain_of({book.scope(ScopeKind::key, "acme/ci", {.concurrency = 1}, start)}), {}, start);
  EXPECT_EQ(book.sweep(start), 0u);
  EXPECT_TRUE(would_deny(chain_of({book.scope(ScopeKind::key, "acme/ci", {.concurrency = 1}, start)}), start));
  hold = Hold();
  EXPECT_EQ(book.sweep(start), 1u);
}

TEST(LimitBook, gives_every_thread_the_same_scope_while_others_sweep) {
  LimitBook book;
  const Limits limits{.concurrency = 2};
  const Scope kept = book.scope(ScopeKind::tenant, "kept", limits, start);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        ScopeChain chain;
        chain.add(book.scope(ScopeKind::tenant, "kept", limits, start));
        chain.add(book.scope(ScopeKind::key, "passing", limits, start));
        const Outcome admission = admit(std::move(chain), {}, start);
        if (i % 8 == 0) book.sweep(start);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(kept->in_flight(), 0u);
  book.sweep(start);
  EXPECT_EQ(book.size(), 1u);
}

}  // namespace
}  // namespace tollgate::policy
