// Rights are judged by what would answer. The cases are the ways by which others are known to have been got around:
// prefixes, wildcards, letter case, routes that lead to what is denied.
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

class Permission : public testing::Test {
 protected:
  void SetUp() override {
    const Loaded loaded = memory_.load(R"(version: 1
providers: {openai: {simulator: {}}, local: {simulator: {}}}
models:
  gpt-5.5: {provider: openai}
  mini: {provider: openai, name: gpt-5.5-mini}
  small: {provider: local, name: qwen3-8b}
  "openai/*": {provider: openai, name: "*"}
  "local-*": {provider: local}
routes:
  auto: {primary: gpt-5.5, match: ["gpt-4*", best]}
  cheap: {primary: small}
  far: {primary: openai/o3}
)");
    ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
    snapshot_ = loaded.snapshot;
  }
  bool may(const policy::Rights& rights, const std::string& name) const {
    const Resolution resolution = snapshot_->resolve(name);
    EXPECT_TRUE(resolution.model) << name;
    return snapshot_->permits(rights, resolution);
  }
  test::Memory memory_;
  std::shared_ptr<const Snapshot> snapshot_;
};

policy::Rights only(policy::Names names) { return {.allow = std::move(names), .deny = {}}; }
policy::Rights all_but(policy::Names names) { return {.allow = {}, .deny = std::move(names)}; }

TEST_F(Permission, is_for_everything_where_nothing_is_said) {
  for (const char* name : {"auto", "gpt-4o", "gpt-5.5", "openai/o3", "local-x", "cheap"})
    EXPECT_TRUE(may({}, name)) << name;
}

TEST_F(Permission, to_a_route_is_one_to_whatever_it_dispatches_and_to_nothing_else) {
  const auto rights = only({.routes = {"auto"}, .models = {}});
  EXPECT_TRUE(may(rights, "auto"));
  EXPECT_TRUE(may(rights, "gpt-4o"));
  EXPECT_TRUE(may(rights, "best"));
  EXPECT_FALSE(may(rights, "gpt-5.5"));
  EXPECT_FALSE(may(rights, "cheap"));
}

TEST_F(Permission, to_a_model_is_not_one_to_a_route_that_dispatches_to_it) {
  const auto rights = only({.routes = {}, .models = {"gpt-5.5"}});
  EXPECT_TRUE(may(rights, "gpt-5.5"));
  EXPECT_FALSE(may(rights, "auto"));
}

TEST_F(Permission, goes_by_the_target_not_by_its_spelling) {
  const auto rights = only({.routes = {}, .models = {"mini"}});
  EXPECT_TRUE(may(rights, "mini"));
  EXPECT_TRUE(may(rights, "openai/gpt-5.5-mini"));  // the same target
  EXPECT_FALSE(may(rights, "openai/mini"));         // another one, which is only called alike
}

TEST_F(Permission, by_a_star_covers_names_that_begin_so) {
  const auto rights = only({.routes = {"*"}, .models = {"openai/*"}});
  EXPECT_TRUE(may(rights, "openai/o3"));
  EXPECT_TRUE(may(rights, "cheap"));
  EXPECT_FALSE(may(rights, "small"));
  EXPECT_FALSE(may(only({.routes = {}, .models = {"openai/o3*"}}), "openai/gpt-5.5-mini"));
}

TEST_F(Permission, is_taken_by_a_refusal_whatever_else_is_allowed) {
  policy::Rights rights = only({.routes = {"*"}, .models = {"*"}});
  rights.deny = {.routes = {"cheap"}, .models = {"gpt-5.5"}};
  EXPECT_FALSE(may(rights, "cheap"));
  EXPECT_TRUE(may(rights, "small"));
  EXPECT_FALSE(may(rights, "gpt-5.5"));
  EXPECT_FALSE(may(rights, "auto"));    // would dispatch to it
  EXPECT_FALSE(may(rights, "gpt-4o"));  // the same by a match
}

TEST_F(Permission, has_no_way_around_a_refusal) {
  for (const char* denied : {"gpt-5.5", "openai/gpt-5.5", "openai/GPT*", "openai/*"}) {
    const auto rights = all_but({.routes = {}, .models = {denied}});
    for (const char* name : {"gpt-5.5", "openai/gpt-5.5", "openai/GPT-5.5", "auto"})
      EXPECT_FALSE(may(rights, name)) << denied << " denied, " << name << " called";
    EXPECT_TRUE(may(rights, "small")) << denied;
  }
  EXPECT_FALSE(may(all_but({.routes = {}, .models = {"openai/o3"}}), "far"));
  EXPECT_FALSE(may(all_but({.routes = {}, .models = {"small"}}), "local/qwen3-8b"));
}

TEST_F(Permission, filters_what_is_listed_and_what_is_near) {
  const auto rights = only({.routes = {"cheap"}, .models = {"mini"}});
  const auto may_call = [&](const Resolution& resolution) { return snapshot_->permits(rights, resolution); };
  EXPECT_EQ(snapshot_->listed_names(may_call), (std::vector<std::string>{"cheap", "mini"}));
  EXPECT_TRUE(snapshot_->near_names("auot", may_call).empty());
  EXPECT_EQ(snapshot_->near_names("chaep", may_call), std::vector<std::string>{"cheap"});
}

}  // namespace
}  // namespace tollgate::config
