#include "tollgate/base/instant.hpp"

#include <gtest/gtest.h>

namespace tollgate {
namespace {

using namespace std::chrono;

TEST(Instant, IsReadAsUniversalTime) {
  EXPECT_EQ(parse_instant("1970-01-01T00:00:00Z"), SystemTime{});
  EXPECT_EQ(parse_instant("2027-01-31T00:00:00Z"), SystemTime(sys_days(2027y / 1 / 31)));
  EXPECT_EQ(parse_instant("2027-01-31"), SystemTime(sys_days(2027y / 1 / 31)));
  EXPECT_EQ(parse_instant("2028-02-29T23:59:59.25Z"), SystemTime(sys_days(2028y / 2 / 29)) + 23h + 59min + 59s + 250ms);
}

TEST(Instant, IsReadFromNothingElse) {
  for (const char* text : {"", "2027", "2027-1-31", "2027-02-29", "2027-13-01", "2027-01-31T", "2027-01-31T24:00:00Z",
                           "2027-01-31T00:60:00Z", "2027-01-31T00:00:00", "2027-01-31T00:00:00+01:00",
                           "2027-01-31 00:00:00Z", "2027-01-31T00:00:00.Z", "2027-01-31T00:00:00.1234567890Z",
                           "1969-12-31", "2262-01-01", "2027-01-31Z", "2027-01-31T00:00:00Z ", "-027-01-31"})
    EXPECT_FALSE(parse_instant(text)) << text;
}

TEST(Instant, IsShownAsItWasRead) {
  for (const char* text : {"1970-01-01T00:00:00Z", "2027-01-31T12:34:56Z", "2261-12-31T23:59:59Z"}) {
    const auto time = parse_instant(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(show_instant(*time), text);
  }
}

}  // namespace
}  // namespace tollgate
