// A minute at five times the load that the limit allows, in simulated time: no more passes than the limit and its
// burst, and nearly all of that does.
#include "unit/policy/limit_helpers.hpp"

#include <map>
#include <random>

namespace tollgate::policy {
namespace {

using namespace limits_test;

constexpr double overload = 5, usable = 0.98, exaggeration = 1.5;
constexpr std::uint64_t smallest = 20, largest = 100;  // tokens of a request
const Millis longest_service{400};

struct Traffic {
  int clients;
  bool obey_retry_after;  // or come again at their own pace
  Limits limits;
};

/// Clients that wait for their answer before they ask again; their number and pace make up the load.
class Minute {
 public:
  Minute(const Traffic& traffic, double requests_per_minute)
      : traffic_(traffic), scope_(scope_of(ScopeKind::key, traffic.limits)) {
    period_ = nanoseconds(static_cast<std::int64_t>(60e9 * traffic.clients / (overload * requests_per_minute)));
    for (int i = 0; i < traffic.clients; ++i) events_.emplace(start + period_ * i / traffic.clients, Event{});
  }

  void run() {
    while (events_.begin()->first < start + minutes(1)) {
      auto event = events_.extract(events_.begin());
      if (event.mapped().actual.input > 0) {
        finish(event.mapped(), event.key());
      } else {
        ask(event.key());
      }
    }
    events_.clear();
  }

  std::uint64_t requests = 0, tokens = 0;  ///< of what was admitted

 private:
  /// The end of a request with tokens; the beginning of one without.
  struct Event {
    Hold hold;
    ActualTokens actual;
    SteadyTime asked;
  };

  void ask(SteadyTime now) {
    const std::uint64_t used = smallest + random_() % (largest - smallest + 1);
    const auto estimate = static_cast<std::uint64_t>(static_cast<double>(used) * exaggeration);
    Outcome admission = admit(chain_of({scope_}), {.input_tokens = estimate, .output_known = true}, now);
    if (const Refused* refused = std::get_if<Refused>(&admission)) {
      events_.emplace(now + (traffic_.obey_retry_after ? nanoseconds(refused->denial.retry_after.value()) : period_),
                      Event{});
      return;
    }
    ++requests;
    tokens += used;
    const auto service = std::min<nanoseconds>(longest_service, period_);
    events_.emplace(now + service, Event{std::move(std::get<Hold>(admission)), {.input = used}, now});
  }
  void finish(Event& event, SteadyTime now) {
    event.hold.settle(event.actual, now);
    events_.emplace(std::max(now, event.asked + period_), Event{});
  }

  Traffic traffic_;
  Scope scope_;
  nanoseconds period_;
  std::multimap<SteadyTime, Event> events_;
  std::mt19937_64 random_{1};
};

void expect_within(double passed, double limit, Millis burst) {
  const double allowed = limit + limit * static_cast<double>(burst.count()) / 60'000;
  EXPECT_LE(passed, allowed);
  EXPECT_GE(passed, usable * allowed);
}

class RateAccuracy : public testing::TestWithParam<std::tuple<int, bool, int>> {
 protected:
  Traffic traffic() const {
    const auto& [clients, obey, burst_seconds] = GetParam();
    return {.clients = clients, .obey_retry_after = obey, .limits = {.burst = std::chrono::seconds(burst_seconds)}};
  }
};

TEST_P(RateAccuracy, of_requests_is_the_limit_and_its_burst) {
  Traffic load = traffic();
  load.limits.requests_per_minute = 3'000;
  Minute minute(load, 3'000);
  minute.run();
  expect_within(static_cast<double>(minute.requests), 3'000, load.limits.burst);
}

TEST_P(RateAccuracy, of_tokens_is_the_limit_and_its_burst_though_estimates_are_too_high) {
  Traffic load = traffic();
  load.limits.tokens_per_minute = 200'000;
  Minute minute(load, 200'000.0 * 2 / (smallest + largest));
  minute.run();
  expect_within(static_cast<double>(minute.tokens), 200'000, load.limits.burst);
}

INSTANTIATE_TEST_SUITE_P(Loads, RateAccuracy,
                         testing::Combine(testing::Values(1, 64), testing::Bool(), testing::Values(1, 60)));

}  // namespace
}  // namespace tollgate::policy
