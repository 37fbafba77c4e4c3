#include "tollgate/io/secure_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace tollgate::io {
namespace {

TEST(SecureRandom, is_different_each_time) {
  std::set<std::array<std::uint8_t, 32>> seen;
  for (int i = 0; i < 100; ++i) seen.insert(random_bytes<32>().value());
  EXPECT_EQ(seen.size(), 100u);
}

TEST(SecureRandom, fills_all_of_a_large_buffer) {
  // getrandom(2) may stop short beyond 256 bytes.
  std::vector<std::uint8_t> bytes(1'000'000, 0);
  ASSERT_TRUE(fill_random(bytes));
  for (std::size_t begin = 0; begin < bytes.size(); begin += 1000) {
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(begin);
    EXPECT_TRUE(std::any_of(first, first + 1000, [](std::uint8_t byte) { return byte != 0; })) << begin;
  }
}

TEST(SecureRandom, has_nothing_to_do_for_an_empty_buffer) { EXPECT_TRUE(fill_random({})); }

}  // namespace
}  // namespace tollgate::io
