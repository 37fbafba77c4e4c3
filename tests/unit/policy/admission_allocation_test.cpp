// Counts what this program allocates, to show that letting a request in and out again allocates nothing, nor does
// holding and settling money for it, nor counting its tokens.
#include "tollgate/policy/token_counter.hpp"

#include "unit/policy/budget_helpers.hpp"
#include "unit/policy/limit_helpers.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t allocations = 0;

void* allocate(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace tollgate::policy {
namespace {

using namespace limits_test;

TEST(AdmissionAllocation, there_is_none_from_reservation_to_settlement_over_all_kinds_of_scopes) {
  ScopeChain chain;
  for (std::size_t kind = 0; kind < scope_kind_count; ++kind) {
    const Limits limits{.requests_per_minute = 1'000, .tokens_per_minute = 100'000, .concurrency = 10};
    chain.add(scope_of(static_cast<ScopeKind>(kind), limits));
  }
  const std::uint64_t before = allocations;
  const bool refused_early = would_deny(chain, start).has_value();
  {
    Outcome admission = admit(chain, {.input_tokens = 10, .output_tokens = 10}, start);
    std::get<Hold>(admission).settle({.input = 10, .output = 1}, start);
  }
  const Standing left = standing(chain, start);
  EXPECT_EQ(allocations, before);
  EXPECT_FALSE(refused_early);
  EXPECT_EQ(left.tokens.value().remaining, 99'989u);
}

TEST(BudgetAllocation, there_is_none_from_reservation_to_settlement_over_all_kinds_of_budgets) {
  BudgetChain chain;
  for (std::size_t kind = 0; kind < scope_kind_count; ++kind) {
    const auto daily = budget_test::settings_of(budget_test::usd(1'000), Window::day, "daily");
    const auto monthly = budget_test::settings_of(budget_test::usd(1'000));
    chain.put(
        std::make_shared<const BudgetList>(std::vector{budget_test::budget_of(daily, static_cast<ScopeKind>(kind)),
                                                       budget_test::budget_of(monthly, static_cast<ScopeKind>(kind))}));
  }
  const std::uint64_t before = allocations;
  BudgetHold hold;
  const bool refused = reserve(hold, chain, budget_test::usd(1), budget_test::start, false).has_value();
  const std::size_t shares = hold.shares().size();
  hold.settle(budget_test::nanos(5), budget_test::start);
  const auto left = remaining(chain, budget_test::start);
  EXPECT_EQ(allocations, before);
  EXPECT_FALSE(refused);
  EXPECT_EQ(shares, 12u);
  EXPECT_EQ(left, budget_test::usd(1'000) - budget_test::nanos(5));
}

TEST(TokenCounterAllocation, there_is_none_for_any_text) {
  const std::string text = "Words, \xE4\xB8\xAD, 123;\n" + std::string(100'000, 'a') + std::string(100'000, ' ');
  const std::uint64_t before = allocations;
  const std::size_t counted = count_tokens(text, TokenEncoding::o200k_base);
  EXPECT_EQ(allocations, before);
  EXPECT_GT(counted, 1000u);
}

}  // namespace
}  // namespace tollgate::policy
