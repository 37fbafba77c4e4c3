// Random lives of requests against a second, slower telling of the rules: one list of scopes, levels as exact
// fractions, no locks, no remainders to carry. The two have to agree in every answer, and in the end nothing may have
// leaked.
#include "unit/policy/limit_helpers.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace tollgate::policy {
namespace {

using namespace limits_test;

__extension__ typedef __int128 Exact;
constexpr Exact grains_per_micro = 60'000;  // a rate of L per minute is L grains per nanosecond
constexpr Exact micros_per_unit = 1'000'000;
constexpr Exact deepest_debt = -1'000'000'000'000 * micros_per_unit;

Exact floor_of(Exact value, Exact divisor) { return (value - (value % divisor + divisor) % divisor) / divisor; }
Exact ceiling_of(Exact value, Exact divisor) { return -floor_of(-value, divisor); }

struct ModelBucket {
  ModelBucket(std::uint64_t amount, Millis burst, SteadyTime now) : rate(amount), capacity(capacity_of(amount, burst)) {
    level = capacity * grains_per_micro;
    changed = now;
  }
  static Exact capacity_of(std::uint64_t amount, Millis burst) {
    return std::max(floor_of(Exact{amount} * burst.count() * micros_per_unit, 60'000), micros_per_unit);
  }
  Exact at(SteadyTime now) const {
    const Exact passed = std::max<Exact>(0, nanoseconds(now - changed).count());
    return std::min(capacity * grains_per_micro, level + passed * rate);
  }
  Exact micros_at(SteadyTime now) const { return floor_of(at(now), grains_per_micro); }
  void add(Exact micros, SteadyTime now) {
    level =
        std::clamp(at(now) + micros * grains_per_micro, deepest_debt * grains_per_micro, capacity * grains_per_micro);
    changed = std::max(changed, now);
  }
  void configure(std::uint64_t amount, Millis burst, SteadyTime now) {
    const Exact changed_capacity = capacity_of(amount, burst);
    if (amount == rate && changed_capacity == capacity) return;
    const Exact micros = micros_at(now);
    const Exact scaled = micros < 0 ? floor_of(micros * amount, rate) : floor_of(micros * changed_capacity, capacity);
    level = std::max(scaled, deepest_debt) * grains_per_micro;
    capacity = changed_capacity;
    rate = amount;
    changed = std::max(changed, now);
  }
  std::optional<Millis> wait(Exact micros, SteadyTime now) const {
    if (micros > capacity) return std::nullopt;
    if (at(now) >= micros * grains_per_micro) return Millis(0);
    const Exact nanos =
        ceiling_of(micros * grains_per_micro - at(now), rate) + std::max<Exact>(0, nanoseconds(changed - now).count());
    return Millis(static_cast<std::int64_t>(ceiling_of(nanos, 1'000'000)));
  }

  std::uint64_t rate;
  Exact capacity;  // micros
  Exact level;     // grains
  SteadyTime changed;
};

/// A scope and its twin. The numbers tell buckets apart between which the limit was switched off.
struct ModelScope {
  ModelScope(ScopeKind kind, std::size_t number)
      : real(scope_of(kind, {}, std::string(name_of(kind)) + std::to_string(number))) {}

  void configure(const Limits& changed, SteadyTime now) {
    set(requests, requests_number, changed.requests_per_minute, changed.burst, now);
    set(tokens, tokens_number, changed.tokens_per_minute, changed.burst, now);
    limits = changed;
    real->configure(changed, now);
  }
  static void set(std::optional<ModelBucket>& bucket, int& number, std::optional<std::uint64_t> amount, Millis burst,
                  SteadyTime now) {
    if (!amount) {
      bucket.reset();
    } else if (bucket) {
      bucket->configure(*amount, burst, now);
    } else {
      bucket.emplace(*amount, burst, now);
      ++number;
    }
  }

  Scope real;
  Limits limits;
  std::optional<ModelBucket> requests, tokens;
  int requests_number = 0, tokens_number = 0;
  std::uint64_t in_flight = 0;
};

struct ModelLine {
  ModelScope* scope;
  Exact reserved = 0;                          // micros
  int requests_number = 0, tokens_number = 0;  // 0: none
  TokenBasis basis{};
  bool count_cached = true;
};

struct ModelHold {
  Hold real;
  std::vector<ModelLine> lines;
  bool open = true;
};

using Chosen = std::vector<ModelScope*>;

ScopeChain real_chain(const Chosen& chosen) {
  ScopeChain chain;
  for (const ModelScope* scope : chosen) chain.add(scope->real);
  return chain;
}

Exact counted(std::uint64_t input, std::uint64_t output, TokenBasis basis) {
  if (basis == TokenBasis::input) output = 0;
  if (basis == TokenBasis::output) input = 0;
  return (Exact{input} + output) * micros_per_unit;
}

Exact reservation(const ModelScope& scope, const Demand& demand) {
  const Exact all = counted(demand.input_tokens, demand.output_tokens, scope.limits.basis);
  const Exact input = counted(demand.input_tokens, 0, scope.limits.basis);
  if (!demand.output_known && input <= scope.tokens->capacity) return std::min(all, scope.tokens->capacity);
  return all;
}

/// What a denial has to say.
struct Verdict {
  std::string scope;
  LimitKind what;
  std::optional<Millis> wait;
};

std::optional<Verdict> verdict(const Chosen& chosen, const Demand* demand, SteadyTime now) {
  std::vector<Verdict> lacks;
  for (const ModelScope* scope : chosen) {
    const auto check = [&](const std::optional<ModelBucket>& bucket, Exact cost, LimitKind what) {
      if (!bucket) return;
      const auto wait = bucket->wait(cost, now);
      if (wait != Millis(0)) lacks.push_back({scope->real->name(), what, wait});
    };
    check(scope->requests, micros_per_unit, LimitKind::requests);
    if (demand != nullptr && scope->tokens) check(scope->tokens, reservation(*scope, *demand), LimitKind::tokens);
    if (scope->limits.concurrency && scope->in_flight >= *scope->limits.concurrency) {
      const bool is_none = *scope->limits.concurrency == 0;
      lacks.push_back(
          {scope->real->name(), LimitKind::concurrency, is_none ? std::nullopt : std::optional(Millis(1000))});
    }
  }
  const auto longest = std::max_element(lacks.begin(), lacks.end(), [](const Verdict& one, const Verdict& other) {
    return one.wait.value_or(Millis::max()) < other.wait.value_or(Millis::max());
  });
  return longest == lacks.end() ? std::nullopt : std::optional(*longest);
}

std::optional<Standing::Amount> amount(const std::vector<const ModelBucket*>& buckets, SteadyTime now) {
  const ModelBucket* least = nullptr;
  for (const ModelBucket* bucket : buckets) {
    if (!least || bucket->micros_at(now) * least->capacity < least->micros_at(now) * bucket->capacity) least = bucket;
  }
  if (!least) return std::nullopt;
  return Standing::Amount{
      .limit = least->rate,
      .remaining = static_cast<std::uint64_t>(std::max<Exact>(0, floor_of(least->micros_at(now), micros_per_unit))),
      .reset = least->wait(least->capacity, now).value()};
}

Standing model_standing(const Chosen& chosen, SteadyTime now) {
  std::vector<const ModelBucket*> requests, tokens;
  for (const ModelScope* scope : chosen) {
    if (scope->requests) requests.push_back(&*scope->requests);
    if (scope->tokens) tokens.push_back(&*scope->tokens);
  }
  return {.requests = amount(requests, now), .tokens = amount(tokens, now)};
}

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {
    for (std::size_t kind = 0; kind < scope_kind_count; ++kind) {
      for (std::size_t number = 0; number < 3; ++number) scopes_.emplace_back(static_cast<ScopeKind>(kind), number);
    }
    for (auto& scope : scopes_) scope.configure(some_limits(), now_);
  }

  void step() {
    const std::uint64_t choice = below(100);
    if (choice < 40) {
      try_to_admit();
    } else if (choice < 75) {
      end_one(static_cast<int>(below(5)));
    } else if (choice < 94) {
      let_time_pass();
    } else if (choice < 95) {
      scopes_[below(scopes_.size())].configure(some_limits(), now_);
    } else {
      look();
    }
  }

  void let_go_of_all() {
    while (!holds_.empty()) end_one(4);
    for (ModelScope& scope : scopes_) {
      agree(standing(real_chain({&scope}), now_) == model_standing({&scope}, now_));
      agree(scope.real->in_flight() == 0 && scope.in_flight == 0);
    }
  }
  bool are_all_at_rest() const {
    return std::all_of(scopes_.begin(), scopes_.end(), [this](const ModelScope& scope) {
      return scope.real->at_rest(now_ + std::chrono::hours(24 * 365 * 100));
    });
  }
  bool agreed() const { return agreed_; }
  std::uint64_t admissions() const { return admissions_; }
  std::uint64_t denials() const { return denials_; }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  void agree(bool with) { agreed_ = agreed_ && with; }

  Limits some_limits() {
    const auto maybe = [this](std::uint64_t end) {
      return below(3) == 0 ? std::nullopt : std::optional<std::uint64_t>(1 + below(end));
    };
    return {.requests_per_minute = maybe(below(2) == 0 ? 100 : 1'000'000),
            .tokens_per_minute = maybe(below(4) == 0 ? 1'000 : 10'000'000),
            .concurrency = below(8) == 0 ? std::optional<std::uint64_t>(below(2)) : maybe(300),
            .basis = static_cast<TokenBasis>(below(3)),
            .count_cached = below(2) == 0,
            .burst = Millis(below(2) == 0 ? 60'000 : below(200'000))};
  }

  Chosen some_scopes() {
    Chosen chosen;
    for (std::size_t kind = 0; kind < scope_kind_count; ++kind) {
      if (below(3) == 0) chosen.push_back(&scopes_[kind * 3 + below(3)]);
    }
    return chosen;
  }

  void try_to_admit() {
    const Chosen chosen = some_scopes();
    const std::uint64_t size = below(10) == 0 ? 100'000 : 1'000;
    const Demand demand{.input_tokens = below(size), .output_tokens = below(size), .output_known = below(2) == 0};
    const auto expected = verdict(chosen, &demand, now_);
    const Standing before = model_standing(chosen, now_);
    Outcome admission = admit(real_chain(chosen), demand, now_);
    // Whoever asks brings the buckets up to its time, also when it is refused.
    for (ModelScope* scope : chosen) {
      if (scope->requests) scope->requests->add(0, now_);
      if (scope->tokens) scope->tokens->add(0, now_);
    }
    if (const Refused* refused = std::get_if<Refused>(&admission)) {
      ++denials_;
      const Denial& denial = refused->denial;
      agree(expected && denial.scope == expected->scope && denial.what == expected->what);
      agree(expected && denial.retry_after == expected->wait && refused->standing == before);
      return;
    }
    agree(!expected);
    ++admissions_;
    ModelHold hold{.real = std::move(std::get<Hold>(admission)), .lines = {}};
    for (ModelScope* scope : chosen) hold.lines.push_back(debit(*scope, demand));
    holds_.push_back(std::move(hold));
    if (holds_.size() > 400) end_one(4);
  }

  ModelLine debit(ModelScope& scope, const Demand& demand) {
    ModelLine line{.scope = &scope, .basis = scope.limits.basis, .count_cached = scope.limits.count_cached};
    if (scope.requests) {
      line.requests_number = scope.requests_number;
      scope.requests->add(-micros_per_unit, now_);
    }
    if (scope.tokens) {
      line.tokens_number = scope.tokens_number;
      line.reserved = reservation(scope, demand);
      scope.tokens->add(-line.reserved, now_);
    }
    ++scope.in_flight;
    return line;
  }

  /// 0: settle, 1: cancel, 2: refund, 3: settle again later, 4: drop.
  void end_one(int way) {
    if (holds_.empty()) return;
    const std::size_t place = below(holds_.size());
    ModelHold& hold = holds_[place];
    const ActualTokens actual{.input = below(2'000), .cached_input = below(2'500), .output = below(2'000)};
    if (way == 0 || way == 3) hold.real.settle(actual, now_);
    if (way == 1) hold.real.cancel(now_);
    if (way == 2) hold.real.refund(now_);
    if (hold.open && way != 4) {
      for (const ModelLine& line : hold.lines) end_line(line, way, actual);
    }
    if (std::exchange(hold.open, false))
      for (const ModelLine& line : hold.lines) --line.scope->in_flight;
    if (way == 3) return;
    std::swap(hold, holds_.back());
    holds_.pop_back();
  }

  void end_line(const ModelLine& line, int way, const ActualTokens& actual) {
    ModelScope& scope = *line.scope;
    const std::uint64_t cached = line.count_cached ? 0 : std::min(actual.cached_input, actual.input);
    const Exact used = way == 0 || way == 3 ? counted(actual.input - cached, actual.output, line.basis) : 0;
    if (scope.tokens && scope.tokens_number == line.tokens_number) scope.tokens->add(line.reserved - used, now_);
    if (way != 2) return;
    if (scope.requests && scope.requests_number == line.requests_number) scope.requests->add(micros_per_unit, now_);
  }

  void let_time_pass() {
    constexpr std::uint64_t spans[] = {1, 1'000, 1'000'000, 1'000'000'000, 20'000'000'000};
    now_ += nanoseconds(below(spans[below(std::size(spans))]) + 1);
    if (below(10) == 0) now_ -= nanoseconds(below(2'000'000));
  }

  void look() {
    const Chosen chosen = some_scopes();
    agree(standing(real_chain(chosen), now_) == model_standing(chosen, now_));
    const auto denial = would_deny(real_chain(chosen), now_);
    const auto expected = verdict(chosen, nullptr, now_);
    agree(denial.has_value() == expected.has_value());
    if (denial && expected) agree(denial->scope == expected->scope && denial->retry_after == expected->wait);
    for (const ModelScope* scope : chosen) agree(scope->real->in_flight() == scope->in_flight);
  }

  std::mt19937_64 random_;
  SteadyTime now_ = start;
  std::vector<ModelScope> scopes_;
  std::vector<ModelHold> holds_;
  std::uint64_t admissions_ = 0, denials_ = 0;
  bool agreed_ = true;
};

class AdmissionModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AdmissionModel, agrees_over_a_million_random_steps_and_leaks_nothing) {
  Life life(GetParam());
  for (int i = 0; i < 1'000'000; ++i) {
    life.step();
    ASSERT_TRUE(life.agreed()) << "step " << i;
  }
  life.let_go_of_all();
  EXPECT_TRUE(life.agreed());
  EXPECT_TRUE(life.are_all_at_rest());
  EXPECT_GT(life.admissions(), 50'000u) << "the steps have to reach what they are to test";
  EXPECT_GT(life.denials(), 50'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AdmissionModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
