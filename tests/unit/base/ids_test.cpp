#include "tollgate/base/ids.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tollgate {
namespace {

SystemTime at_millis(std::int64_t millis) { return SystemTime(Millis(millis)); }

TEST(Uuid, has_the_form_of_version_7) {
  Random random(1);
  const std::string id(Uuid::v7(at_millis(0x0123456789AB), random).text());
  EXPECT_EQ(id.substr(0, 15), "01234567-89ab-7");
  EXPECT_TRUE(std::string("89ab").find(id[19]) != std::string::npos) << id;
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos);
}

TEST(Uuid, sorts_by_time) {
  Random random(2);
  const std::string early(Uuid::v7(at_millis(1000), random).text());
  const std::string late(Uuid::v7(at_millis(1001), random).text());
  EXPECT_LT(early, late);
}

TEST(Uuid, does_not_repeat_within_a_millisecond) {
  Random random(3);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.emplace(Uuid::v7(at_millis(5), random).text());
  EXPECT_EQ(seen.size(), 10'000u);
}

}  // namespace
}  // namespace tollgate
