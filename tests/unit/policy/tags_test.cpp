#include "tollgate/policy/tags.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tollgate::policy {
namespace {

const std::vector<std::string> allowed{"project", "stage", "cost_center", "a b"};

std::string read(std::string_view text, const std::vector<Tag>& tenant = {}) {
  const auto tags = read_tags(text, allowed, tenant);
  return tags ? *tags : "refused: " + tags.error().message;
}

TEST(Tags, AreSortedByKeyWhateverTheirOrder) {
  EXPECT_EQ(read("stage=test,project=apollo"), "project=apollo,stage=test");
  EXPECT_EQ(read("project=x,"), "project=x");
  EXPECT_EQ(read(" project = apollo , stage = test "), "project=apollo,stage=test");
}

TEST(Tags, KeepWhatStandsInAnEscape) {
  EXPECT_EQ(read("project=a%2Cb%3Dc"), "project=a%2Cb%3Dc");
  EXPECT_EQ(read("a%20b=%c3%a4"), "a%20b=%C3%A4");
}

TEST(Tags, StandBesideThoseOfTheTenant) {
  EXPECT_EQ(read("stage=test", {{"cost_center", "4711"}}), "cost_center=4711,stage=test");
  EXPECT_EQ(read("", {{"cost_center", "4711"}}), "cost_center=4711");
}

TEST(Tags, CannotReplaceOneOfTheTenant) {
  EXPECT_NE(read("cost_center=1", {{"cost_center", "4711"}}).find("'cost_center' is set by the tenant"),
            std::string::npos);
}

TEST(Tags, AreRefusedWhereTheyAreNoSuchList) {
  const std::string long_key(65, 'k'), long_value(257, 'v');
  for (const std::string& text :
       {std::string("project"), std::string("=x"), std::string("project=x,,stage=y"), std::string("other=x"),
        std::string("project=a,project=b"), std::string("project=%"), std::string("project=%2"),
        std::string("project=%zz"), std::string("project=%0d%0aX: y"), std::string("project=a\tb"), long_key + "=x",
        "project=" + long_value})
    EXPECT_EQ(read(text).substr(0, 9), "refused: ") << text;
}

TEST(Tags, AreNotMoreThanMayBe) {
  std::vector<std::string> keys;
  std::string text;
  for (std::size_t i = 0; i <= most_tags; ++i) {
    keys.push_back("k" + std::to_string(i));
    text += (text.empty() ? "" : ",") + keys.back() + "=v";
  }
  EXPECT_FALSE(read_tags(text, keys, {}));
  EXPECT_TRUE(read_tags(text.substr(0, text.rfind(',')), keys, {}));
}

}  // namespace
}  // namespace tollgate::policy
