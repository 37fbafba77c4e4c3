// A provider's day, walked through by value: what holds at which moment, and what that does to the luck of requests. No
// clock and no socket, so a day takes as long as its arithmetic.
#include "simulator/schedule.hpp"

#include "simulator/plan.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace tollgate::simulator {
namespace {

using config::SimulatorPhase;
using config::SimulatorSettings;

SimulatorPhase phase(Millis from, std::optional<Millis> to) {
  SimulatorPhase made;
  made.from = from;
  made.to = to;
  return made;
}

SimulatorPhase failing(Millis from, std::optional<Millis> to, double rate) {
  SimulatorPhase made = phase(from, to);
  made.failure_rate = rate;
  return made;
}

SimulatorSettings day_of(std::vector<SimulatorPhase> phases) {
  SimulatorSettings settings;
  settings.failure_rate = 0.01;
  settings.schedule = std::move(phases);
  return settings;
}

double rate_at(const Schedule& schedule, Micros time) { return schedule.at(time).failure_rate; }

TEST(Schedule, holds_from_a_phases_begin_to_just_before_its_end) {
  const Schedule schedule(day_of({failing(seconds(10), seconds(70), 1)}));
  EXPECT_EQ(rate_at(schedule, Micros{0}), 0.01);
  EXPECT_EQ(rate_at(schedule, Micros{9'999'999}), 0.01);
  EXPECT_EQ(rate_at(schedule, seconds(10)), 1);
  EXPECT_EQ(rate_at(schedule, Micros{69'999'999}), 1);
  EXPECT_EQ(rate_at(schedule, seconds(70)), 0.01);
}

TEST(Schedule, keeps_a_phase_without_an_end_for_good) {
  const Schedule schedule(day_of({failing(seconds(1), std::nullopt, 0.5)}));
  EXPECT_EQ(rate_at(schedule, Micros{999'999}), 0.01);
  EXPECT_EQ(rate_at(schedule, std::chrono::hours(1000)), 0.5);
}

TEST(Schedule, flaps_by_every_and_for) {
  SimulatorPhase flapping = failing(seconds(90), seconds(150), 1);
  flapping.every = seconds(10);
  flapping.lasts = seconds(3);
  const Schedule schedule(day_of({flapping}));
  for (int second = 0; second < 200; ++second) {
    const bool on = second >= 90 && second < 150 && second % 10 < 3;
    EXPECT_EQ(rate_at(schedule, seconds(second)), on ? 1 : 0.01) << second;
  }
  EXPECT_EQ(rate_at(schedule, Micros{92'999'999}), 1);
}

TEST(Schedule, ramps_evenly_up_or_down) {
  SimulatorPhase worse = phase(seconds(160), seconds(220));
  worse.ramp = {0, 0.8};
  SimulatorPhase better = phase(seconds(220), seconds(240));
  better.ramp = {0.8, 0.2};
  const Schedule schedule(day_of({worse, better}));
  EXPECT_EQ(rate_at(schedule, seconds(160)), 0);
  EXPECT_DOUBLE_EQ(rate_at(schedule, seconds(190)), 0.4);
  EXPECT_NEAR(rate_at(schedule, Micros{219'999'999}), 0.8, 1e-6);
  EXPECT_DOUBLE_EQ(rate_at(schedule, seconds(230)), 0.5);
  EXPECT_EQ(rate_at(schedule, seconds(240)), 0.01);
}

TEST(Schedule, lays_later_phases_over_earlier_ones_key_by_key) {
  SimulatorPhase slow = failing(seconds(0), std::nullopt, 0.2);
  slow.slow = 5;
  slow.faults = {{"error_503", 1}};
  SimulatorPhase outage = failing(seconds(10), seconds(20), 1);
  SimulatorPhase quick = phase(seconds(15), seconds(20));
  quick.slow = 1;
  const Schedule schedule(day_of({slow, outage, quick}));
  const Conditions both = schedule.at(seconds(12));
  EXPECT_EQ(both.failure_rate, 1);
  EXPECT_EQ(both.slow, 5);
  EXPECT_EQ(both.mix->drawn(0.5), Fault::error_503);
  EXPECT_EQ(schedule.at(seconds(16)).slow, 1);
  EXPECT_EQ(schedule.at(seconds(20)).failure_rate, 0.2);
}

TEST(Schedule, refuses_phases_that_mean_nothing) {
  std::vector<SimulatorPhase> wrong{failing(seconds(2), seconds(2), 1), failing(seconds(-1), seconds(2), 1),
                                    failing(seconds(1), seconds(2), 1.5), phase(seconds(0), seconds(1))};
  wrong[3].faults = {{"error_500", 0}};
  wrong.push_back(failing(seconds(0), seconds(9), 1));
  wrong.back().every = seconds(2);
  wrong.push_back(wrong.back());
  wrong.back().lasts = seconds(3);
  wrong.push_back(phase(seconds(0), std::nullopt));
  wrong.back().ramp = {0, 1};
  wrong.push_back(phase(seconds(0), seconds(1)));
  wrong.back().slow = 0.5;
  for (const SimulatorPhase& each : wrong) EXPECT_THROW(Schedule(day_of({each})), std::invalid_argument);
}

// --- what it does to requests ---

TEST(Planner, fails_every_request_of_an_outage_and_none_outside) {
  SimulatorSettings settings = day_of({failing(seconds(10), seconds(70), 1)});
  settings.failure_rate = 0;
  settings.schedule[0].faults = {{"error_503", 1}};
  const Planner planner(settings);
  const Call call;
  for (std::uint64_t ordinal = 1; ordinal <= 80; ++ordinal) {
    const auto fault = planner.plan(ordinal, &call, {}, seconds(ordinal)).fault;
    EXPECT_EQ(fault, ordinal >= 10 && ordinal < 70 ? std::optional(Fault::error_503) : std::nullopt) << ordinal;
  }
}

TEST(Planner, gives_a_request_the_same_luck_whenever_it_comes) {
  SimulatorPhase worse = phase(seconds(0), seconds(100));
  worse.ramp = {0, 1};
  const Planner planner(day_of({worse}));
  const Call call;
  for (std::uint64_t ordinal = 1; ordinal <= 300; ++ordinal) {
    std::optional<Fault> before;
    for (int second = 0; second < 100; ++second) {
      const std::optional<Fault> fault = planner.plan(ordinal, &call, {}, seconds(second)).fault;
      if (before) {
        ASSERT_EQ(fault, before) << "what fails at a low rate fails at a higher one, and of the same";
      }
      before = fault;
    }
  }
}

TEST(Planner, fails_the_share_that_a_ramp_has_reached) {
  SimulatorPhase worse = phase(seconds(0), seconds(100));
  worse.ramp = {0, 0.8};
  const Planner planner(day_of({worse}));
  const Call call;
  for (const int second : {0, 25, 50, 75}) {
    int failed = 0;
    for (std::uint64_t ordinal = 1; ordinal <= 4000; ++ordinal)
      failed += planner.plan(ordinal, &call, {}, seconds(second)).fault.has_value();
    EXPECT_NEAR(failed / 4000.0, 0.008 * second, 0.025) << second;
  }
}

TEST(Planner, slows_what_the_settings_say_and_not_what_steering_says) {
  SimulatorSettings settings = day_of({phase(seconds(10), seconds(20))});
  settings.first_token = Millis{50};
  settings.tokens_per_second = 100;
  settings.slow = 2;
  settings.schedule[0].slow = 10;
  const Planner planner(settings);
  const Call call;
  EXPECT_EQ(planner.plan(1, &call, {}, seconds(0)).first_token, Millis{100});
  EXPECT_EQ(planner.plan(1, &call, {}, seconds(0)).tokens_per_second, 50);
  EXPECT_EQ(planner.plan(1, &call, {}, seconds(10)).first_token, Millis{500});
  EXPECT_EQ(planner.plan(1, &call, {}, seconds(10)).tokens_per_second, 10);
  Steering steering;
  steering.first_token = Millis{7};
  steering.tokens_per_second = 70;
  EXPECT_EQ(planner.plan(1, &call, steering, seconds(10)).first_token, Millis{7});
  EXPECT_EQ(planner.plan(1, &call, steering, seconds(10)).tokens_per_second, 70);
}

TEST(Planner, does_not_slow_what_has_no_pace) {
  SimulatorSettings settings;
  settings.slow = 10;
  settings.tokens_per_second = unpaced_rate;
  const Call call;
  EXPECT_EQ(Planner(settings).plan(1, &call, {}).tokens_per_second, unpaced_rate);
}

}  // namespace
}  // namespace tollgate::simulator
