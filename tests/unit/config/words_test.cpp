#include "config/words.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

TEST(Words, distance_counts_each_kind_of_slip_once) {
  EXPECT_EQ(edit_distance("timeouts", "timeouts", 3), 0u);
  EXPECT_EQ(edit_distance("timouts", "timeouts", 3), 1u);
  EXPECT_EQ(edit_distance("timeoutss", "timeouts", 3), 1u);
  EXPECT_EQ(edit_distance("timeoots", "timeouts", 3), 1u);
  EXPECT_EQ(edit_distance("timeuots", "timeouts", 3), 1u);
  EXPECT_EQ(edit_distance("TimeOuts", "timeouts", 3), 0u);
}

TEST(Words, distance_stops_at_the_limit) {
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3u);
  EXPECT_EQ(edit_distance("a", "abcdef", 2), 3u);
  EXPECT_EQ(edit_distance(std::string(100'000, 'a'), std::string(100'000, 'b'), 2), 3u);
}

TEST(Words, nearest_puts_the_nearest_first_and_each_once) {
  const std::vector<std::string> names{"gpt-5.4", "gpt-5.5", "claude", "gpt-5.5"};
  EXPECT_EQ(nearest("gpt-5,5", names, 3), (std::vector<std::string>{"gpt-5.5", "gpt-5.4"}));
  EXPECT_TRUE(nearest("mistral", names, 3).empty());
}

TEST(Words, printable_keeps_a_terminal_safe) {
  EXPECT_EQ(printable("a\x1b[31m\nb"), "a?[31m?b");
  EXPECT_LT(printable(std::string(10'000, 'x')).size(), 200u);
}

}  // namespace
}  // namespace tollgate::config
