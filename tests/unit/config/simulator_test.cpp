#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

Loaded with(const std::string& simulator) {
  test::Memory memory;
  return memory.load("version: 1\nproviders:\n  sim:\n    simulator:\n" + simulator +
                     "models: {small: {provider: sim}}\n");
}

TEST(SimulatorSettings, are_read_with_their_phases_limits_and_keys) {
  const Loaded loaded = with(R"(
      slow: 2
      schedule:
        - {from: 10s, to: 70s, failure_rate: 100%, faults: {error_503: 1}, slow: 10}
        - {from: 90s, to: 150s, every: 10s, for: 3s, failure_rate: 50%}
        - {from: 160s, to: 220s, ramp: {to: 80%}}
        - {slow: 3}
      limits: {requests_per_minute: 60, tokens_per_minute: 5000}
      accepts: [test-key-1, test-key-2]
)");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  const SimulatorSettings& settings = *loaded.snapshot->providers[0].simulator;
  EXPECT_EQ(settings.slow, 2);
  ASSERT_EQ(settings.schedule.size(), 4u);
  SimulatorPhase outage;
  outage.from = seconds(10);
  outage.to = seconds(70);
  outage.failure_rate = 1;
  outage.faults = {{"error_503", 1}};
  outage.slow = 10;
  EXPECT_EQ(settings.schedule[0], outage);
  EXPECT_EQ(settings.schedule[1].every, seconds(10));
  EXPECT_EQ(settings.schedule[1].lasts, seconds(3));
  EXPECT_EQ(settings.schedule[2].ramp, (SimulatorRamp{0, 0.8}));
  EXPECT_FALSE(settings.schedule[2].failure_rate);
  EXPECT_EQ(settings.schedule[3].from, Millis(0));
  EXPECT_FALSE(settings.schedule[3].to);
  EXPECT_EQ(settings.limits, (SimulatorLimits{60, 5000}));
  EXPECT_EQ(settings.accepts, (std::vector<Secret>{Secret("test-key-1"), Secret("test-key-2")}));
}

TEST(SimulatorSettings, of_an_ordinary_day_have_no_phase_no_limit_and_take_any_key) {
  const Loaded loaded = with("      seed: 3\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  SimulatorSettings expected;
  expected.seed = 3;
  EXPECT_EQ(loaded.snapshot->providers[0].simulator, expected);
}

TEST(SimulatorSettings, never_show_a_key_they_accept) {
  const Loaded bad = with("      accepts: [\"test secret\"]\n      seed: x\n");
  EXPECT_EQ(bad.faults.size(), 2u);
  EXPECT_EQ(test::all_text(bad).find("test secret"), std::string::npos) << test::all_text(bad);
}

}  // namespace
}  // namespace tollgate::config
