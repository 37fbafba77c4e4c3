#include "protocol/anthropic/request/model_rules.hpp"

#include <gmock/gmock.h>

#include <set>

namespace tollgate::protocol::anthropic::request {
namespace {

TEST(ModelRules, are_found_by_every_way_to_write_a_name) {
  for (const char* name : {"claude-opus-4-7", "claude-opus-4.7", "Claude-Opus-4-7", "anthropic/claude-opus-4.7",
                           "claude-opus-4-7-20260901", "us.anthropic.claude-opus-4-7-v1:0", "claude-opus-4-7@20260901",
                           "claude-opus-4-7-latest"})
    EXPECT_EQ(rules_of(name).name, "claude-opus-4-7") << name;
  EXPECT_EQ(rules_of("claude-haiku-4-5-20251001").name, "claude-haiku-4-5");
  EXPECT_EQ(rules_of("claude-3-5-sonnet-20241022").name, "claude-3-5");
  EXPECT_EQ(rules_of("claude-3-opus-20240229").name, "claude-3");
  EXPECT_EQ(rules_of("claude-sonnet-4-20250514").name, "claude-sonnet-4");
  EXPECT_EQ(rules_of("claude-fable-5-1").name, "claude-fable-5-1");
}

TEST(ModelRules, of_a_version_that_is_not_listed_are_the_newest) {
  for (const char* name :
       {"claude-opus-4-9", "claude-opus-5-9", "claude-3-9-opus", "claude-opus-45", "claude-opus", "gpt-5", "", "*"})
    EXPECT_EQ(rules_of(name).name, "*") << name;
}

TEST(ModelRules, are_read_once_and_are_whole) {
  std::set<std::string> names;
  for (const ModelRules& row : model_rules()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(&rules_of(row.name), &row);
    EXPECT_EQ(row.sampling == Sampling::none, row.version == Version::v2026_10_21) << row.name;
    const bool has_levels = row.thinking != Thinking::none && row.thinking != Thinking::budget;
    EXPECT_TRUE(!has_levels || !row.efforts.empty()) << row.name;
  }
  EXPECT_GT(names.size(), 20u);
}

TEST(ModelRules, say_what_the_models_differ_in) {
  const ModelRules& haiku = rules_of("claude-haiku-4-5");
  EXPECT_EQ(haiku.sampling, Sampling::one);
  EXPECT_EQ(haiku.thinking, Thinking::budget);
  EXPECT_EQ(haiku.forced, Forced::unthinking);
  EXPECT_TRUE(haiku.prefill && haiku.format && !haiku.text_if_asked && haiku.efforts.empty());
  EXPECT_EQ(haiku.most_tokens, 64'000u);
  const ModelRules& opus = rules_of("claude-opus-5");
  EXPECT_EQ(opus.off_up_to, Effort::high);
  EXPECT_TRUE(opus.thinks_unasked() && opus.text_if_asked && !opus.prefill);
}

TEST(ModelRules, give_the_nearest_effort_from_below) {
  const ModelRules& opus = rules_of("claude-opus-4-6");
  EXPECT_EQ(opus.nearest(Effort::xhigh), Effort::high);
  EXPECT_EQ(opus.nearest(Effort::max), Effort::max);
  EXPECT_EQ(rules_of("claude-haiku-4-5").nearest(Effort::low), std::nullopt);
  ModelRules late;
  late.efforts = {Effort::high};
  EXPECT_EQ(late.nearest(Effort::low), Effort::high);
}

TEST(ModelRules, are_not_read_from_a_table_with_a_fault) {
  const std::string good = "* none on asked high low,max yes no yes no 1 2 2026-10-21\n";
  ASSERT_TRUE(read_model_rules("# words\n\n" + good));
  for (const char* bad :
       {"", "claude none on asked high low,max yes no yes no 1 2 2026-10-21\n",
        "* some on asked high low,max yes no yes no 1 2 2026-10-21\n",
        "* none on asked high max,low yes no yes no 1 2 2026-10-21\n",
        "* none on asked high low,most yes no yes no 1 2 2026-10-21\n",
        "* none on asked high low yes no yes no 3 2 2026-10-21\n",
        "* none on asked high low yes no yes no 0 2 2026-10-21\n",
        "* none on asked high low yes no yes no 1x 2 2026-10-21\n",
        "* none on asked high low yes no yes maybe 1 2 2026-10-21\n", "* none on asked high low yes no yes no 1 2\n",
        "* none on asked high low yes no yes no 1 2 2026-10-21 more\n"})
    EXPECT_FALSE(read_model_rules(bad)) << bad;
}

}  // namespace
}  // namespace tollgate::protocol::anthropic::request
