// Random lives of calls against a second, slower telling of the rules: every window is kept for ever, limits are added
// up anew each time, nothing is cached. The two have to agree in every answer, and in the end nothing may be held.
#include "tollgate/policy/budget_book.hpp"

#include "unit/policy/budget_helpers.hpp"

#include <algorithm>
#include <map>
#include <random>

namespace tollgate::policy {
namespace {

using namespace budget_test;

struct ModelCount {
  ExactNanos spent = 0, held = 0, overshoot = 0;
  std::uint64_t beyond = 0;
};

/// A budget and its twin. A changed window makes another twin, as it makes another budget.
struct ModelBudget {
  BudgetSettings settings;
  std::map<std::int64_t, ModelCount> counts;  // by the window's begin

  ModelCount& at(SystemTime now) { return counts[window_at(settings.window, *settings.zone, now).key()]; }
};
using ModelPointer = std::shared_ptr<ModelBudget>;

struct Owner {
  ScopeKind kind;
  std::string name;
  std::vector<BudgetSettings> settings;
  std::vector<ModelPointer> models;  // in the order of `settings`
  std::map<std::string, std::vector<Grant>> grants;
  std::shared_ptr<const BudgetList> real;
};

struct ModelHold {
  BudgetHold real;
  std::vector<std::pair<ModelPointer, std::int64_t>> shares;
  ExactNanos worst = 0;
};

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {
    const std::array zones{TimeZone::utc(), fixed("Asia/Kolkata", 19'800),
                           zone("America/Sao_Paulo", -10'800, {{"2026-11-22T03:00:00Z", -7'200}})};
    zones_.assign(zones.begin(), zones.end());
    for (const ScopeKind kind : {ScopeKind::group, ScopeKind::tenant, ScopeKind::key}) {
      for (const char* name : {"one", "two"}) {
        Owner& owner = owners_.emplace_back();
        owner.kind = kind;
        owner.name = name;
        configure(owner);
      }
    }
  }

  void step() {
    const std::uint64_t choice = below(1'000);
    if (choice < 420) {
      try_to_reserve();
    } else if (choice < 840) {
      end_one(below(4));
    } else if (choice < 960) {
      let_time_pass();
    } else if (choice < 963) {
      configure(owners_[below(owners_.size())]);
    } else if (choice < 970) {
      grant(owners_[below(owners_.size())]);
    } else {
      look();
    }
  }

  void let_go_of_all() {
    while (!holds_.empty()) end_one(0);
    look();
    for (const Owner& owner : owners_) {
      for (const auto& budget : owner.real->budgets()) agree(budget->standing(now_).held == nanos(0));
    }
  }
  bool agreed() const { return agreed_; }
  std::uint64_t admissions() const { return admissions_; }
  std::uint64_t spent_denials() const { return spent_; }
  std::uint64_t held_denials() const { return held_; }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  void agree(bool with) { agreed_ = agreed_ && with; }

  BudgetSettings some_settings(std::string name) {
    BudgetSettings settings = settings_of(nanos(static_cast<std::int64_t>(1'000 + below(20'000))),
                                          static_cast<Window>(below(3)), std::move(name));
    settings.zone = zones_[below(zones_.size())];
    const std::uint64_t way = below(8);
    settings.when_spent = way < 4   ? WhenSpent::reject
                          : way < 6 ? WhenSpent::downgrade
                          : way < 7 ? WhenSpent::alert
                                    : WhenSpent::shadow;
    if (settings.when_spent == WhenSpent::downgrade) {
      settings.downgrade_to = "small";
      if (below(4) > 0) settings.stop_at = settings.amount + nanos(static_cast<std::int64_t>(below(5'000)));
    }
    return settings;
  }

  void configure(Owner& owner) {
    std::vector<BudgetSettings> settings;
    std::vector<ModelPointer> models;
    for (const char* name : {"daily", "hourly"}) {
      settings.push_back(some_settings(name));
      ModelPointer model;
      for (const ModelPointer& old : owner.models) {
        if (old->settings.name != name) continue;
        if (below(3) > 0) {  // most edits leave the window alone
          settings.back().window = old->settings.window;
          settings.back().zone = old->settings.zone;
        }
        const bool same = old->settings.window == settings.back().window &&
                          old->settings.zone->name() == settings.back().zone->name();
        if (same) model = old;
      }
      if (!model) model = std::make_shared<ModelBudget>();
      model->settings = settings.back();
      models.push_back(model);
    }
    owner.settings = std::move(settings);
    owner.models = std::move(models);
    owner.real = book_.list(owner.kind, owner.name, owner.settings, now_);
  }

  void grant(Owner& owner) {
    const std::string& name = owner.settings[below(2)].name;
    const Grant more{nanos(static_cast<std::int64_t>(1 + below(3'000))), now_ + minutes(below(300)), "more"};
    // What is over is forgotten with the next grant, even if the clock is set back after it.
    std::erase_if(owner.grants[name], [this](const Grant& each) { return each.until <= now_; });
    if (more.until > now_) owner.grants[name].push_back(more);
    book_.grant(budget_id(owner.kind, owner.name, name), more, now_);
  }

  ExactNanos limit(Owner& owner, const ModelBudget& model, bool downgraded) {
    const BudgetSettings& settings = model.settings;
    const bool stops = downgraded && settings.when_spent == WhenSpent::downgrade && settings.stop_at;
    ExactNanos all = stops ? settings.stop_at->nanos : settings.amount.nanos;
    for (const Grant& each : owner.grants[settings.name]) all += each.until > now_ ? each.amount.nanos : 0;
    return all;
  }

  std::vector<Owner*> some_owners() {
    std::vector<Owner*> chosen;
    for (std::size_t kind = 0; kind < 3; ++kind) {
      if (below(3) > 0) chosen.push_back(&owners_[kind * 2 + below(2)]);
    }
    return chosen;
  }
  static BudgetChain real_chain(const std::vector<Owner*>& chosen) {
    BudgetChain chain;
    for (const Owner* owner : chosen) chain.put(owner->real);
    return chain;
  }

  void try_to_reserve() {
    const std::vector<Owner*> chosen = some_owners();
    const auto worst = static_cast<std::int64_t>(below(20) == 0 ? 0 : below(below(10) == 0 ? 20'000 : 1'800));
    const bool downgraded = below(4) == 0;
    bool spent = false, lacks = false;
    for (Owner* owner : chosen) {
      for (const ModelPointer& model : owner->models) {
        const bool blocks =
            model->settings.when_spent == WhenSpent::reject || model->settings.when_spent == WhenSpent::downgrade;
        const ModelCount& count = model->at(now_);
        const ExactNanos most = limit(*owner, *model, downgraded);
        if (!blocks || worst == 0 || count.spent + count.held + worst <= most) continue;
        lacks = true;
        spent = spent || count.spent + worst > most;
      }
    }
    ModelHold hold;
    const auto denial = reserve(hold.real, real_chain(chosen), nanos(worst), now_, downgraded);
    agree(denial.has_value() == lacks);
    if (denial) {
      agree(denial->is_spent == spent);
      ++(spent ? spent_ : held_);
      return;
    }
    ++admissions_;
    hold.worst = worst;
    for (Owner* owner : chosen) {
      for (const ModelPointer& model : owner->models) take(*owner, model, worst, downgraded, hold);
    }
    agree(hold.real.shares().size() == hold.shares.size());
    for (const BudgetShare& share : hold.real.shares()) {
      const auto same = [&share](const auto& known) { return known.second == share.window; };
      agree(std::any_of(hold.shares.begin(), hold.shares.end(), same));
    }
    holds_.push_back(std::move(hold));
    if (holds_.size() > 60) end_one(0);
  }

  void take(Owner& owner, const ModelPointer& model, std::int64_t worst, bool downgraded, ModelHold& hold) {
    ModelCount& count = model->at(now_);
    if (worst > 0 && count.spent + count.held + worst > limit(owner, *model, downgraded)) ++count.beyond;
    count.held += worst;
    hold.shares.emplace_back(model, window_at(model->settings.window, *model->settings.zone, now_).key());
  }

  /// 0, 1: settle, 2: release, 3: drop.
  void end_one(std::uint64_t way) {
    if (holds_.empty()) return;
    ModelHold& hold = holds_[below(holds_.size())];
    ExactNanos actual =
        hold.worst == 0 ? 0 : static_cast<ExactNanos>(below(static_cast<std::uint64_t>(hold.worst) / 8 + 1));
    if (below(50) == 0) actual += 500;
    if (way <= 1) hold.real.settle(nanos(static_cast<std::int64_t>(actual)), now_);
    if (way == 2) hold.real.release();
    if (way == 3) actual = hold.worst;
    for (const auto& [model, window] : hold.shares) {
      ModelCount& count = model->counts[window];
      count.held -= hold.worst;
      if (way == 2) continue;
      count.spent += actual;
      count.overshoot += std::max<ExactNanos>(actual - hold.worst, 0);
    }
    std::swap(hold, holds_.back());
    holds_.pop_back();
  }

  void let_time_pass() {
    constexpr std::uint64_t spans[] = {1, 60, 600, 3'600, 40'000};
    now_ += seconds(below(spans[below(std::size(spans))]) + 1);
    if (below(20) == 0) now_ -= seconds(below(30));
    if (below(200) == 0) book_.sweep(now_);
  }

  void look() {
    for (Owner& owner : owners_) {
      for (const auto& budget : owner.real->budgets()) {
        const auto model = std::find_if(owner.models.begin(), owner.models.end(),
                                        [&](const auto& each) { return each->settings.name == budget->name(); });
        const ModelCount& count = (*model)->at(now_);
        const BudgetStanding standing = budget->standing(now_);
        agree(standing.spent.nanos == count.spent && standing.held.nanos == count.held);
        agree(standing.overshoot.nanos == count.overshoot && standing.beyond == count.beyond);
        agree(standing.limit.nanos == limit(owner, **model, false));
      }
    }
  }

  std::mt19937_64 random_;
  SystemTime now_ = at("2026-11-20T00:00:00Z");
  std::vector<Zone> zones_;
  BudgetBook book_;
  std::vector<Owner> owners_;
  std::vector<ModelHold> holds_;
  std::uint64_t admissions_ = 0, spent_ = 0, held_ = 0;
  bool agreed_ = true;
};

class BudgetModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BudgetModel, agrees_over_a_million_random_steps_and_leaves_nothing_held) {
  Life life(GetParam());
  for (int i = 0; i < 1'000'000; ++i) {
    life.step();
    ASSERT_TRUE(life.agreed()) << "step " << i;
  }
  life.let_go_of_all();
  EXPECT_TRUE(life.agreed());
  EXPECT_GT(life.admissions(), 50'000u) << "the steps have to reach what they are to test";
  EXPECT_GT(life.spent_denials(), 20'000u);
  EXPECT_GT(life.held_denials(), 5'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BudgetModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace tollgate::policy
