// What is decided before an answer is sent: chance by seed and order, steering over settings, lengths. By value,
// without a socket, so that thousands of requests can be drawn.
#include "simulator/plan.hpp"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace tollgate::simulator {
namespace {

config::SimulatorSettings failing(double rate, std::map<std::string, double> faults = {}) {
  config::SimulatorSettings settings;
  settings.failure_rate = rate;
  settings.faults = std::move(faults);
  return settings;
}

std::map<std::string, int> drawn(const config::SimulatorSettings& settings, int requests) {
  const Planner planner(settings);
  const Call call;
  std::map<std::string, int> counts;
  for (int i = 1; i <= requests; ++i) {
    const Plan plan = planner.plan(static_cast<std::uint64_t>(i), &call, {});
    ++counts[plan.fault ? std::string(name_of(*plan.fault)) : "none"];
  }
  return counts;
}

TEST(Planner, draws_faults_at_the_rate_and_by_the_weights_it_was_given) {
  auto counts = drawn(failing(0.25, {{"error_500", 3}, {"rate_limit", 1}, {"quota", 0}}), 8000);
  EXPECT_NEAR(counts["none"], 6000, 150);
  EXPECT_NEAR(counts["error_500"], 1500, 120);
  EXPECT_NEAR(counts["rate_limit"], 500, 80);
  EXPECT_EQ(counts.count("quota"), 0u);
}

TEST(Planner, draws_a_mix_of_equal_parts_alike_for_streams_and_whole_answers) {
  const std::map<std::string, double> mix{{"rate_limit", 1},       {"error_500", 1},
                                          {"error_503", 1},        {"reset_before_head", 1},
                                          {"hang_before_head", 1}, {"close_before_content", 1}};
  auto counts = drawn(failing(0.25, mix), 24'000);
  EXPECT_NEAR(counts["none"], 18'000, 300);
  for (const auto& [name, weight] : mix) EXPECT_NEAR(counts[name], 1000, 120) << name;
  EXPECT_EQ(counts.size(), 7u);
  const Planner planner(failing(0.25, mix));
  Call whole, stream;
  stream.stream = true;
  for (std::uint64_t i = 1; i <= 500; ++i)
    EXPECT_EQ(planner.plan(i, &whole, {}).fault, planner.plan(i, &stream, {}).fault);
}

TEST(Planner, draws_nothing_that_hangs_when_left_to_itself) {
  for (const auto& [name, count] : drawn(failing(1), 2000)) EXPECT_EQ(name.find("hang"), std::string::npos) << name;
}

TEST(Planner, decides_the_same_for_the_same_seed_and_ordinal) {
  config::SimulatorSettings settings = failing(0.5);
  EXPECT_EQ(drawn(settings, 500), drawn(settings, 500));
  const Planner planner(settings);
  settings.seed = 2;
  const Planner other(settings);
  const Call call;
  int different = 0;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    EXPECT_EQ(planner.plan(i, &call, {}).fault, planner.plan(i, &call, {}).fault);
    different += planner.plan(i, &call, {}).fault != other.plan(i, &call, {}).fault;
  }
  EXPECT_GT(different, 50);
}

TEST(Planner, lets_steering_replace_or_forbid_the_drawn_fault) {
  const Planner planner(failing(1, {{"error_500", 1}}));
  const Call call;
  Steering none;
  none.no_fault = true;
  EXPECT_FALSE(planner.plan(1, &call, none).fault);
  Steering quota;
  quota.fault = Fault::quota;
  EXPECT_EQ(planner.plan(1, &call, quota).fault, Fault::quota);
  EXPECT_FALSE(planner.plan(1, nullptr, {}).fault) << "requests without a call fail only when told to";
}

TEST(Planner, varies_the_length_around_its_mean_by_the_question) {
  const Planner planner(failing(0));
  std::size_t sum = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Call call;
    call.digest = i;
    const std::size_t length = planner.plan(1, &call, {}).answer_tokens;
    EXPECT_GE(length, 32u);
    EXPECT_LE(length, 96u);
    sum += length;
  }
  EXPECT_NEAR(static_cast<double>(sum) / 2000, 64, 2);
}

TEST(Planner, strikes_in_the_middle_of_what_will_be_sent) {
  const Planner planner(failing(0));
  Call call;
  call.max_tokens = 10;
  call.choices = 2;
  Steering steering;
  steering.answer_tokens = 100;
  EXPECT_EQ(planner.plan(1, &call, steering).fault_after, 10u);
  steering.fault_after = 500;
  EXPECT_EQ(planner.plan(1, &call, steering).fault_after, 20u);
}

TEST(Planner, refuses_settings_that_mean_nothing) {
  EXPECT_THROW(Planner(failing(1.5)), std::invalid_argument);
  EXPECT_THROW(Planner(failing(0.1, {{"error_501", 1}})), std::invalid_argument);
  EXPECT_THROW(Planner(failing(0.1, {{"error_500", -1}})), std::invalid_argument);
  EXPECT_THROW(Planner(failing(0.1, {{"error_500", 0}})), std::invalid_argument);
}

}  // namespace
}  // namespace tollgate::simulator
