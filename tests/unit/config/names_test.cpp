#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

// The order in which a requested model name is looked up, on one configuration in which every rule competes with the
// next. docs/configuration.md prints that order.

namespace tollgate::config {
namespace {

constexpr const char* text = R"(version: 1
providers:
  openai: {simulator: {}}
  local: {simulator: {}}
models:
  gpt-5.5: {provider: openai}
  gpt-5.5-mini: {provider: openai, name: gpt-5.5-mini-2026}
  both: {provider: openai}
  shadowed: {provider: openai}
  "openai/*": {provider: openai, name: "*"}
  "openai/ft:*": {provider: openai, name: tuned}
  "gpt-*": {provider: openai}
  "tie-*": {provider: openai, name: "*"}
  "qwen*": {provider: local, name: "*"}
routes:
  auto: {match: [automatic, shadowed, "gpt-4*", "tie-*"], primary: gpt-5.5}
  both: {primary: gpt-5.5-mini}
  covered: {primary: openai/o9}
  whole: {primary: gpt-9}
)";

class Names : public testing::Test {
 protected:
  void SetUp() override {
    const Loaded loaded = memory_.load(text);
    ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
    snapshot_ = loaded.snapshot;
  }
  /// "route > model > the star's part", or "unknown".
  std::string resolved(std::string_view requested) {
    const Resolution found = snapshot_->resolve(requested);
    if (!found.model) return "unknown";
    return (found.route ? found.route->name : "-") + " > " + found.model->name + " > " + found.wildcard_part;
  }
  test::Memory memory_;
  std::shared_ptr<const Snapshot> snapshot_;
};

TEST_F(Names, exact_names_come_first_route_then_match_then_model) {
  EXPECT_EQ(resolved("auto"), "auto > gpt-5.5 > ");
  EXPECT_EQ(resolved("both"), "both > gpt-5.5-mini > ");
  EXPECT_EQ(resolved("automatic"), "auto > gpt-5.5 > ");
  EXPECT_EQ(resolved("shadowed"), "auto > gpt-5.5 > ");
  EXPECT_EQ(resolved("gpt-5.5"), "- > gpt-5.5 > ");
}

TEST_F(Names, longest_wildcard_wins_and_a_route_wins_a_tie) {
  EXPECT_EQ(resolved("gpt-4o"), "auto > gpt-5.5 > ");
  EXPECT_EQ(resolved("gpt-4"), "auto > gpt-5.5 > ");
  EXPECT_EQ(resolved("openai/o3"), "- > openai/* > o3");
  EXPECT_EQ(resolved("openai/ft:x"), "- > openai/ft:* > x");
  EXPECT_EQ(resolved("tie-1"), "auto > gpt-5.5 > ");
}

TEST_F(Names, wildcard_without_a_name_passes_the_whole_name_on) {
  EXPECT_EQ(resolved("gpt-6"), "- > gpt-* > gpt-6");
  EXPECT_EQ(snapshot_->resolve("gpt-6").model->targets[0].upstream_model, "*");
}

TEST_F(Names, wildcard_model_needs_at_least_one_byte_for_its_star) {
  EXPECT_EQ(resolved("openai/"), "unknown");
  EXPECT_EQ(resolved("gpt-"), "unknown");
}

TEST_F(Names, provider_and_name_come_last) {
  EXPECT_EQ(resolved("local/qwen3"), "- > qwen* > qwen3");
  EXPECT_EQ(resolved("local/"), "unknown");
  EXPECT_EQ(resolved("nobody/qwen3"), "unknown");
}

TEST_F(Names, primary_may_be_covered_by_a_wildcard) {
  EXPECT_EQ(resolved("covered"), "covered > openai/* > o9");
  EXPECT_EQ(resolved("whole"), "whole > gpt-* > gpt-9");
}

TEST_F(Names, pattern_itself_is_no_name) {
  EXPECT_EQ(resolved("qwen*"), "- > qwen* > *");
  EXPECT_EQ(resolved(""), "unknown");
  EXPECT_EQ(resolved("claude"), "unknown");
}

TEST_F(Names, upstream_name_is_the_given_one_or_the_models_own) {
  EXPECT_EQ(snapshot_->resolve("gpt-5.5").model->targets[0].upstream_model, "gpt-5.5");
  EXPECT_EQ(snapshot_->resolve("gpt-5.5-mini").model->targets[0].upstream_model, "gpt-5.5-mini-2026");
  EXPECT_EQ(snapshot_->resolve("gpt-5.5-mini").model->targets[0].label, "openai/gpt-5.5-mini-2026");
  EXPECT_EQ(snapshot_->resolve("openai/o3").model->targets[0].label, "openai/*");
}

TEST_F(Names, near_names_are_three_at_most_and_none_for_strangers) {
  EXPECT_EQ(snapshot_->near_names("gpt-5.5-mni", test::everyone), (std::vector<std::string>{"gpt-5.5-mini"}));
  EXPECT_EQ(snapshot_->near_names("automatc", test::everyone), (std::vector<std::string>{"automatic"}));
  EXPECT_TRUE(snapshot_->near_names("something-else-entirely", test::everyone).empty());
  EXPECT_TRUE(snapshot_->near_names(std::string(100'000, 'a'), test::everyone).empty());
}

TEST_F(Names, listed_names_are_routes_then_models_each_once) {
  EXPECT_EQ(snapshot_->listed_names(test::everyone),
            (std::vector<std::string>{"auto", "both", "covered", "whole", "gpt-5.5", "gpt-5.5-mini", "shadowed"}));
}

}  // namespace
}  // namespace tollgate::config
