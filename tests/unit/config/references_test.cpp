#include "config/references.hpp"

#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

class References : public testing::Test {
 protected:
  std::string text_of(std::string_view raw) {
    const Expansion expansion = expand(raw, "/etc/tollgate", world_);
    EXPECT_TRUE(expansion.problems.empty()) << raw << ": " << expansion.problems[0].message;
    return expansion.text;
  }
  std::string problem_of(std::string_view raw) {
    const Expansion expansion = expand(raw, "/etc/tollgate", world_);
    return expansion.problems.empty() ? "" : expansion.problems[0].message;
  }

  test::Memory memory_{
      {{"/etc/tollgate/a.key", "from-a\n"}, {"/run/b.key", "from-b\n\n"}, {"/run/c.key", "from-c\r\n"}},
      {{"NAME", "value"}, {"EMPTY", ""}, {"NESTED", "${NAME}$$"}}};
  Sources sources_ = memory_.sources();
  World world_{sources_, false};
};

TEST_F(References, variables_are_replaced_wherever_they_stand) {
  EXPECT_EQ(text_of("${NAME}"), "value");
  EXPECT_EQ(text_of("a-${NAME}-${NAME}b"), "a-value-valueb");
  EXPECT_EQ(text_of("plain"), "plain");
  EXPECT_EQ(text_of("${EMPTY}"), "");
}

TEST_F(References, defaults_stand_in_for_unset_and_empty) {
  EXPECT_EQ(text_of("${NOT_SET:-other}"), "other");
  EXPECT_EQ(text_of("${EMPTY:-other}"), "other");
  EXPECT_EQ(text_of("${NAME:-other}"), "value");
  EXPECT_EQ(text_of("${NOT_SET:-}"), "");
  EXPECT_EQ(text_of("${NOT_SET:-a:-b}"), "a:-b");
}

TEST_F(References, files_lose_one_newline_and_resolve_against_the_folder) {
  EXPECT_EQ(text_of("${file:a.key}"), "from-a");
  EXPECT_EQ(text_of("${file:/run/b.key}"), "from-b\n");
  EXPECT_EQ(text_of("${file:../../run/c.key}"), "from-c");
  EXPECT_EQ(world_.files(), (std::vector<std::string>{"/etc/tollgate/a.key", "/run/b.key", "/run/c.key"}));
}

TEST_F(References, two_dollars_are_one) {
  EXPECT_EQ(text_of("$${NAME}"), "${NAME}");
  EXPECT_EQ(text_of("$$$$"), "$$");
  EXPECT_EQ(text_of("5$"), "5$");
  EXPECT_EQ(text_of("$NAME"), "$NAME");
}

TEST_F(References, what_comes_in_is_not_expanded_again) { EXPECT_EQ(text_of("${NESTED}"), "${NAME}$$"); }

TEST_F(References, only_values_from_outside_count_as_referred) {
  EXPECT_TRUE(expand("${NAME}", "/", world_).referred);
  EXPECT_FALSE(expand("$$", "/", world_).referred);
}

TEST_F(References, every_unresolved_one_is_a_problem_that_names_it) {
  EXPECT_EQ(problem_of("${NOT_SET}"), "the environment variable NOT_SET is not set");
  EXPECT_EQ(problem_of("${file:none.key}"), "cannot read the file 'none.key': No such file or directory");
  EXPECT_EQ(expand("${ONE}${TWO}", "/", world_).problems.size(), 2u);
}

TEST_F(References, malformed_ones_are_problems_that_quote_nothing) {
  for (const char* raw : {"${test-key-1}", "${}", "${1A}", "${A B}", "${:-x}", "${test-key-1"}) {
    EXPECT_NE(problem_of(raw), "") << raw;
    EXPECT_EQ(problem_of(raw).find("test-key-1"), std::string::npos) << raw;
  }
}

TEST_F(References, large_files_are_refused) {
  memory_.files["/run/large"] = std::string(64 * 1024 + 1, 'x');
  EXPECT_EQ(problem_of("${file:/run/large}"), "the file '/run/large' is larger than 64 KiB");
}

TEST_F(References, unset_ones_become_a_placeholder_where_that_is_allowed) {
  World lenient(sources_, true);
  const Expansion expansion = expand("a-${NOT_SET}-${file:none}", "/", lenient);
  EXPECT_TRUE(expansion.problems.empty());
  EXPECT_EQ(expansion.unset, (std::vector<std::string>{"NOT_SET", "${file:none}"}));
  EXPECT_EQ(expansion.text, "a-" + std::string(placeholder) + "-" + std::string(placeholder));
}

}  // namespace
}  // namespace tollgate::config
