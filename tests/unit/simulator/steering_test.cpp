#include "tollgate/simulator/script.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

TEST(Steering, reads_every_key) {
  const auto steering = parse_steering(
      "fault=error_500,first_token=50ms,rate=1000,jitter=0.5,tokens=10,after=4,retry_after=2s,head=early", ',');
  ASSERT_TRUE(steering);
  EXPECT_EQ(steering->fault, Fault::error_500);
  EXPECT_EQ(steering->first_token, Millis{50});
  EXPECT_EQ(steering->tokens_per_second, 1000);
  EXPECT_EQ(steering->jitter, 0.5);
  EXPECT_EQ(steering->answer_tokens, 10u);
  EXPECT_EQ(steering->fault_after, 4u);
  EXPECT_EQ(steering->retry_after, Millis{2000});
  EXPECT_EQ(steering->early_head, true);
}

TEST(Steering, names_the_pair_it_does_not_understand) {
  for (const char* wrong : {"fault=no_such", "tokens=many", "tokens=-1", "jitter=1.5", "first_token=50", "colour=red",
                            "head=soon", "rate=nan", "fault", "first_token=1e300s"}) {
    const auto steering = parse_steering(std::string("rate=5,") + wrong, ',');
    ASSERT_FALSE(steering) << wrong;
    EXPECT_NE(steering.error().message.find(wrong), std::string::npos);
  }
}

TEST(Steering, is_overridden_only_where_the_upper_level_says_something) {
  Steering below = *parse_steering("fault=error_503;tokens=5", ';');
  below.override_with(*parse_steering("tokens=6; rate=1", ';'));
  EXPECT_EQ(below.fault, Fault::error_503);
  EXPECT_EQ(below.answer_tokens, 6u);
  EXPECT_EQ(below.tokens_per_second, 1);
  below.override_with(*parse_steering("fault=none", ';'));
  EXPECT_FALSE(below.fault);
  EXPECT_TRUE(below.no_fault);
}

TEST(Duration, is_read_with_its_unit) {
  EXPECT_EQ(parse_duration("0"), Millis{0});
  EXPECT_EQ(parse_duration("250ms"), Millis{250});
  EXPECT_EQ(parse_duration("1.5s"), Millis{1500});
  EXPECT_EQ(parse_duration("2m"), Millis{120'000});
  for (const char* wrong : {"", "5", "ms", "-1s", "1h", "1 s"}) EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Fault, is_found_by_its_name_and_by_no_other) {
  for (const Fault fault : all_faults()) EXPECT_EQ(fault_named(name_of(fault)), fault);
  EXPECT_EQ(all_faults().size(), 30u);
  EXPECT_FALSE(fault_named("error_501"));
  EXPECT_FALSE(fault_named(""));
}

}  // namespace
}  // namespace tollgate::simulator
