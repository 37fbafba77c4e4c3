#include "simulator/words.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace tollgate::simulator {
namespace {

TEST(Words, tell_the_same_text_for_the_same_seed_and_another_for_another) {
  EXPECT_EQ(text_of(7, 50), text_of(7, 50));
  EXPECT_NE(text_of(7, 50), text_of(8, 50));
}

TEST(Words, are_one_token_each) { EXPECT_EQ(count_words(text_of(3, 1000)), 1000u); }

TEST(Words, need_no_escaping_in_json) {
  Words words(1);
  std::set<std::string> seen;
  for (int i = 0; i < 20'000; ++i) {
    const std::string word(words.next());
    if (!seen.insert(word).second) continue;
    EXPECT_EQ(nlohmann::json(word).dump(), '"' + word + '"');
  }
  EXPECT_GT(seen.size(), 60u);
}

TEST(Words, bring_cjk_and_emoji_now_and_then) {
  const std::string text = text_of(1, 2000);
  EXPECT_NE(text.find("网关"), std::string::npos);
  EXPECT_NE(text.find("🚀"), std::string::npos);
}

TEST(Words, are_counted_over_any_white_space) {
  EXPECT_EQ(count_words(""), 0u);
  EXPECT_EQ(count_words("  one\ttwo\r\nthree  "), 3u);
}

}  // namespace
}  // namespace tollgate::simulator
