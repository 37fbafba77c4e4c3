// A circuit's rules one by one, with the time passed in, and what holds between threads. The model test next to this
// plays the rules against each other.
#include "tollgate/policy/circuit.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

namespace tollgate::policy {
namespace {

using std::chrono::nanoseconds;

using Permit = Circuit::Permit;
constexpr auto closed = CircuitState::closed;
constexpr auto open = CircuitState::open;
constexpr auto half_open = CircuitState::half_open;

const SteadyTime start = SteadyTime{} + std::chrono::hours(5) + nanoseconds(1);
constexpr double middle = 0.5;  // of the jitter: an open time is what it is planned to be, to a millisecond
constexpr nanoseconds moment{1};

/// A circuit with its clock, so that a test reads as what happens.
struct Bench {
  explicit Bench(const CircuitSettings& settings = {}) : circuit(settings) {}

  bool call(Verdict verdict) {
    const auto permit = circuit.admit(now);
    if (permit) circuit.report(*permit, verdict, now, middle);
    return permit.has_value();
  }
  void calls(int count, Verdict verdict) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(call(verdict)) << i;
  }
  std::vector<Permit> take_all() {
    std::vector<Permit> permits;
    while (const auto permit = circuit.admit(now)) {
      permits.push_back(*permit);
      if (permits.size() > 10'000) break;
    }
    return permits;
  }
  void report(const Permit& permit, Verdict verdict, double chance = middle) {
    circuit.report(permit, verdict, now, chance);
  }
  CircuitState state() const { return circuit.view(now).state; }
  Millis pause() const { return std::chrono::duration_cast<Millis>(circuit.retry_at(now).value_or(now) - now); }
  void trip() { calls(5, Verdict::failure); }
  void wait_out() { now = circuit.retry_at(now).value_or(now); }
  void recover() {
    wait_out();
    calls(3, Verdict::success);
  }

  SteadyTime now = start;
  Circuit circuit;
};

TEST(Circuit, lets_everything_pass_from_the_start) {
  Bench bench;
  EXPECT_EQ(bench.state(), closed);
  EXPECT_TRUE(bench.circuit.usable(bench.now));
  EXPECT_EQ(bench.circuit.share(bench.now), 1);
  EXPECT_EQ(bench.circuit.retry_at(bench.now), std::nullopt);
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "started");
  EXPECT_EQ(bench.circuit.view(bench.now).since, start);
  EXPECT_FALSE(bench.circuit.admit(bench.now)->probe);
  EXPECT_TRUE(bench.circuit.take_transitions().empty());
}

TEST(Circuit, opens_by_the_fifth_failure_in_a_row_and_not_before) {
  Bench bench;
  bench.calls(4, Verdict::failure);
  EXPECT_EQ(bench.state(), closed);
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open);
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "failures_in_a_row");
  EXPECT_FALSE(bench.circuit.admit(bench.now)) << "the very next request is turned away";
  EXPECT_FALSE(bench.circuit.usable(bench.now));
}

TEST(Circuit, begins_the_row_anew_after_a_success) {
  Bench bench;
  for (int i = 0; i < 4; ++i) {
    bench.calls(4, Verdict::failure);
    bench.calls(1, Verdict::success);
    bench.now += seconds(60);
  }
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, neither_counts_nor_forgets_a_row_by_a_429_or_by_what_says_nothing_of_the_target) {
  Bench bench;
  bench.calls(4, Verdict::failure);
  bench.calls(10, Verdict::soft_failure);
  bench.calls(1'000, Verdict::ignored);
  EXPECT_EQ(bench.state(), closed);
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open);
}

TEST(Circuit, is_never_opened_by_clients_that_leave_or_ask_wrongly) {
  Bench bench;
  bench.calls(10'000, Verdict::ignored);
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, opens_when_half_of_at_least_twenty_in_the_window_have_failed) {
  Bench bench;
  for (int i = 0; i < 9; ++i) {
    bench.calls(1, Verdict::success);
    bench.calls(1, Verdict::failure);
  }
  bench.calls(1, Verdict::success);
  EXPECT_EQ(bench.state(), closed) << "9 of 19";
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open) << "10 of 20";
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "failure_rate");
}

TEST(Circuit, stays_closed_while_less_than_half_fail) {
  Bench bench;
  for (int i = 0; i < 500; ++i) {
    bench.calls(2, Verdict::success);
    bench.calls(1, Verdict::failure);
    bench.now += Millis(10);
  }
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, counts_429_in_the_window) {
  Bench bench;
  bench.calls(19, Verdict::soft_failure);
  EXPECT_EQ(bench.state(), closed);
  bench.calls(1, Verdict::soft_failure);
  EXPECT_EQ(bench.state(), open);
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "failure_rate");
}

TEST(Circuit, forgets_what_finished_before_the_window) {
  Bench bench;
  bench.calls(19, Verdict::soft_failure);
  bench.now += seconds(60);
  bench.calls(19, Verdict::soft_failure);
  EXPECT_EQ(bench.state(), closed);
  bench.now += seconds(54);
  bench.calls(1, Verdict::soft_failure);
  EXPECT_EQ(bench.state(), open) << "eleven slots later they count still";
}

TEST(Circuit, meets_a_share_that_no_double_can_tell_exactly) {
  Bench bench({.failures = 0, .min_requests = 100, .failure_rate = 0.57});
  bench.calls(43, Verdict::success);
  bench.calls(56, Verdict::failure);
  EXPECT_EQ(bench.state(), closed);
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open) << "0.57 * 100 is less than 57 in doubles";
}

TEST(Circuit, has_rules_that_can_be_switched_off) {
  Bench bench({.failures = 0, .failure_rate = 1.1});
  bench.calls(1'000, Verdict::failure);
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, opens_for_five_seconds_first) {
  Bench bench;
  bench.trip();
  const SteadyTime retry_at = start + seconds(5);
  EXPECT_EQ(bench.circuit.retry_at(bench.now), retry_at);
  EXPECT_EQ(bench.circuit.view(bench.now).retry_at, retry_at);
  bench.now = retry_at - moment;
  EXPECT_EQ(bench.state(), open);
  EXPECT_FALSE(bench.circuit.admit(bench.now));
  bench.now = retry_at;
  EXPECT_EQ(bench.state(), half_open);
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "open_time_over");
  EXPECT_EQ(bench.circuit.retry_at(bench.now), std::nullopt);
}

TEST(Circuit, spreads_the_open_time_by_a_tenth_to_both_sides) {
  for (const auto& [chance, expected] : {std::pair{0.0, 4'500}, {0.5, 5'000}, {1 - 0x1.0p-53, 5'500}, {7.0, 5'500}}) {
    Bench bench({.failures = 1});
    bench.report(*bench.circuit.admit(bench.now), Verdict::failure, chance);
    EXPECT_EQ(bench.pause(), Millis(expected)) << chance;
  }
}

TEST(Circuit, doubles_the_open_time_with_each_opening_up_to_the_longest) {
  Bench bench;
  bench.trip();
  for (const int expected : {5, 10, 20, 40, 80, 160, 300, 300, 300}) {
    EXPECT_EQ(bench.pause(), seconds(expected));
    bench.wait_out();
    bench.calls(1, Verdict::failure);
    EXPECT_EQ(bench.circuit.view(bench.now).reason, "probe_failed");
  }
}

TEST(Circuit, doubles_the_open_time_also_for_a_target_that_recovers_in_between) {
  Bench bench;
  for (const int expected : {5, 10, 20, 40, 80, 160, 300, 300}) {
    bench.trip();
    EXPECT_EQ(bench.pause(), seconds(expected));
    bench.recover();
    EXPECT_EQ(bench.state(), closed);
  }
}

TEST(Circuit, forgets_one_opening_per_300_seconds_closed) {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.trip();
    bench.recover();
  }
  EXPECT_EQ(bench.circuit.view(bench.now).openings, 3u);
  bench.now += seconds(300) - moment;
  EXPECT_EQ(bench.circuit.view(bench.now).openings, 3u);
  bench.now += moment;
  EXPECT_EQ(bench.circuit.view(bench.now).openings, 2u);
  bench.now += seconds(299);
  bench.trip();
  EXPECT_EQ(bench.pause(), seconds(20));
  bench.now += seconds(10'000);
  EXPECT_EQ(bench.circuit.view(bench.now).openings, 3u) << "only while closed";
  bench.calls(3, Verdict::success);
  bench.now += seconds(10'000);
  EXPECT_EQ(bench.circuit.view(bench.now).openings, 0u);
}

TEST(Circuit, does_not_hold_a_long_outage_against_a_target_for_days) {
  Bench bench;
  bench.trip();
  for (int i = 0; i < 1'000; ++i) {
    bench.wait_out();
    bench.calls(1, Verdict::failure);
  }
  EXPECT_EQ(bench.circuit.view(bench.now).openings, 7u) << "5 s * 2^6 reaches the longest";
}

TEST(Circuit, gives_as_many_permits_as_there_are_probes_while_half_open) {
  Bench bench;
  bench.trip();
  bench.wait_out();
  const auto permits = bench.take_all();
  ASSERT_EQ(permits.size(), 3u);
  for (const Permit& permit : permits) EXPECT_TRUE(permit.probe);
  EXPECT_FALSE(bench.circuit.usable(bench.now));
  bench.report(permits[0], Verdict::success);
  EXPECT_EQ(bench.take_all().size(), 1u) << "a slow probe does not hold up the others";
}

TEST(Circuit, closes_by_three_successes_and_starts_slowly) {
  Bench bench;
  bench.trip();
  bench.wait_out();
  bench.calls(2, Verdict::success);
  EXPECT_EQ(bench.state(), half_open);
  bench.calls(1, Verdict::success);
  EXPECT_EQ(bench.state(), closed);
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "probes_succeeded");
  EXPECT_DOUBLE_EQ(bench.circuit.share(bench.now), 0.1);
  EXPECT_DOUBLE_EQ(bench.circuit.share(bench.now + seconds(10)), 0.4);
  EXPECT_DOUBLE_EQ(bench.circuit.share(bench.now + seconds(15)), 0.55);
  EXPECT_LT(bench.circuit.share(bench.now + seconds(30) - moment), 1);
  EXPECT_EQ(bench.circuit.share(bench.now + seconds(30)), 1);
}

TEST(Circuit, opens_again_by_any_failed_probe) {
  for (const Verdict verdict : {Verdict::failure, Verdict::soft_failure}) {
    Bench bench;
    bench.trip();
    bench.wait_out();
    bench.calls(2, Verdict::success);
    bench.calls(1, verdict);
    EXPECT_EQ(bench.state(), open);
    EXPECT_EQ(bench.circuit.view(bench.now).openings, 2u);
  }
}

TEST(Circuit, gives_the_place_of_a_probe_that_says_nothing_to_another) {
  Bench bench;
  bench.trip();
  bench.wait_out();
  bench.calls(1'000, Verdict::ignored);
  EXPECT_EQ(bench.state(), half_open);
  EXPECT_EQ(bench.take_all().size(), 3u);
}

TEST(Circuit, gives_a_lost_probe_up_when_its_lease_is_over) {
  Bench bench;
  bench.trip();
  bench.wait_out();
  const auto lost = bench.take_all();
  EXPECT_EQ(bench.circuit.retry_at(bench.now), bench.now + seconds(60));
  bench.now += seconds(60) - moment;
  EXPECT_FALSE(bench.circuit.usable(bench.now));
  bench.now += moment;
  const auto next = bench.take_all();
  ASSERT_EQ(next.size(), 3u);
  for (const Permit& late : lost) bench.report(late, Verdict::failure);
  EXPECT_EQ(bench.state(), half_open) << "a late report changes nothing";
  for (const Permit& late : lost) bench.report(late, Verdict::success);
  EXPECT_EQ(bench.state(), half_open);
  EXPECT_FALSE(bench.circuit.usable(bench.now)) << "nor does it give a place away twice";
  for (const Permit& permit : next) bench.report(permit, Verdict::success);
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, hears_each_probe_once) {
  Bench bench;
  bench.trip();
  bench.wait_out();
  const Permit permit = *bench.circuit.admit(bench.now);
  for (int i = 0; i < 10; ++i) bench.report(permit, Verdict::success);
  EXPECT_EQ(bench.state(), half_open);
  EXPECT_EQ(bench.take_all().size(), 3u);
}

TEST(Circuit, does_not_hear_what_an_older_generation_says) {
  Bench bench;
  const auto old = std::vector{*bench.circuit.admit(bench.now), *bench.circuit.admit(bench.now)};
  bench.trip();
  bench.report(old[0], Verdict::success);
  EXPECT_EQ(bench.state(), open);
  bench.wait_out();
  const auto probes = bench.take_all();
  bench.report(old[0], Verdict::failure);
  EXPECT_EQ(bench.state(), half_open);
  for (const Permit& probe : probes) bench.report(probe, Verdict::success);
  for (int i = 0; i < 100; ++i) bench.report(old[1], Verdict::failure);
  for (int i = 0; i < 100; ++i) bench.report(probes[0], Verdict::failure);
  for (int i = 0; i < 100; ++i) bench.report(Permit{}, Verdict::failure);
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, can_be_held_open_until_it_is_released_into_probes) {
  Bench bench;
  bench.circuit.force(open, bench.now);
  bench.now += std::chrono::hours(100);
  EXPECT_FALSE(bench.circuit.admit(bench.now));
  EXPECT_EQ(bench.circuit.retry_at(bench.now), never);
  const auto view = bench.circuit.view(bench.now);
  EXPECT_EQ(view.state, open);
  EXPECT_TRUE(view.forced);
  EXPECT_EQ(view.reason, "forced");
  EXPECT_EQ(view.since, start);
  EXPECT_EQ(view.openings, 0u);
  bench.circuit.force(std::nullopt, bench.now);
  EXPECT_EQ(bench.state(), half_open);
  EXPECT_FALSE(bench.circuit.view(bench.now).forced);
  bench.calls(3, Verdict::success);
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, can_be_held_closed_whatever_fails) {
  Bench bench;
  bench.trip();
  bench.circuit.force(closed, bench.now);
  bench.calls(1'000, Verdict::failure);
  EXPECT_EQ(bench.state(), closed);
  EXPECT_EQ(bench.circuit.share(bench.now), 1);
  bench.circuit.force(std::nullopt, bench.now);
  EXPECT_EQ(bench.state(), closed);
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "released");
  bench.calls(4, Verdict::failure);
  EXPECT_EQ(bench.state(), closed) << "what failed while held does not count";
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open);
}

TEST(Circuit, can_be_probed_at_once) {
  Bench bench;
  bench.trip();
  bench.circuit.force(half_open, bench.now);
  EXPECT_FALSE(bench.circuit.view(bench.now).forced);
  EXPECT_EQ(bench.circuit.view(bench.now).reason, "probe_requested");
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open);
  EXPECT_EQ(bench.pause(), seconds(10));
}

TEST(Circuit, is_left_as_it_is_by_a_release_of_what_nobody_holds) {
  Bench bench;
  bench.calls(4, Verdict::failure);
  bench.circuit.force(std::nullopt, bench.now);
  EXPECT_TRUE(bench.circuit.take_transitions().empty());
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open);
}

TEST(Circuit, tells_each_transition_once) {
  Bench bench;
  bench.trip();
  bench.recover();
  bench.circuit.force(closed, bench.now);
  bench.circuit.force(closed, bench.now);
  const auto transitions = bench.circuit.take_transitions();
  ASSERT_EQ(transitions.size(), 4u);
  const auto is = [&](std::size_t i, CircuitState from, CircuitState to, std::string_view reason, SteadyTime at) {
    return transitions[i].from == from && transitions[i].to == to && transitions[i].reason == reason &&
           transitions[i].at == at;
  };
  EXPECT_TRUE(is(0, closed, open, "failures_in_a_row", start));
  EXPECT_TRUE(is(1, open, half_open, "open_time_over", start + seconds(5)));
  EXPECT_TRUE(is(2, half_open, closed, "probes_succeeded", start + seconds(5)));
  EXPECT_TRUE(is(3, closed, closed, "forced", start + seconds(5)));
  EXPECT_TRUE(bench.circuit.take_transitions().empty());
}

TEST(Circuit, keeps_only_the_latest_transitions_that_nobody_asks_for) {
  Bench bench;
  for (int i = 0; i < 1'000; ++i) {
    bench.now += moment;
    bench.circuit.force(i % 2 == 0 ? open : closed, bench.now);
  }
  const auto transitions = bench.circuit.take_transitions();
  ASSERT_EQ(transitions.size(), Circuit::most_transitions);
  EXPECT_EQ(transitions.back().at, bench.now);
}

TEST(Circuit, obeys_changed_settings_at_once_and_keeps_its_state) {
  Bench bench;
  bench.calls(4, Verdict::failure);
  bench.circuit.configure({.failures = 6, .window = seconds(30)});
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), closed);
  bench.calls(1, Verdict::failure);
  EXPECT_EQ(bench.state(), open) << "the row was not forgotten";
  bench.circuit.configure({.open_for = seconds(50)});
  EXPECT_EQ(bench.pause(), seconds(50));
  bench.circuit.configure({.longest_open = seconds(1), .probes = 2});
  EXPECT_EQ(bench.pause(), seconds(1));
  bench.wait_out();
  ASSERT_EQ(bench.take_all().size(), 2u);
  bench.circuit.configure({.probes = 1, .probe_lease = seconds(10)});
  EXPECT_EQ(bench.pause(), seconds(10));
  bench.wait_out();
  EXPECT_EQ(bench.take_all().size(), 1u);
  bench.circuit.configure({.probes = 4});
  EXPECT_EQ(bench.take_all().size(), 3u);
}

TEST(Circuit, closes_by_the_next_success_where_fewer_probes_are_wanted_than_have_succeeded) {
  Bench bench({.probes = 5});
  bench.trip();
  bench.wait_out();
  bench.calls(4, Verdict::success);
  bench.circuit.configure({.probes = 2});
  bench.calls(1, Verdict::success);
  EXPECT_EQ(bench.state(), closed);
}

TEST(Circuit, waits_for_as_many_leases_as_lie_above_a_lowered_number_of_probes) {
  Bench bench({.probes = 3});
  bench.trip();
  bench.wait_out();
  SteadyTime second{};
  for (int i = 0; i < 3; ++i) {
    bench.now += seconds(1);
    if (i == 1) second = bench.now;
    ASSERT_TRUE(bench.circuit.admit(bench.now));
  }
  bench.circuit.configure({.probes = 2});
  EXPECT_EQ(bench.circuit.retry_at(bench.now), second + seconds(60));
  EXPECT_FALSE(bench.circuit.usable(second + seconds(60) - moment));
  EXPECT_TRUE(bench.circuit.usable(second + seconds(60)));
}

TEST(Circuit, forgets_the_window_only_where_its_length_changes) {
  Bench bench;
  bench.calls(19, Verdict::soft_failure);
  bench.circuit.configure({.window = seconds(30)});
  bench.calls(19, Verdict::soft_failure);
  EXPECT_EQ(bench.state(), closed);
  bench.circuit.configure({.window = seconds(30), .slow_start = seconds(1)});
  bench.calls(1, Verdict::soft_failure);
  EXPECT_EQ(bench.state(), open);
}

TEST(Circuit, takes_an_earlier_time_as_the_latest_it_was_told) {
  Bench bench;
  bench.trip();
  EXPECT_TRUE(bench.circuit.usable(start + seconds(5)));
  EXPECT_TRUE(bench.circuit.usable(start)) << "no way back";
  EXPECT_EQ(bench.circuit.view(start).since, start + seconds(5));
}

TEST(Circuit, stands_settings_without_sense_and_the_end_of_time) {
  constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
  for (const Millis span : {Millis::min(), Millis(0), Millis::max()}) {
    Bench bench({.failures = 1,
                 .window = span,
                 .min_requests = 0,
                 .failure_rate = no_number,
                 .open_for = span,
                 .longest_open = span,
                 .probes = 0,
                 .probe_lease = span,
                 .slow_start = span});
    for (int i = 0; i < 100; ++i) {
      bench.calls(1, Verdict::failure);
      bench.wait_out();
      EXPECT_EQ(bench.take_all().size(), 1u);
      bench.now += Millis(1);
      bench.wait_out();
    }
    bench.calls(1, Verdict::success);
    EXPECT_EQ(bench.state(), closed);
    bench.report(*bench.circuit.admit(never), Verdict::failure, no_number);
    EXPECT_NE(bench.circuit.view(never).state, closed);
  }
}

TEST(Circuit, sends_no_stampede_when_the_open_time_of_a_hanging_target_is_over) {
  constexpr int callers = 1'000;
  Bench bench;
  bench.trip();
  bench.wait_out();
  std::atomic<int> permits = 0;
  std::latch all_here(callers);
  std::vector<std::thread> threads;
  threads.reserve(callers);
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      all_here.arrive_and_wait();
      if (bench.circuit.admit(bench.now)) ++permits;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(permits, 3);
}

TEST(Circuit, loses_no_probe_between_threads) {
  Bench bench;
  bench.trip();
  bench.wait_out();
  std::atomic<int> out = 0, admitted = 0;
  std::atomic<bool> too_many = false;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const auto permit = bench.circuit.admit(bench.now);
        if (!permit) continue;
        ++admitted;
        if (++out > 3) too_many = true;
        --out;
        bench.circuit.report(*permit, Verdict::ignored, bench.now, middle);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(too_many);
  EXPECT_GT(admitted, 0);
  EXPECT_EQ(bench.take_all().size(), 3u) << "every place was given back";
}

}  // namespace
}  // namespace tollgate::policy
