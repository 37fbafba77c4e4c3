#include "tollgate/base/money.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tollgate {
namespace {

TEST(Money, IsReadExactlyToTheNanoDollar) {
  EXPECT_EQ(parse_money("0"), Money{0});
  EXPECT_EQ(parse_money("500"), Money{500'000'000'000});
  EXPECT_EQ(parse_money("0.075"), Money{75'000'000});
  EXPECT_EQ(parse_money("0.000000001"), Money{1});
  EXPECT_EQ(parse_money("8999999999.999999999"), Money{8'999'999'999'999'999'999});
}

TEST(Money, RefusesWhatIsNoPlainAmount) {
  for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "0.0000000001", "9000000000",
                           "$1", "99999999999999999999999999", "1.2.3", "0x1"})
    EXPECT_EQ(parse_money(text), std::nullopt) << text;
}

TEST(Money, IsWrittenWithoutNeedlessZeros) {
  EXPECT_EQ(MoneyText(Money{0}).text(), "0");
  EXPECT_EQ(MoneyText(Money{1}).text(), "0.000000001");
  EXPECT_EQ(MoneyText(Money{640'000'000}).text(), "0.64");
  EXPECT_EQ(MoneyText(Money{12'000'000'000}).text(), "12");
  EXPECT_EQ(MoneyText(Money{-500'000'000}).text(), "-0.5");
  EXPECT_EQ(MoneyText(Money{std::numeric_limits<std::int64_t>::min()}).text(), "-9223372036.854775808");
}

TEST(Money, ComesBackAsItWasWritten) {
  for (std::int64_t nanos = 1; nanos < 8'000'000'000'000'000'000 / 7; nanos = nanos * 7 + 3)
    EXPECT_EQ(parse_money(MoneyText(Money{nanos}).text()), Money{nanos});
}

}  // namespace
}  // namespace tollgate
