// What is let in, what is refused and with which words: each limit tripped alone, all of them together, and nothing
// changed by a refusal.
#include "tollgate/policy/admission.hpp"

#include "unit/policy/limit_helpers.hpp"

#include <stdexcept>

namespace tollgate::policy {
namespace {

using namespace limits_test;

Demand tokens(std::uint64_t input, std::uint64_t output = 0) {
  return {.input_tokens = input, .output_tokens = output, .output_known = true};
}

TEST(Admission, admits_where_nothing_is_limited) {
  Hold hold = admitted({}, tokens(1'000'000), start);
  hold.settle({.input = 5}, start);
  EXPECT_TRUE(hold.chain().empty());
  EXPECT_FALSE(would_deny({}, start));
  EXPECT_EQ(standing({}, start), Standing{});
}

TEST(Admission, admits_as_many_requests_as_the_limit_says_and_tells_when_the_next_may_come) {
  const Scope key = scope_of(ScopeKind::key, {.requests_per_minute = 3}, "acme/ci");
  for (int i = 0; i < 3; ++i) admitted(chain_of({key}), tokens(1), start);
  const Denial denial = denied(chain_of({key}), tokens(1), start);
  EXPECT_EQ(denial.kind, ScopeKind::key);
  EXPECT_EQ(denial.scope, "acme/ci");
  EXPECT_EQ(denial.what, LimitKind::requests);
  EXPECT_EQ(denial.limit, 3u);
  EXPECT_EQ(denial.retry_after, Millis(20'000));
  EXPECT_FALSE(is_admitted(admit(chain_of({key}), tokens(1), start + Millis(19'999))));
  EXPECT_TRUE(is_admitted(admit(chain_of({key}), tokens(1), start + Millis(20'000))));
}

TEST(Admission, counts_the_tokens_that_the_basis_names) {
  const auto left_after = [](TokenBasis basis) {
    const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = 1000, .basis = basis});
    admitted(chain_of({scope}), tokens(100, 30), start);
    return tokens_left(scope, start);
  };
  EXPECT_EQ(left_after(TokenBasis::total), 870u);
  EXPECT_EQ(left_after(TokenBasis::input), 900u);
  EXPECT_EQ(left_after(TokenBasis::output), 970u);
}

TEST(Admission, trips_a_token_limit_by_what_its_basis_names_and_by_nothing_else) {
  const Scope input = scope_of(ScopeKind::tenant, {.tokens_per_minute = 100, .basis = TokenBasis::input});
  admitted(chain_of({input}), tokens(100, 5'000), start);
  EXPECT_EQ(denied(chain_of({input}), tokens(1, 0), start).what, LimitKind::tokens);
  EXPECT_TRUE(is_admitted(admit(chain_of({input}), tokens(0, 5'000), start)));

  const Scope output = scope_of(ScopeKind::tenant, {.tokens_per_minute = 100, .basis = TokenBasis::output});
  admitted(chain_of({output}), tokens(5'000, 100), start);
  EXPECT_EQ(denied(chain_of({output}), tokens(0, 1), start).what, LimitKind::tokens);
  EXPECT_TRUE(is_admitted(admit(chain_of({output}), tokens(5'000, 0), start)));
}

TEST(Admission, holds_concurrency_to_its_limit_until_a_hold_is_gone) {
  const Scope model = scope_of(ScopeKind::model, {.concurrency = 2}, "gpt");
  Hold one = admitted(chain_of({model}), {}, start);
  Hold two = admitted(chain_of({model}), {}, start);
  const Denial denial = denied(chain_of({model}), {}, start);
  EXPECT_EQ(denial.what, LimitKind::concurrency);
  EXPECT_EQ(denial.limit, 2u);
  EXPECT_EQ(denial.retry_after, Millis(1000));
  one = Hold();
  EXPECT_EQ(model->in_flight(), 1u);
  EXPECT_TRUE(is_admitted(admit(chain_of({model}), {}, start)));
}

TEST(Admission, never_lets_anything_through_a_concurrency_of_none) {
  const Scope scope = scope_of(ScopeKind::model, {.concurrency = 0});
  EXPECT_EQ(denied(chain_of({scope}), {}, start).retry_after, std::nullopt);
}

TEST(Admission, a_refusal_leaves_every_limit_untouched) {
  const Limits roomy{.requests_per_minute = 10, .tokens_per_minute = 1000, .concurrency = 10};
  const Scope group = scope_of(ScopeKind::group, roomy);
  const Scope tenant = scope_of(ScopeKind::tenant, {.concurrency = 1});
  const Scope model = scope_of(ScopeKind::model, roomy);
  const ScopeChain chain = chain_of({group, tenant, model});
  Hold hold = admitted(chain, tokens(100), start);
  for (int i = 0; i < 100; ++i) denied(chain, tokens(100), start);
  for (const Scope& scope : {group, model}) {
    EXPECT_EQ(requests_left(scope, start), 9u);
    EXPECT_EQ(tokens_left(scope, start), 900u);
    EXPECT_EQ(scope->in_flight(), 1u);
  }
}

TEST(Admission, names_the_limit_with_the_longest_wait) {
  const Scope group = scope_of(ScopeKind::group, {.concurrency = 1}, "retail");
  const Scope tenant = scope_of(ScopeKind::tenant, {.requests_per_minute = 1}, "acme");
  const Scope key = scope_of(ScopeKind::key, {.tokens_per_minute = 600}, "acme/ci");
  Hold hold = admitted(chain_of({group, tenant, key}), tokens(600), start);

  EXPECT_EQ(denied(chain_of({group, tenant, key}), tokens(300), start).scope, "acme");
  EXPECT_EQ(denied(chain_of({group, tenant, key}), tokens(300), start).retry_after, Millis(60'000));
  EXPECT_EQ(denied(chain_of({group, key}), tokens(300), start).scope, "acme/ci");
  EXPECT_EQ(denied(chain_of({group, key}), tokens(300), start).retry_after, Millis(30'000));
  EXPECT_EQ(denied(chain_of({group, key}), tokens(5), start).what, LimitKind::concurrency) << "1 s against 0.5 s";
  EXPECT_EQ(denied(chain_of({group, key}), tokens(10), start).scope, "retail") << "the first of two that take 1 s";
  EXPECT_EQ(denied(chain_of({tenant, key}), tokens(601), start).scope, "acme/ci") << "never is longest";
}

TEST(Admission, says_that_what_exceeds_the_capacity_can_never_pass) {
  const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = 1000});
  EXPECT_TRUE(is_admitted(admit(chain_of({scope}), tokens(400, 600), start)));
  const Denial given = denied(chain_of({scope}), tokens(400, 601), start + minutes(1));
  EXPECT_EQ(given.what, LimitKind::tokens);
  EXPECT_EQ(given.retry_after, std::nullopt);
  Demand input_alone = tokens(1001, 10);
  input_alone.output_known = false;
  EXPECT_EQ(denied(chain_of({scope}), input_alone, start + minutes(1)).retry_after, std::nullopt);
  EXPECT_EQ(denied(chain_of({scope}), tokens(~0ull, ~0ull), start + minutes(1)).retry_after, std::nullopt);
}

TEST(Admission, reserves_at_most_its_capacity_for_an_output_that_nobody_limited) {
  const Scope small = scope_of(ScopeKind::key, {.tokens_per_minute = 1000});
  const Scope large = scope_of(ScopeKind::model, {.tokens_per_minute = 100'000});
  const Demand guessed{.input_tokens = 100, .output_tokens = 4096, .output_known = false};
  Hold hold = admitted(chain_of({small, large}), guessed, start);
  EXPECT_EQ(tokens_left(small, start), 0u);
  EXPECT_EQ(tokens_left(large, start), 95'804u);
  hold.settle({.input = 100, .output = 50}, start);
  EXPECT_EQ(tokens_left(small, start), 850u);
  EXPECT_EQ(tokens_left(large, start), 99'850u);
}

TEST(Admission, refuses_in_debt_even_what_costs_nothing) {
  const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = 600});
  admitted(chain_of({scope}), tokens(10), start).settle({.input = 700}, start);
  EXPECT_EQ(denied(chain_of({scope}), tokens(0), start).retry_after, Millis(10'000));
  EXPECT_TRUE(is_admitted(admit(chain_of({scope}), tokens(0), start + Millis(10'000))));
}

TEST(Admission, told_wait_is_enough_and_not_a_millisecond_more_than_needed) {
  for (const std::uint64_t rate : {1ull, 7ull, 999ull, 60'000ull, 1'000'003ull}) {
    const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = rate});
    admitted(chain_of({scope}), tokens(rate), start);
    const std::uint64_t wanted = (rate + 1) / 2;
    const Millis wait = denied(chain_of({scope}), tokens(wanted), start).retry_after.value();
    EXPECT_FALSE(is_admitted(admit(chain_of({scope}), tokens(wanted), start + wait - Millis(1)))) << rate;
    EXPECT_TRUE(is_admitted(admit(chain_of({scope}), tokens(wanted), start + wait))) << rate;
  }
}

TEST(WouldDeny, looks_at_requests_and_concurrency_alone_and_takes_nothing) {
  const Scope tenant = scope_of(ScopeKind::tenant, {.requests_per_minute = 2, .tokens_per_minute = 100}, "acme");
  const Scope key = scope_of(ScopeKind::key, {.concurrency = 1}, "acme/ci");
  const ScopeChain chain = chain_of({tenant, key});
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(would_deny(chain, start));
  EXPECT_EQ(requests_left(tenant, start), 2u);
  EXPECT_EQ(key->in_flight(), 0u);

  Hold one = admitted(chain, tokens(100), start);
  EXPECT_EQ(would_deny(chain, start).value().scope, "acme/ci");
  one = Hold();
  EXPECT_FALSE(would_deny(chain, start)) << "no tokens are left, but that is not its question";
  EXPECT_FALSE(is_admitted(admit(chain, tokens(100), start)));
  admitted(chain, tokens(0), start);
  EXPECT_EQ(would_deny(chain, start).value().what, LimitKind::requests);
  EXPECT_EQ(would_deny(chain, start).value().retry_after, Millis(30'000));
}

TEST(Standing, is_that_of_the_bucket_with_the_smallest_share_left) {
  const Scope tenant = scope_of(ScopeKind::tenant, {.requests_per_minute = 100, .tokens_per_minute = 600});
  const Scope key = scope_of(ScopeKind::key, {.requests_per_minute = 10});
  const Scope model = scope_of(ScopeKind::model, {.tokens_per_minute = 60'000});
  const ScopeChain chain = chain_of({tenant, key, model});
  const Hold hold = admitted(chain, tokens(300), start);
  const Standing now = standing(hold.chain(), start);
  EXPECT_EQ(now.requests, (Standing::Amount{.limit = 10, .remaining = 9, .reset = Millis(6000)}));
  EXPECT_EQ(now.tokens, (Standing::Amount{.limit = 600, .remaining = 300, .reset = Millis(30'000)}));
  EXPECT_EQ(standing(chain, start + minutes(1)).tokens, (Standing::Amount{.limit = 600, .remaining = 600}));
}

TEST(Standing, has_whole_units_and_none_in_debt) {
  const Scope scope = scope_of(ScopeKind::tenant, {.tokens_per_minute = 600});
  admitted(chain_of({scope}), tokens(600), start).settle({.input = 660}, start);
  EXPECT_EQ(standing(chain_of({scope}), start).tokens, (Standing::Amount{.limit = 600, .reset = Millis(66'000)}));
  EXPECT_EQ(tokens_left(scope, start + Millis(6'199)), 1u);
}

TEST(Standing, tells_the_limit_as_it_is_set_whatever_the_burst) {
  const Scope scope = scope_of(ScopeKind::tenant, {.requests_per_minute = 600, .burst = Millis(1000)});
  EXPECT_EQ(standing(chain_of({scope}), start).requests, (Standing::Amount{.limit = 600, .remaining = 10}));
}

TEST(Standing, is_told_with_an_admission_and_with_a_refusal) {
  const Scope scope = scope_of(ScopeKind::tenant, {.requests_per_minute = 60, .tokens_per_minute = 600});
  Hold first, second;
  first.begin() = second.begin() = chain_of({scope});
  Standing admitted, refused;
  EXPECT_FALSE(policy::admit(first, tokens(400), start, admitted));
  EXPECT_TRUE(policy::admit(second, tokens(300), start, refused));
  for (const Standing& told : {admitted, refused}) {
    EXPECT_EQ(told, standing(chain_of({scope}), start));
    EXPECT_EQ(told.tokens.value().remaining, 200u);
    EXPECT_EQ(told.requests.value().remaining, 59u);
  }
}

TEST(ScopeChain, takes_scopes_in_their_order_alone) {
  ScopeChain chain = chain_of({scope_of(ScopeKind::tenant, {})});
  EXPECT_THROW(chain.add(scope_of(ScopeKind::group, {})), std::logic_error);
  EXPECT_THROW(chain.add(scope_of(ScopeKind::tenant, {})), std::logic_error);
  EXPECT_THROW(chain.add(nullptr), std::logic_error);
  chain.add(scope_of(ScopeKind::model, {}));
  EXPECT_EQ(chain.scopes().size(), 2u);
  const ScopeChain moved = std::move(chain);
  EXPECT_EQ(moved.scopes().size(), 2u);
  EXPECT_TRUE(chain.empty());  // NOLINT(bugprone-use-after-move): a moved chain is empty
}

TEST(LimitNames, are_words) {
  EXPECT_EQ(name_of(ScopeKind::group), "group");
  EXPECT_EQ(name_of(ScopeKind::end_user), "end_user");
  EXPECT_EQ(name_of(ScopeKind::model), "model");
  EXPECT_EQ(name_of(LimitKind::requests), "requests");
  EXPECT_EQ(name_of(LimitKind::concurrency), "concurrency");
}

}  // namespace
}  // namespace tollgate::policy
