// Random lives of a circuit against a second telling of its rules that keeps everything that ever happened and counts
// it anew for each answer: no ring, no counters, no list of leases that shrinks. The two have to agree in every answer.
#include "tollgate/policy/circuit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::policy {
namespace {

using std::chrono::nanoseconds;

constexpr auto closed = CircuitState::closed;
constexpr auto open = CircuitState::open;
constexpr auto half_open = CircuitState::half_open;

const SteadyTime start = SteadyTime{} + std::chrono::hours(5) + nanoseconds(1);

/// One generation, with all that it has seen.
struct Chapter {
  struct Call {
    Verdict verdict;
    SteadyTime at;
    int window_number;  // of the settings under which it finished
  };
  struct Probe {
    SteadyTime given;
    bool ended;
    bool succeeded;
  };
  CircuitState state;
  bool forced;
  std::string_view reason;
  SteadyTime since;
  double chance = 0;
  std::vector<Call> calls = {};
  std::vector<Probe> probes = {};
};

/// What the model knows of a permit.
struct ModelPermit {
  std::size_t chapter;
  std::optional<std::size_t> probe;
};

class Model {
 public:
  explicit Model(const CircuitSettings& first) : settings(first) {
    chapters_.push_back({closed, false, "started", start});
  }

  void configure(const CircuitSettings& changed) {
    if (changed.window != settings.window) ++window_number_;
    settings = changed;
  }

  /// Time passes also for who only asks.
  void reach(SteadyTime now) {
    time_ = std::max(time_, now);
    if (chapter().forced) return;
    if (chapter().state == open && time_ >= chapter().since + open_time()) turn(half_open, "open_time_over");
    if (chapter().state == closed) {
      while (openings_ > 0 && time_ - healthy_since_ >= seconds(300)) {
        --openings_;
        healthy_since_ += seconds(300);
      }
    }
    for (auto& probe : chapter().probes) probe.ended = probe.ended || time_ >= probe.given + settings.probe_lease;
  }

  std::size_t out() const {
    const auto& probes = chapter().probes;
    return static_cast<std::size_t>(
        std::count_if(probes.begin(), probes.end(), [](auto& probe) { return !probe.ended; }));
  }
  bool usable() const { return chapter().state == closed || (chapter().state == half_open && out() < settings.probes); }

  ModelPermit admit() {
    if (chapter().state == closed) return {current(), std::nullopt};
    chapter().probes.push_back({time_, false, false});
    return {current(), chapter().probes.size() - 1};
  }

  void report(const ModelPermit& permit, Verdict verdict, double chance) {
    if (permit.chapter != current() || chapter().forced) return;
    if (permit.probe) {
      auto& probe = chapter().probes[*permit.probe];
      if (std::exchange(probe.ended, true) || verdict == Verdict::ignored) return;
      if (verdict != Verdict::success) return trip("probe_failed", chance);
      probe.succeeded = true;
      const auto& probes = chapter().probes;
      const auto succeeded = std::count_if(probes.begin(), probes.end(), [](auto& one) { return one.succeeded; });
      if (static_cast<unsigned>(succeeded) >= settings.probes) turn(closed, "probes_succeeded");
      return;
    }
    if (verdict == Verdict::ignored) return;
    chapter().calls.push_back({verdict, time_, window_number_});
    if (settings.failures > 0 && row() >= settings.failures) return trip("failures_in_a_row", chance);
    if (is_share_too_high()) trip("failure_rate", chance);
  }

  void force(std::optional<CircuitState> state) {
    const bool was_forced = chapter().forced;
    if (state == half_open) return turn(half_open, "probe_requested");
    if (state) {
      if (was_forced && chapter().state == *state) return;
      turn(*state, "forced");
      chapter().forced = true;
    } else if (was_forced) {
      turn(chapter().state == open ? half_open : closed, "released");
    }
  }

  std::optional<SteadyTime> retry_at() const {
    if (usable()) return std::nullopt;
    if (chapter().forced) return never;
    if (chapter().state == open) return chapter().since + open_time();
    std::vector<SteadyTime> ends;
    for (const auto& probe : chapter().probes) {
      if (!probe.ended) ends.push_back(probe.given + settings.probe_lease);
    }
    std::sort(ends.begin(), ends.end());
    return ends[ends.size() - settings.probes];
  }

  double share() const {
    if (chapter().state != closed || chapter().reason != "probes_succeeded") return 1;
    if (settings.slow_start.count() == 0) return 1;
    const std::chrono::duration<double> passed = time_ - chapter().since;
    return std::min(1.0, 0.1 + 0.9 * passed.count() / std::chrono::duration<double>(settings.slow_start).count());
  }

  const Chapter& chapter() const { return chapters_.back(); }
  Chapter& chapter() { return chapters_.back(); }
  const std::vector<Chapter>& chapters() const { return chapters_; }
  std::size_t current() const { return chapters_.size() - 1; }
  unsigned openings() const { return openings_; }

  CircuitSettings settings;

 private:
  void turn(CircuitState state, std::string_view reason) {
    chapters_.push_back({state, false, reason, time_});
    healthy_since_ = time_;
  }

  void trip(std::string_view reason, double chance) {
    if (openings_ == 0 || planned(openings_) < settings.longest_open) ++openings_;
    turn(open, reason);
    chapter().chance = chance;
  }

  Millis planned(unsigned openings) const {
    Millis pause = settings.open_for;
    for (unsigned i = 1; i < openings && pause < settings.longest_open; ++i) pause *= 2;
    return std::min(pause, settings.longest_open);
  }

  Millis open_time() const {
    const auto whole = planned(openings_).count();
    const auto spread = static_cast<double>(whole / 5 + 1) * chapter().chance;
    return Millis(whole - whole / 10 + static_cast<std::int64_t>(std::floor(spread)));
  }

  /// Failures since the latest success, whatever else there was.
  unsigned row() const {
    unsigned found = 0;
    for (auto call = chapter().calls.rbegin(); call != chapter().calls.rend(); ++call) {
      if (call->verdict == Verdict::success) break;
      if (call->verdict == Verdict::failure) ++found;
    }
    return found;
  }

  bool is_share_too_high() const {
    const auto slot = nanoseconds(settings.window).count() / 12;
    const auto slot_of = [&](SteadyTime at) { return nanoseconds(at.time_since_epoch()).count() / slot; };
    unsigned finished = 0, failed = 0;
    for (const auto& call : chapter().calls) {
      if (call.window_number != window_number_ || slot_of(time_) - slot_of(call.at) >= 12) continue;
      ++finished;
      if (call.verdict != Verdict::success) ++failed;
    }
    if (finished < settings.min_requests || failed == 0) return false;
    return static_cast<double>(failed) / finished >= settings.failure_rate;
  }

  std::vector<Chapter> chapters_;
  SteadyTime time_ = start, healthy_since_ = start;
  unsigned openings_ = 0;
  int window_number_ = 0;
};

struct Tally {
  std::uint64_t openings_by_row = 0, openings_by_rate = 0, openings_by_probe = 0, closings = 0, forced = 0;
  std::uint64_t lost_probes = 0, late_reports = 0, denials = 0, decays = 0, longest_row_of_openings = 0;
};

/// One sequence of events from a fresh circuit on.
class Life {
 public:
  Life(std::mt19937_64& random, Tally& tally)
      : random_(random), tally_(tally), model_(some_settings()), circuit_(model_.settings) {
    circuit_.usable(now_);
  }

  /// Whether the two agreed to the end, and something could be admitted again after it.
  bool live() {
    for (auto events = 1 + below(120); events > 0 && agreed_; --events) {
      step();
      compare();
    }
    if (agreed_) end();
    for (const Chapter& chapter : model_.chapters()) count(chapter);
    return agreed_;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  template <class Value, std::size_t size>
  Value one_of(const std::array<Value, size>& values) {
    return values[below(size)];
  }

  CircuitSettings some_settings() {
    CircuitSettings some;
    some.failures = one_of(std::array{0u, 1u, 2u, 5u});
    some.window = one_of(std::array{Millis(12), Millis(1'000), Millis(60'000)});
    some.min_requests = one_of(std::array{1u, 4u, 10u});
    some.failure_rate = one_of(std::array{0.0, 0.3, 0.5, 1.0, 1.1});
    some.open_for = one_of(std::array{Millis(0), Millis(7), Millis(5'000)});
    some.longest_open = one_of(std::array{Millis(0), Millis(100), Millis(300'000)});
    some.probes = one_of(std::array{1u, 2u, 3u});
    some.probe_lease = one_of(std::array{Millis(1), Millis(500), Millis(60'000)});
    some.slow_start = one_of(std::array{Millis(0), Millis(30'000)});
    return some;
  }

  void step() {
    const auto choice = below(100);
    if (choice < 35) {
      admit();
    } else if (choice < 70) {
      report();
    } else if (choice < 90) {
      let_time_pass();
    } else if (choice < 92) {
      force();
    } else if (choice < 95) {
      // Half of the reloads change one thing alone, as most do.
      CircuitSettings changed = some_settings();
      if (below(2) == 0) changed.window = model_.settings.window;
      model_.configure(changed);
      circuit_.configure(changed);
    } else if (choice < 97 && !permits_.empty()) {
      if (permits_.back().second.probe) ++tally_.lost_probes;
      permits_.pop_back();
    }
  }

  void admit() {
    model_.reach(now_);
    const bool expected = model_.usable();
    const auto permit = circuit_.admit(now_);
    agree(permit.has_value() == expected);
    if (!permit) ++tally_.denials;
    if (!permit || !expected) return;
    const ModelPermit known = model_.admit();
    agree(permit->probe == known.probe.has_value());
    if (permit->probe) agree(model_.out() <= model_.settings.probes);
    permits_.emplace_back(*permit, known);
  }

  void report() {
    if (permits_.empty()) return;
    const std::size_t place = below(permits_.size());
    const auto [permit, known] = permits_[place];
    const bool again = below(20) == 0;  // stays, to be reported on a second time, or long after
    if (!again || !permit.probe) {
      std::swap(permits_[place], permits_.back());
      permits_.pop_back();
    }
    const auto verdict = one_of(std::array{Verdict::success, Verdict::success, Verdict::failure, Verdict::failure,
                                           Verdict::soft_failure, Verdict::ignored});
    const double chance = static_cast<double>(below(1'024)) / 1'024;
    model_.reach(now_);
    const bool is_late =
        known.chapter != model_.current() || (known.probe && model_.chapter().probes[*known.probe].ended);
    const auto before = model_.chapters().size();
    model_.report(known, verdict, chance);
    circuit_.report(permit, verdict, now_, chance);
    if (!is_late) return;
    ++tally_.late_reports;
    agree(model_.chapters().size() == before && circuit_.take_transitions().size() == before - told_);
    told_ = before;
  }

  void let_time_pass() {
    const auto due = circuit_.retry_at(now_);
    model_.reach(now_);
    if (due && *due != never && below(2) == 0) {
      now_ = *due - nanoseconds(below(2));
      return;
    }
    constexpr std::array<std::uint64_t, 6> spans{
        1, 1'000'000, 100'000'000, 5'000'000'000, 60'000'000'000, 700'000'000'000};
    now_ += nanoseconds(below(one_of(spans)) + 1);
    if (below(10) == 0) now_ -= nanoseconds(below(2'000'000));
  }

  void force() {
    ++tally_.forced;
    std::optional<CircuitState> state;
    if (below(2) == 0) state = one_of(std::array{closed, open, half_open});
    model_.reach(now_);
    model_.force(state);
    circuit_.force(state, now_);
  }

  void compare() {
    const auto openings = model_.openings();
    model_.reach(now_);
    if (model_.openings() < openings) ++tally_.decays;
    tally_.longest_row_of_openings = std::max<std::uint64_t>(tally_.longest_row_of_openings, openings);
    const auto view = circuit_.view(now_);
    const Chapter& expected = model_.chapter();
    agree(view.state == expected.state && view.forced == expected.forced && view.reason == expected.reason);
    agree(view.since == expected.since && view.retry_at == model_.retry_at() && view.openings == model_.openings());
    agree(circuit_.usable(now_) == model_.usable() && circuit_.retry_at(now_) == model_.retry_at());
    agree(std::abs(circuit_.share(now_) - model_.share()) < 1e-9);
    const auto transitions = circuit_.take_transitions();
    agree(transitions.size() == model_.chapters().size() - told_);
    for (const auto& transition : transitions) {
      if (told_ >= model_.chapters().size()) break;
      const Chapter& from = model_.chapters()[told_ - 1];
      const Chapter& to = model_.chapters()[told_++];
      agree(transition.from == from.state && transition.to == to.state && transition.reason == to.reason &&
            transition.at == to.since);
    }
  }

  /// Whatever happened: once nobody holds it, it is usable at the time it tells, and its probes close it.
  void end() {
    circuit_.force(std::nullopt, now_);
    now_ = std::max(now_, circuit_.retry_at(now_).value_or(now_));
    agree(circuit_.usable(now_));
    for (unsigned i = 0; i < model_.settings.probes && circuit_.view(now_).state == half_open; ++i) {
      const auto permit = circuit_.admit(now_);
      agree(permit.has_value());
      if (permit) circuit_.report(*permit, Verdict::success, now_, 0);
    }
    agree(circuit_.view(now_).state == closed && circuit_.admit(now_));
  }

  void count(const Chapter& chapter) {
    if (chapter.reason == "failures_in_a_row") ++tally_.openings_by_row;
    if (chapter.reason == "failure_rate") ++tally_.openings_by_rate;
    if (chapter.reason == "probe_failed") ++tally_.openings_by_probe;
    if (chapter.reason == "probes_succeeded") ++tally_.closings;
  }

  void agree(bool holds) { agreed_ = agreed_ && holds; }

  std::mt19937_64& random_;
  Tally& tally_;
  SteadyTime now_ = start;
  Model model_;
  Circuit circuit_;
  std::vector<std::pair<Circuit::Permit, ModelPermit>> permits_;
  std::size_t told_ = 1;  // chapters of which the circuit has told, the first included
  bool agreed_ = true;
};

class CircuitModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CircuitModel, agrees_over_random_sequences_and_is_never_wedged) {
  constexpr std::uint64_t sequences = 40'000;
  std::mt19937_64 random(GetParam());
  Tally tally;
  for (std::uint64_t i = 0; i < sequences; ++i) ASSERT_TRUE(Life(random, tally).live()) << "sequence " << i;
  // The sequences have to reach what they are to test.
  EXPECT_GT(tally.openings_by_row, sequences / 4);
  EXPECT_GT(tally.openings_by_rate, sequences / 4);
  EXPECT_GT(tally.openings_by_probe, sequences / 4);
  EXPECT_GT(tally.closings, sequences / 4);
  EXPECT_GT(tally.forced, sequences / 4);
  EXPECT_GT(tally.lost_probes, sequences / 20);
  EXPECT_GT(tally.late_reports, sequences / 4);
  EXPECT_GT(tally.denials, sequences);
  EXPECT_GT(tally.decays, sequences / 20);
  EXPECT_GE(tally.longest_row_of_openings, 7u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CircuitModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
