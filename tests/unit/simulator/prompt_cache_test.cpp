#include "simulator/prompt_cache.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

constexpr SteadyTime start{};

std::vector<PrefixEnd> ends(std::size_t count, std::size_t marked, CacheLife life = CacheLife::five_minutes) {
  std::vector<PrefixEnd> list;
  for (std::size_t i = 1; i <= count; ++i) list.push_back({i, i * 10, std::nullopt});
  list[marked - 1].mark = life;
  return list;
}

TEST(PromptCache, writes_at_first_sight_and_reads_from_then_on) {
  PromptCache cache;
  const CacheUse first = cache.use("k", ends(3, 2), start);
  EXPECT_EQ(first.written_5m, 20u);
  EXPECT_EQ(first.read, 0u);
  const CacheUse second = cache.use("k", ends(3, 2), start);
  EXPECT_EQ(second.written_5m, 0u);
  EXPECT_EQ(second.read, 20u);
}

TEST(PromptCache, leaves_a_prompt_without_marks_alone) {
  PromptCache cache;
  cache.use("k", ends(2, 2), start);
  std::vector<PrefixEnd> unmarked = ends(2, 2);
  unmarked[1].mark.reset();
  EXPECT_EQ(cache.use("k", unmarked, start).all(), 0u);
}

TEST(PromptCache, looks_back_over_twenty_ends_and_no_more) {
  PromptCache cache;
  cache.use("k", ends(1, 1), start);
  const CacheUse grown = cache.use("k", ends(21, 21), start);
  EXPECT_EQ(grown.read, 10u);
  EXPECT_EQ(grown.written_5m, 200u);
  PromptCache other;
  other.use("k", ends(1, 1), start);
  EXPECT_EQ(other.use("k", ends(22, 22), start).read, 0u);
}

TEST(PromptCache, splits_what_it_writes_by_the_mark_that_covers_it) {
  PromptCache cache;
  std::vector<PrefixEnd> list = ends(5, 2, CacheLife::one_hour);
  list[3].mark = CacheLife::five_minutes;
  const CacheUse use = cache.use("k", list, start);
  EXPECT_EQ(use.written_1h, 20u);
  EXPECT_EQ(use.written_5m, 20u);
}

TEST(PromptCache, forgets_after_a_lifetime_without_use) {
  PromptCache cache;
  cache.use("k", ends(1, 1), start);
  EXPECT_EQ(cache.use("k", ends(1, 1), start + seconds(299)).read, 10u);
  EXPECT_EQ(cache.use("k", ends(1, 1), start + seconds(598)).read, 10u) << "a use begins it anew";
  EXPECT_EQ(cache.use("k", ends(1, 1), start + seconds(898)).read, 0u);
  cache.use("long", ends(1, 1, CacheLife::one_hour), start);
  EXPECT_EQ(cache.use("long", ends(1, 1), start + seconds(3599)).read, 10u);
}

TEST(PromptCache, keeps_scopes_apart) {
  PromptCache cache;
  cache.use("one", ends(1, 1), start);
  EXPECT_EQ(cache.use("other", ends(1, 1), start).read, 0u);
}

TEST(PromptCache, forgets_the_oldest_beyond_its_bound) {
  PromptCache cache;
  for (std::uint64_t i = 0; i < 5000; ++i) cache.use("k", {{i, 10, CacheLife::five_minutes}}, start);
  EXPECT_EQ(cache.use("k", {{0, 10, CacheLife::five_minutes}}, start).read, 0u);
  EXPECT_EQ(cache.use("k", {{4999, 10, CacheLife::five_minutes}}, start).read, 10u);
}

}  // namespace
}  // namespace tollgate::simulator
