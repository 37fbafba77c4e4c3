#include "tollgate/policy/limit_text.hpp"

#include <gtest/gtest.h>

namespace tollgate::policy {
namespace {

TEST(LimitText, writes_a_reset_as_openai_does) {
  EXPECT_EQ(reset_text(Millis(12)), "12ms");
  EXPECT_EQ(reset_text(Millis(644)), "644ms");
  EXPECT_EQ(reset_text(Millis(1000)), "1s");
  EXPECT_EQ(reset_text(Millis(6500)), "6.5s");
  EXPECT_EQ(reset_text(Millis(8640)), "8.64s");
  EXPECT_EQ(reset_text(Millis(1001)), "1.001s");
  EXPECT_EQ(reset_text(Millis(1010)), "1.01s");
  EXPECT_EQ(reset_text(Millis(59'999)), "59.999s");
  EXPECT_EQ(reset_text(Millis(90'000)), "1m30s");
  EXPECT_EQ(reset_text(Millis(360'000)), "6m0s");
  EXPECT_EQ(reset_text(Millis(60'250)), "1m0.25s");
  EXPECT_EQ(reset_text(Millis(7'500'000)), "2h5m0s");
  EXPECT_EQ(reset_text(Millis(3'600'000)), "1h0m0s");
  EXPECT_EQ(reset_text(Millis(3'723'000)), "1h2m3s");
  EXPECT_EQ(reset_text(Millis(90'000'000)), "25h0m0s");
  EXPECT_EQ(reset_text(Millis::max()), "2562047788015h12m55.807s");
}

TEST(LimitText, writes_no_wait_as_none) {
  EXPECT_EQ(reset_text(Millis(0)), "0s");
  EXPECT_EQ(reset_text(Millis(-1)), "0s");
}

TEST(LimitText, tells_a_retry_in_whole_seconds_that_are_never_too_few) {
  EXPECT_EQ(retry_seconds(Millis(0)), 1u);
  EXPECT_EQ(retry_seconds(Millis(-7000)), 1u);
  EXPECT_EQ(retry_seconds(Millis(1)), 1u);
  EXPECT_EQ(retry_seconds(Millis(1000)), 1u);
  EXPECT_EQ(retry_seconds(Millis(1001)), 2u);
  EXPECT_EQ(retry_seconds(Millis(6500)), 7u);
  EXPECT_EQ(retry_seconds(Millis::max()), static_cast<std::uint64_t>(Millis::max().count() / 1000 + 1));
}

}  // namespace
}  // namespace tollgate::policy
