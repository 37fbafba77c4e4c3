#include "tollgate/policy/key_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

namespace tollgate::policy {
namespace {

using Bytes = std::array<std::uint8_t, 32>;

// Made by Python's int.from_bytes and zlib.crc32.
const std::string of_zeros = "tg_00000000000000000000000000000000000000000003L6u1e";
const std::string of_ones = "tg_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10Xwm86";
const std::string of_counting = "tg_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2qQZBW";
const std::string of_one = "tg_00000000000000000000000000000000000000000013XcZpg";

TEST(KeyText, is_that_of_an_independent_implementation) {
  Bytes bytes{};
  EXPECT_EQ(key_text(bytes), of_zeros);
  bytes[31] = 1;
  EXPECT_EQ(key_text(bytes), of_one);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  EXPECT_EQ(key_text(bytes), of_counting);
  bytes.fill(0xFF);
  EXPECT_EQ(key_text(bytes), of_ones);
}

TEST(KeyText, is_well_formed) {
  for (const auto& text : {of_zeros, of_one, of_counting, of_ones}) {
    EXPECT_EQ(text.size(), key_text_size);
    EXPECT_TRUE(is_well_formed(text)) << text;
  }
}

TEST(KeyText, is_not_well_formed_with_one_character_changed) {
  for (std::size_t i = 0; i < of_counting.size(); ++i) {
    for (const char other : {'0', 'z', '-', ' ', '\0', '\xC3'}) {
      std::string typo = of_counting;
      if (typo[i] == other) continue;
      typo[i] = other;
      EXPECT_FALSE(is_well_formed(typo)) << i;
    }
  }
}

TEST(KeyText, is_not_well_formed_with_two_neighbours_swapped) {
  for (std::size_t i = 0; i + 1 < of_counting.size(); ++i) {
    std::string typo = of_counting;
    if (typo[i] == typo[i + 1]) continue;
    std::swap(typo[i], typo[i + 1]);
    EXPECT_FALSE(is_well_formed(typo)) << i;
  }
}

TEST(KeyText, is_not_well_formed_at_another_length) {
  for (std::size_t size = 0; size < of_ones.size(); ++size) EXPECT_FALSE(is_well_formed(of_ones.substr(0, size)));
  EXPECT_FALSE(is_well_formed(of_ones + "0"));
  EXPECT_FALSE(is_well_formed(" " + of_ones));
}

TEST(KeyHint, shows_the_ends_of_a_key) { EXPECT_EQ(hint_of(of_counting), "tg_003a...QZBW"); }

TEST(KeyHint, shows_nothing_of_a_short_secret) {
  EXPECT_EQ(hint_of(""), "...");
  EXPECT_EQ(hint_of(std::string(23, 'x')), "...");
  EXPECT_EQ(hint_of("sk-abcdefghijklmnopqrstu"), "sk-abcd...rstu");
}

}  // namespace
}  // namespace tollgate::policy
