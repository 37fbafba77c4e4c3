// Counts what this program allocates, to show that letting a request in and out again allocates nothing.
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

}  // namespace
}  // namespace tollgate::policy
