// What becomes of a reservation: settled, cancelled, refunded, dropped, moved, overtaken by a reload, and all of that
// by several threads at once.
#include "tollgate/policy/admission.hpp"

#include "unit/policy/limit_helpers.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace tollgate::policy {
namespace {

using namespace limits_test;

const Limits usual{.requests_per_minute = 10, .tokens_per_minute = 1000, .concurrency = 5};

Hold reserve(const Scope& scope, std::uint64_t input, std::uint64_t output) {
  return admitted(chain_of({scope}), {.input_tokens = input, .output_tokens = output, .output_known = true}, start);
}

TEST(Hold, settles_to_what_was_used_as_the_basis_and_the_cache_rule_count_it) {
  const auto left_after = [](TokenBasis basis, bool count_cached) {
    const Scope scope =
        scope_of(ScopeKind::tenant, {.tokens_per_minute = 1000, .basis = basis, .count_cached = count_cached});
    reserve(scope, 200, 300).settle({.input = 100, .cached_input = 60, .output = 7}, start);
    return tokens_left(scope, start);
  };
  EXPECT_EQ(left_after(TokenBasis::total, true), 893u);
  EXPECT_EQ(left_after(TokenBasis::total, false), 953u);
  EXPECT_EQ(left_after(TokenBasis::input, true), 900u);
  EXPECT_EQ(left_after(TokenBasis::input, false), 960u);
  EXPECT_EQ(left_after(TokenBasis::output, true), 993u);
  EXPECT_EQ(left_after(TokenBasis::output, false), 993u);
}

TEST(Hold, does_not_believe_more_cached_input_than_input) {
  const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = 1000, .count_cached = false});
  reserve(scope, 100, 0).settle({.input = 50, .cached_input = 5'000'000, .output = 10}, start);
  EXPECT_EQ(tokens_left(scope, start), 990u);
}

TEST(Hold, settles_into_debt_that_time_works_off) {
  const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = 600});
  reserve(scope, 100, 0).settle({.input = 100, .output = 800}, start);
  EXPECT_EQ(denied(chain_of({scope}), {.input_tokens = 1}, start).retry_after, Millis(30'100));
}

TEST(Hold, stands_any_number_that_a_provider_claims) {
  const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = 600});
  Hold one = reserve(scope, 100, 0), two = reserve(scope, 100, 0);
  one.settle({.input = ~0ull, .output = ~0ull}, start);
  two.settle({.input = ~0ull, .cached_input = ~0ull, .output = ~0ull}, start);
  EXPECT_EQ(denied(chain_of({scope}), {}, start).retry_after, std::nullopt) << "longer than a clock can tell";
  EXPECT_EQ(standing(chain_of({scope}), start).tokens, (Standing::Amount{.limit = 600, .reset = Millis::max()}));
}

TEST(Hold, gives_all_tokens_back_when_cancelled_and_stays_counted) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  Hold hold = reserve(scope, 200, 300);
  hold.cancel(start);
  EXPECT_EQ(tokens_left(scope, start), 1000u);
  EXPECT_EQ(requests_left(scope, start), 9u);
  EXPECT_EQ(scope->in_flight(), 0u);
}

TEST(Hold, is_as_if_it_never_was_when_refunded) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  Hold hold = reserve(scope, 200, 300);
  hold.refund(start);
  EXPECT_TRUE(scope->at_rest(start));
  hold = Hold();
  EXPECT_EQ(scope->in_flight(), 0u);
}

TEST(Hold, spends_its_reservation_when_nobody_says_what_was_used) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  reserve(scope, 200, 300);
  EXPECT_EQ(tokens_left(scope, start), 500u);
  EXPECT_EQ(requests_left(scope, start), 9u);
  EXPECT_EQ(scope->in_flight(), 0u);
}

TEST(Hold, ends_once) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  reserve(scope, 100, 100);
  Hold hold = reserve(scope, 200, 300);
  hold.settle({.input = 300}, start);
  hold.settle({.input = 1}, start);
  hold.cancel(start);
  hold.refund(start);
  EXPECT_EQ(tokens_left(scope, start), 500u);
  EXPECT_EQ(requests_left(scope, start), 8u);
  EXPECT_EQ(scope->in_flight(), 0u);

  Hold refunded = reserve(scope, 200, 0);
  refunded.refund(start);
  refunded.settle({.input = 200}, start);
  refunded.refund(start);
  EXPECT_EQ(tokens_left(scope, start), 500u);
  EXPECT_EQ(scope->in_flight(), 0u);
}

TEST(Hold, keeps_its_permit_when_moved) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  {
    Hold first = reserve(scope, 100, 0);
    Hold second = std::move(first);
    first.refund(start);  // NOLINT(bugprone-use-after-move): a moved hold is one of nothing
    EXPECT_EQ(scope->in_flight(), 1u);
    Hold other = reserve(scope, 100, 0);
    EXPECT_EQ(scope->in_flight(), 2u);
    other = std::move(second);
    EXPECT_EQ(scope->in_flight(), 1u) << "what it held before is released";
    other.settle({.input = 10}, start);
  }
  EXPECT_EQ(scope->in_flight(), 0u);
  EXPECT_EQ(tokens_left(scope, start), 890u);
}

TEST(Hold, outlives_whoever_retires_its_scopes) {
  Scope scope = scope_of(ScopeKind::tenant, usual);
  const std::weak_ptr<LimitScope> watched = scope;
  Hold hold = reserve(scope, 100, 0);
  scope.reset();
  ASSERT_FALSE(watched.expired());
  hold.settle({.input = 10}, start);
  hold = Hold();
  EXPECT_TRUE(watched.expired());
}

TEST(Hold, is_not_charged_for_a_limit_that_was_set_after_it_began) {
  const Scope scope = scope_of(ScopeKind::tenant, {.concurrency = 5});
  Hold settled = reserve(scope, 100, 0), refunded = reserve(scope, 100, 0);
  scope->configure(usual, start);
  settled.settle({.input = 700}, start);
  refunded.refund(start);
  EXPECT_EQ(tokens_left(scope, start), 1000u);
  EXPECT_EQ(requests_left(scope, start), 10u);
  EXPECT_EQ(scope->in_flight(), 0u);
}

TEST(Hold, gives_nothing_of_an_old_bucket_to_a_new_one) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  Hold old = reserve(scope, 600, 0);
  scope->configure({}, start);
  scope->configure(usual, start);
  Hold young = reserve(scope, 400, 0);
  old.refund(start);
  EXPECT_EQ(tokens_left(scope, start), 600u);
  EXPECT_EQ(requests_left(scope, start), 9u);
}

TEST(Hold, settles_by_the_rules_under_which_it_reserved) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  Hold hold = reserve(scope, 200, 300);
  Limits changed = usual;
  changed.basis = TokenBasis::output;
  scope->configure(changed, start);
  hold.settle({.input = 150, .output = 50}, start);
  EXPECT_EQ(tokens_left(scope, start), 800u);
}

TEST(LimitScope, newly_limited_begins_full_and_counts_what_is_already_in_flight) {
  const Scope scope = scope_of(ScopeKind::tenant, {.requests_per_minute = 10});
  Hold one = reserve(scope, 1, 0), two = reserve(scope, 1, 0);
  scope->configure({.concurrency = 2}, start);
  EXPECT_EQ(denied(chain_of({scope}), {}, start).what, LimitKind::concurrency);
  scope->configure({.requests_per_minute = 10, .concurrency = 3}, start);
  EXPECT_EQ(requests_left(scope, start), 10u);
  EXPECT_TRUE(is_admitted(admit(chain_of({scope}), {}, start)));
}

TEST(LimitScope, lets_go_on_what_a_lowered_concurrency_finds_in_flight) {
  const Scope scope = scope_of(ScopeKind::tenant, {.concurrency = 3});
  std::vector<Hold> holds;
  for (int i = 0; i < 3; ++i) holds.push_back(reserve(scope, 0, 0));
  scope->configure({.concurrency = 1}, start);
  EXPECT_EQ(scope->in_flight(), 3u);
  holds.resize(1);
  EXPECT_FALSE(is_admitted(admit(chain_of({scope}), {}, start)));
  holds.clear();
  EXPECT_TRUE(is_admitted(admit(chain_of({scope}), {}, start)));
}

TEST(LimitScope, is_at_rest_when_full_with_nothing_in_flight) {
  const Scope scope = scope_of(ScopeKind::tenant, usual);
  EXPECT_TRUE(scope->at_rest(start));
  Hold hold = reserve(scope, 100, 0);
  EXPECT_FALSE(scope->at_rest(start + minutes(10))) << "in flight";
  hold.cancel(start);
  EXPECT_FALSE(scope->at_rest(start)) << "one request short";
  EXPECT_TRUE(scope->at_rest(start + Millis(6000)));
}

TEST(Hold, loses_no_permit_over_ten_thousand_cancels_and_errors) {
  const Scope tenant = scope_of(ScopeKind::tenant, {.tokens_per_minute = 1'000'000, .concurrency = 3});
  const Scope key = scope_of(ScopeKind::key, {.requests_per_minute = 10'000'000, .concurrency = 2});
  const ScopeChain chain = chain_of({tenant, key});
  SteadyTime now = start;
  for (int i = 0; i < 10'000; ++i) {
    now += Millis(50);
    Hold one = admitted(chain, {.input_tokens = 300}, now);
    Hold two = admitted(chain, {.input_tokens = 300}, now);
    EXPECT_EQ(denied(chain, {.input_tokens = 300}, now).scope, "one");
    if (i % 4 == 0) one.cancel(now);
    if (i % 4 == 1) one.settle({.input = 100}, now);
    if (i % 4 == 2) one.refund(now);
    two.cancel(now);
  }
  EXPECT_TRUE(tenant->at_rest(now + minutes(1)));
  EXPECT_TRUE(key->at_rest(now + minutes(1)));
}

/// Opens and ends holds in every way there is, several at a time, so that more are wanted than may be.
class Crowd {
 public:
  static constexpr std::uint64_t most = 3;
  static constexpr int visitors = 4, rounds = 100'000;

  void visit(int visitor) {
    const Scope own = scope_of(ScopeKind::key, {.tokens_per_minute = 1'000'000, .concurrency = 2});
    std::array<Hold, 2> holds;
    for (int i = 0; i < rounds; ++i) {
      const SteadyTime now = start + Millis(i);
      Hold& hold = holds[i % holds.size()];
      if (!hold.chain().empty()) leave(hold, (i + visitor) % 4, now);
      Outcome admission = admit(chain_of({shared, own}), {.input_tokens = 10}, now);
      if (!std::holds_alternative<Hold>(admission)) continue;
      if (++inside_ > most) exceeded = true;
      hold = std::move(std::get<Hold>(admission));
    }
    for (Hold& hold : holds) {
      if (!hold.chain().empty()) leave(hold, 0, start);
    }
    if (own->in_flight() != 0) leaked = true;
  }

  const Scope shared =
      scope_of(ScopeKind::tenant, {.requests_per_minute = TokenBucket::highest_rate, .concurrency = most});
  std::atomic<bool> exceeded{false}, leaked{false};

 private:
  void leave(Hold& hold, int way, SteadyTime now) {
    --inside_;
    if (way == 0) hold.settle({.input = 12}, now);
    if (way == 1) hold.cancel(now);
    if (way == 2) hold.refund(now);
    hold = Hold();
  }
  std::atomic<std::uint64_t> inside_{0};
};

TEST(Hold, never_lets_more_threads_in_than_the_concurrency_says) {
  Crowd crowd;
  std::vector<std::thread> threads;
  for (int visitor = 0; visitor < Crowd::visitors; ++visitor)
    threads.emplace_back([&, visitor] { crowd.visit(visitor); });
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(crowd.exceeded);
  EXPECT_FALSE(crowd.leaked);
  EXPECT_TRUE(crowd.shared->at_rest(start + minutes(100)));
}

}  // namespace
}  // namespace tollgate::policy
