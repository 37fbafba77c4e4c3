// The plan's rules one by one, then what must hold whatever happens: no attempt beyond its bounds, nobody asked again
// of whom it is known that it is no use, over random histories.
#include "tollgate/policy/attempt_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace tollgate::policy {
namespace {

const SteadyTime start = SteadyTime{} + std::chrono::hours(9);
const Diagnosis repeatable = no_answer;

Option option(std::uint16_t rank, std::uint16_t target, std::uint16_t credential = 0,
              Option::State state = Option::State::usable, SteadyTime usable_at = {}) {
  Option made;
  made.rank = rank;
  made.target = target;
  made.credential = credential;
  made.state = state;
  made.usable_at = usable_at;
  return made;
}

class Plan : public testing::Test {
 protected:
  AttemptPlan plan(std::size_t attempts = 3, Millis deadline = std::chrono::minutes(1)) {
    PlanSettings settings;
    settings.attempts = attempts;
    return AttemptPlan(settings, start + deadline);
  }
  Random random_{7};
};

TEST_F(Plan, asks_the_primary_first) {
  const std::vector<Option> options{option(1, 1), option(0, 0)};
  const auto step = plan().next(options, start, random_);
  EXPECT_FALSE(step.stop);
  EXPECT_EQ(step.option, 1u);
  EXPECT_EQ(step.reason, Reason::primary);
}

TEST_F(Plan, passes_a_primary_over_that_is_not_usable_and_says_why) {
  for (const auto& [state, reason] : {std::pair(Option::State::circuit_open, Reason::circuit_open),
                                      {Option::State::cooling, Reason::rate_limited},
                                      {Option::State::set_aside, Reason::credential_refused}}) {
    const std::vector<Option> options{option(0, 0, 0, state, start + Millis(500)), option(1, 1)};
    const auto step = plan().next(options, start, random_);
    EXPECT_EQ(step.option, 1u);
    EXPECT_EQ(step.reason, reason);
  }
}

TEST_F(Plan, asks_nobody_where_nobody_is_usable) {
  const std::vector<Option> options{option(0, 0, 0, Option::State::circuit_open, start + Millis(500)),
                                    option(1, 1, 0, Option::State::cooling, start + Millis(9000))};
  EXPECT_TRUE(plan().next(options, start, random_).stop);
}

TEST_F(Plan, waits_a_little_for_a_credential_that_cools) {
  const std::vector<Option> options{option(0, 0, 0, Option::State::cooling, start + Millis(1000))};
  const auto step = plan().next(options, start, random_);
  EXPECT_FALSE(step.stop);
  EXPECT_GE(step.at, start + Millis(1000));
  EXPECT_LE(step.at, start + Millis(1250));
  EXPECT_TRUE(plan(3, Millis(900)).next(options, start, random_).stop);
}

TEST_F(Plan, asks_with_a_refused_credential_rather_than_nobody) {
  const std::vector<Option> options{option(0, 0, 0, Option::State::set_aside, start + Millis(500))};
  EXPECT_FALSE(plan().next(options, start, random_).stop);
}

TEST_F(Plan, asks_what_is_too_small_by_the_estimate_after_all_others) {
  std::vector<Option> options{option(0, 0), option(1, 1)};
  options[0].fits = false;
  AttemptPlan made = plan();
  const auto step = made.next(options, start, random_);
  EXPECT_EQ(step.option, 1u);
  EXPECT_EQ(step.reason, Reason::context_window);
  made.failed(options[1], {Remedy::another_target, Blame::none}, Timeout::none, std::nullopt, start);
  EXPECT_EQ(made.next(options, start, random_).option, 0u) << "an estimate is no reason to ask nobody";
  options[1].fits = false;
  EXPECT_EQ(plan().next(options, start, random_).option, 0u);
}

TEST_F(Plan, probes_a_target_first_whatever_its_load_says) {
  std::vector<Option> options{option(0, 0), option(0, 1), option(1, 2)};
  options[1].probes = true;
  options[1].load.first_token = 1e9;
  options[0].load.affinity = ~std::uint64_t{0};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(plan().next(options, start, random_).option, 1u);
  std::swap(options[1].probes, options[2].probes);
  for (int i = 0; i < 20; ++i) EXPECT_NE(plan().next(options, start, random_).option, 2u) << "a fallback has its turn";
}

TEST_F(Plan, gives_a_primary_that_starts_slowly_its_share_and_the_fallback_the_rest) {
  std::vector<Option> options{option(0, 0), option(1, 1)};
  options[0].load.share = 0.1;
  int primary = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto step = plan().next(options, start, random_);
    primary += step.option == 0;
    EXPECT_EQ(step.reason, step.option == 0 ? Reason::primary : Reason::circuit_open);
  }
  EXPECT_NEAR(primary, 1'000, 150);
  options[1].state = Option::State::circuit_open;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(plan().next(options, start, random_).option, 0u);
  options = {option(0, 0), option(0, 1), option(1, 2)};
  options[0].load.share = 0.1;
  for (int i = 0; i < 100; ++i) EXPECT_NE(plan().next(options, start, random_).option, 2u) << "an equal is well";
}

TEST_F(Plan, says_that_one_of_several_equals_was_drawn) {
  EXPECT_EQ(plan().next(std::vector{option(0, 0), option(0, 1)}, start, random_).reason, Reason::weighted);
  EXPECT_EQ(plan().next(std::vector{option(0, 0, 0), option(0, 0, 1)}, start, random_).reason, Reason::primary)
      << "credentials of one target are no choice of a target";
}

TEST_F(Plan, stays_with_the_target_that_a_conversation_is_bound_to) {
  std::vector<Option> options{option(0, 0), option(0, 1), option(0, 2)};
  options[1].load.affinity = ~std::uint64_t{0};
  options[0].load.affinity = options[2].load.affinity = 1;
  for (int i = 0; i < 20; ++i) {
    const auto step = plan().next(options, start, random_);
    EXPECT_EQ(step.option, 1u);
    EXPECT_EQ(step.reason, Reason::affinity);
  }
  options[1].state = Option::State::circuit_open;
  EXPECT_NE(plan().next(options, start, random_).option, 1u);
}

TEST_F(Plan, asks_nobody_again_who_has_no_room) {
  const std::vector<Option> options{option(0, 0), option(1, 1)};
  AttemptPlan made = plan();
  made.refuse(0);
  EXPECT_EQ(made.next(options, start, random_).option, 1u);
  made.refuse(1);
  EXPECT_TRUE(made.next(options, start, random_).stop);
}

TEST_F(Plan, goes_on_after_any_number_of_connections_that_did_not_stand_in_time) {
  const std::vector<Option> options{option(0, 0), option(1, 1), option(2, 2)};
  AttemptPlan made = plan();
  made.failed(options[0], repeatable, Timeout::connecting, std::nullopt, start);
  EXPECT_EQ(made.next(options, start, random_).option, 1u) << "the fallback before a repeat";
  made.failed(options[1], repeatable, Timeout::connecting, std::nullopt, start);
  EXPECT_EQ(made.next(options, start, random_).option, 2u) << "nothing was billed";
}

TEST_F(Plan, hedges_with_an_equal_and_else_with_the_next_model) {
  const std::vector<Option> equal{option(0, 0), option(0, 1), option(1, 2)};
  const auto step = plan().hedge(equal, 0, start, random_);
  EXPECT_EQ(step.option, 1u);
  EXPECT_EQ(step.reason, Reason::hedge);
  EXPECT_EQ(plan().hedge(std::vector{option(0, 0, 0), option(0, 0, 1), option(1, 1)}, 0, start, random_).option, 2u)
      << "another credential is not another target";
}

TEST_F(Plan, does_not_hedge_backwards_nor_without_an_attempt_to_spare_nor_without_time) {
  const std::vector<Option> options{option(0, 0), option(1, 1)};
  EXPECT_TRUE(plan().hedge(options, 1, start, random_).stop);
  EXPECT_TRUE(plan(1).hedge(options, 0, start, random_).stop);
  EXPECT_TRUE(plan(3, Millis(90)).hedge(options, 0, start, random_).stop);
  EXPECT_FALSE(plan().hedge(options, 0, start, random_).stop);
}

TEST_F(Plan, asks_an_equivalent_target_before_a_repeat_and_a_repeat_before_a_fallback) {
  const std::vector<Option> options{option(0, 0), option(0, 1), option(1, 2)};
  AttemptPlan made = plan(4);
  made.failed(options[0], repeatable, Timeout::none, std::nullopt, start);
  const auto second = made.next(options, start, random_);
  EXPECT_EQ(second.option, 1u);
  EXPECT_EQ(second.at, start);
  made.failed(options[1], repeatable, Timeout::none, std::nullopt, start);
  const auto third = made.next(options, start, random_);
  EXPECT_EQ(third.option, 1u);
  EXPECT_TRUE(third.repeat);
  EXPECT_LE(third.at, start + Millis(250));
  made.failed(options[1], repeatable, Timeout::none, std::nullopt, start);
  EXPECT_EQ(made.next(options, start, random_).option, 2u) << "the last attempt is the fallback's";
}

TEST_F(Plan, falls_back_at_once_where_the_retry_budget_is_spent) {
  const std::vector<Option> options{option(0, 0), option(1, 1)};
  AttemptPlan made = plan();
  made.failed(options[0], repeatable, Timeout::none, std::nullopt, start);
  made.refuse_repeats(0);
  const auto step = made.next(options, start, random_);
  EXPECT_EQ(step.option, 1u);
  EXPECT_EQ(step.reason, Reason::retry_exhausted);
  made.failed(options[1], repeatable, Timeout::none, std::nullopt, start);
  made.refuse_repeats(1);
  EXPECT_TRUE(made.next(options, start, random_).stop);
}

TEST_F(Plan, counts_an_attempt_that_was_outrun_and_asks_its_target_no_more) {
  const std::vector<Option> options{option(0, 0), option(0, 1), option(0, 2)};
  AttemptPlan made = plan();
  made.outrun(options[0]);
  made.failed(options[1], repeatable, Timeout::none, std::nullopt, start);
  EXPECT_EQ(made.attempts(), 2u);
  const auto third = made.next(options, start, random_);
  EXPECT_EQ(third.option, 2u);
  made.failed(options[2], repeatable, Timeout::none, std::nullopt, start);
  EXPECT_TRUE(made.next(options, start, random_).stop);
}

TEST_F(Plan, says_why_the_primary_is_passed_over) {
  const auto reason_of = [this](const std::vector<Option>& options) { return plan().next(options, start, random_); };
  EXPECT_EQ(reason_of({option(1, 0), option(2, 1)}).reason, Reason::unsupported_feature);
  AttemptPlan made = plan();
  made.refuse(0);
  EXPECT_EQ(made.next(std::vector<Option>{option(0, 0), option(1, 1)}, start, random_).reason, Reason::overloaded);
  std::vector<Option> small{option(0, 0), option(1, 1)};
  small[0].fits = false;
  EXPECT_EQ(reason_of(small).reason, Reason::context_window);
  small[1].fits = false;
  EXPECT_EQ(reason_of(small).reason, Reason::primary) << "nobody is large enough, and it comes first";
}

TEST_F(Plan, stops_at_a_refusal_of_the_request) {
  const std::vector<Option> options{option(0, 0), option(1, 1)};
  AttemptPlan made = plan();
  made.failed(options[0], {Remedy::nothing, Blame::none}, Timeout::none, std::nullopt, start);
  EXPECT_TRUE(made.next(options, start, random_).stop);
}

TEST_F(Plan, never_asks_a_target_again_that_does_not_have_the_model) {
  const std::vector<Option> options{option(0, 0), option(0, 0, 1)};
  AttemptPlan made = plan();
  made.failed(options[0], {Remedy::another_target, Blame::none}, Timeout::none, std::nullopt, start);
  EXPECT_TRUE(made.next(options, start, random_).stop);
}

TEST_F(Plan, looks_for_more_context_among_those_that_hold_more_or_do_not_say) {
  std::vector<Option> options{option(0, 0), option(1, 1), option(2, 2), option(3, 3)};
  options[0].context = 8000;
  options[1].context = 8000;
  options[2].context = 200'000;
  AttemptPlan made = plan(4);
  made.failed(options[0], {Remedy::larger_context, Blame::none}, Timeout::none, std::nullopt, start);
  const auto step = made.next(options, start, random_);
  EXPECT_EQ(step.option, 2u);
  EXPECT_EQ(step.reason, Reason::context_window);
  made.failed(options[2], {Remedy::larger_context, Blame::none}, Timeout::none, std::nullopt, start);
  EXPECT_EQ(made.next(options, start, random_).option, 3u);
}

TEST_F(Plan, takes_another_credential_of_the_target_at_once_where_one_is_at_fault) {
  for (const Remedy remedy : {Remedy::another_credential, Remedy::cool_down}) {
    std::vector<Option> options{option(0, 0, 0), option(0, 0, 1), option(1, 1)};
    AttemptPlan made = plan();
    options[0].state = Option::State::cooling;
    made.failed(options[0], {remedy, Blame::none}, Timeout::none, std::nullopt, start);
    const auto step = made.next(options, start, random_);
    EXPECT_EQ(step.option, 1u);
    EXPECT_EQ(step.at, start);
    EXPECT_FALSE(step.repeat);
  }
}

TEST_F(Plan, waits_as_long_as_it_was_told_where_nobody_else_is_there) {
  const std::vector<Option> options{option(0, 0)};
  AttemptPlan made = plan();
  made.failed(options[0], repeatable, Timeout::none, Millis(20'000), start);
  const auto step = made.next(options, start, random_);
  EXPECT_FALSE(step.stop);
  EXPECT_GE(step.at, start + Millis(20'000));
}

TEST_F(Plan, falls_back_rather_than_wait_for_long) {
  const std::vector<Option> options{option(0, 0), option(1, 1)};
  AttemptPlan made = plan();
  made.failed(options[0], repeatable, Timeout::none, Millis(20'000), start);
  EXPECT_EQ(made.next(options, start, random_).option, 1u);
}

TEST_F(Plan, waits_for_nothing_that_comes_after_the_deadline) {
  const std::vector<Option> options{option(0, 0)};
  AttemptPlan made = plan(3, Millis(10'000));
  made.failed(options[0], repeatable, Timeout::none, Millis(9'950), start);
  EXPECT_TRUE(made.next(options, start, random_).stop);
}

TEST_F(Plan, waits_for_the_credential_that_is_back_first) {
  const std::vector<Option> options{option(0, 0, 0, Option::State::cooling, start + Millis(9000)),
                                    option(0, 0, 1, Option::State::cooling, start + Millis(3000))};
  AttemptPlan made = plan();
  made.failed(options[0], {Remedy::cool_down, Blame::rate}, Timeout::none, Millis(9000), start);
  const auto step = made.next(options, start, random_);
  EXPECT_EQ(step.option, 1u);
  EXPECT_EQ(step.at, start + Millis(3000));
}

TEST_F(Plan, follows_a_timeout_as_often_as_it_may_and_by_the_fallback_first) {
  const std::vector<Option> options{option(0, 0), option(1, 1)};
  PlanSettings settings;
  settings.attempts = 5;
  for (const std::size_t follow : {0u, 1u, 2u}) {
    settings.attempts_after_timeout = follow;
    AttemptPlan made(settings, start + std::chrono::minutes(5));
    std::size_t asked = 0;
    for (std::size_t at = 0; asked < 5; ++asked) {
      made.failed(options[at], repeatable, Timeout::answering, std::nullopt, start);
      const auto step = made.next(options, start, random_);
      if (step.stop) break;
      if (asked == 0) {
        EXPECT_EQ(step.option, 1u);
      }
      at = step.option;
    }
    EXPECT_EQ(asked, follow);
  }
}

TEST_F(Plan, makes_the_first_attempt_in_whatever_time_there_is) {
  const std::vector<Option> options{option(0, 0)};
  AttemptPlan made = plan(3, Millis(5));
  EXPECT_FALSE(made.next(options, start, random_).stop);
  EXPECT_TRUE(made.next(options, start + Millis(5), random_).stop);
  made.failed(options[0], repeatable, Timeout::none, std::nullopt, start);
  EXPECT_TRUE(made.next(options, start, random_).stop);
}

/// A random world and history: what may be asked of the plan at every step.
class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed), chance_(seed + 1) {}

  void run() {
    make_world();
    for (int guard = 0; guard < 40; ++guard) {
      change_world();
      const auto step = plan_->next(options_, now_, chance_);
      if (step.stop) return;
      check(step);
      now_ = std::max(now_, step.at);
      if (below(6) == 0) {
        // The circuit has opened meanwhile, or the budget says no: nothing was asked.
        if (step.repeat) plan_->refuse_repeats(options_[step.option].target);
        options_[step.option].state = Option::State::circuit_open;
        continue;
      }
      ask(step);
    }
    FAIL() << "no end";
  }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  void make_world() {
    settings_.attempts = 1 + below(6);
    settings_.attempts_after_timeout = below(3);
    deadline_ = start + Millis(static_cast<Millis::rep>(1 + below(60'000)));
    now_ = start;
    plan_.emplace(settings_, deadline_);
    options_.clear();
    std::uint16_t target = 0;
    for (std::uint16_t rank = 0, ranks = static_cast<std::uint16_t>(1 + below(3)); rank < ranks; ++rank) {
      for (std::uint64_t i = 0, targets = 1 + below(2); i < targets; ++i, ++target) {
        for (std::uint16_t key = 0, keys = static_cast<std::uint16_t>(1 + below(2)); key < keys; ++key) {
          options_.push_back(option(rank, target, key));
          options_.back().context = below(3) * 1000;
        }
      }
    }
    tried_.clear();
    timeouts_ = 0;
    asked_ = 0;
    over_ = false;
  }

  void change_world() {
    for (Option& each : options_) {
      if (below(4) != 0) continue;
      each.state = static_cast<Option::State>(below(4));
      each.usable_at = now_ + Millis(static_cast<Millis::rep>(below(20'000)));
    }
    now_ += Millis(static_cast<Millis::rep>(below(50)));
  }

  void check(const AttemptPlan::Step& step) {
    ASSERT_LT(step.option, options_.size());
    const Option& chosen = options_[step.option];
    ASSERT_FALSE(over_) << "after an answer that stands";
    ASSERT_LT(asked_, settings_.attempts);
    ASSERT_LE(std::max(step.at, now_), deadline_);
    const bool waits = chosen.state == Option::State::cooling && step.at >= chosen.usable_at;
    const bool last_resort = chosen.state == Option::State::set_aside && asked_ == 0;
    ASSERT_TRUE(chosen.state == Option::State::usable || waits || last_resort);
    for (const auto& [target, credential, remedy] : tried_) {
      if (target != chosen.target) continue;
      ASSERT_NE(remedy, Remedy::another_target);
      ASSERT_NE(remedy, Remedy::larger_context);
      if (credential == chosen.credential) {
        ASSERT_NE(remedy, Remedy::another_credential);
      }
    }
  }

  void ask(const AttemptPlan::Step& step) {
    const Option& chosen = options_[step.option];
    const auto remedy = static_cast<Remedy>(below(6));
    const bool timeout = remedy == Remedy::repeat && below(3) == 0;
    ++asked_;
    timeouts_ += timeout ? 1 : 0;
    over_ = remedy == Remedy::nothing || (timeout && timeouts_ > settings_.attempts_after_timeout);
    tried_.push_back({chosen.target, chosen.credential, remedy});
    now_ += Millis(static_cast<Millis::rep>(below(3000)));
    const auto told = below(3) == 0 ? std::optional(Millis(static_cast<Millis::rep>(below(10'000)))) : std::nullopt;
    plan_->failed(chosen, {remedy, Blame::none}, timeout ? Timeout::answering : Timeout::none, told, now_);
  }

  struct Tried {
    std::uint16_t target, credential;
    Remedy remedy;
  };
  Random random_, chance_;
  PlanSettings settings_;
  SteadyTime deadline_, now_;
  std::optional<AttemptPlan> plan_;
  std::vector<Option> options_;
  std::vector<Tried> tried_;
  std::size_t timeouts_ = 0, asked_ = 0;
  bool over_ = false;
};

TEST(PlanHistory, keeps_to_its_bounds_over_a_hundred_thousand_random_ones) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    History history(seed);
    for (int i = 0; i < 40'000 && !testing::Test::HasFatalFailure(); ++i) history.run();
  }
}

}  // namespace
}  // namespace tollgate::policy
