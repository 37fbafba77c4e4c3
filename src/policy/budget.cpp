// What one budget counts and by which amount it is held to. It keeps two windows, so that a call over the end of one is
// settled where it belongs. Everything here runs under the budget's lock.
#include "tollgate/policy/budget.hpp"

#include "tollgate/base/digest.hpp"

#include "policy/budget_work.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace tollgate::policy {

namespace {

constexpr ExactNanos millionths = 1'000'000;
constexpr ExactNanos nothing_to_tell = ExactNanos{1} << 120;

}  // namespace

bool BudgetSettings::operator==(const BudgetSettings& other) const {
  return name == other.name && amount == other.amount && window == other.window && *zone == *other.zone &&
         when_spent == other.when_spent && downgrade_to == other.downgrade_to && stop_at == other.stop_at &&
         alert_at == other.alert_at && notify == other.notify && forecast == other.forecast &&
         is_volatile == other.is_volatile;
}

std::string_view name_of(BudgetNews news) {
  constexpr std::array<std::string_view, budget_news_count> names{"threshold", "forecast", "refusing", "overshoot"};
  return names[static_cast<std::size_t>(news)];
}

void BudgetBell::connect(BudgetEvents* listener) {
  const std::lock_guard lock(mutex_);
  listener_ = listener;
}

void BudgetBell::ring(const BudgetEvent& event) {
  const std::lock_guard lock(mutex_);
  if (listener_ != nullptr) listener_->tell(event);
}

std::string budget_path(ScopeKind kind, std::string_view owner, std::string_view name) {
  std::string path(name_of(kind));
  return path.append("/").append(owner).append("/").append(name);
}

std::uint64_t budget_id(ScopeKind kind, std::string_view owner, std::string_view name) {
  return budget_id(budget_path(kind, owner, name));
}

std::uint64_t budget_id(std::string_view path) {
  const Digest digest = sha256(path);
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < sizeof id; ++i) id = id << 8 | digest[i];
  return id;
}

Money to_money(ExactNanos nanos) {
  constexpr ExactNanos most = std::numeric_limits<std::int64_t>::max();
  return {static_cast<std::int64_t>(std::clamp(nanos, -most, most))};
}

Budget::Budget(ScopeKind kind, std::string owner, const BudgetSettings& settings, std::shared_ptr<BudgetBell> bell)
    : kind_(kind),
      owner_(std::move(owner)),
      name_(settings.name),
      id_(budget_id(kind, owner_, name_)),
      bell_(std::move(bell)),
      settings_(std::make_shared<const BudgetSettings>(settings)) {
  if (!settings.zone || settings.alert_at.size() > most_thresholds) throw std::logic_error("not a budget's settings");
}

bool Budget::continues(const BudgetSettings& settings) const {
  const std::lock_guard lock(lock_);
  return settings.name == name_ && settings.window == settings_->window &&
         settings.zone->name() == settings_->zone->name();
}

void Budget::configure(const BudgetSettings& settings, SystemTime now) {
  const std::lock_guard lock(lock_);
  if (settings == *settings_) return;
  refresh_limit(now);
  const auto before = std::exchange(settings_, std::make_shared<const BudgetSettings>(settings));
  const ExactNanos limit_before = limit_;
  refresh_limit(now);
  forget_what_is_not_true(*before, limit_before);
}

void Budget::set_grants(std::vector<Grant> grants, SystemTime now) {
  const std::lock_guard lock(lock_);
  refresh_limit(now);
  grants_ = std::move(grants);
  const ExactNanos limit_before = limit_;
  refresh_limit(now);
  forget_what_is_not_true(*settings_, limit_before);
}

void Budget::prime(std::int64_t window, Money spent, SystemTime now) {
  const std::lock_guard lock(lock_);
  Count& count = count_at(now);
  if (count.key != window) return;
  refresh_limit(now);
  count.spent += std::max<std::int64_t>(spent.nanos, 0);
  // Nobody listens: told, and not told.
  BudgetWork::note_news(*this, count, now, nullptr);
  if (count.spent >= limit_) count.told |= BudgetWork::bit_of(BudgetNews::refusing);
}

std::shared_ptr<const BudgetSettings> Budget::settings() const {
  const std::lock_guard lock(lock_);
  return settings_;
}

BudgetStanding Budget::standing(SystemTime now) const {
  const std::lock_guard lock(lock_);
  ExactNanos limit = settings_->amount.nanos;
  for (const Grant& grant : grants_) {
    if (grant.until > now) limit += grant.amount.nanos;
  }
  BudgetStanding standing{.window = window_at(settings_->window, *settings_->zone, now),
                          .amount = settings_->amount,
                          .limit = to_money(limit),
                          .spent = {},
                          .held = {},
                          .overshoot = {},
                          .overshoot_ever = to_money(overshoot_ever_)};
  if (const Count* count = known_count(now)) {
    standing.window = count->window;
    standing.spent = to_money(count->spent);
    standing.held = to_money(count->held);
    standing.overshoot = to_money(count->overshoot);
    standing.beyond = count->beyond;
  }
  return standing;
}

bool Budget::at_rest(SystemTime now) const {
  const std::lock_guard lock(lock_);
  return std::all_of(counts_.begin(), counts_.end(), [now](const Count& count) {
    return count.held == 0 && (count.spent == 0 || count.window.end <= now);
  });
}

const Budget::Count* Budget::known_count(SystemTime now) const {
  for (const Count& count : counts_) {
    if (count.window.contains(now)) return &count;
  }
  return nullptr;
}

Budget::Count& Budget::begin_window(SystemTime now) {
  current_ = 1 - current_;
  Count& count = counts_[current_];
  if (count.window.contains(now)) return count;
  count = {};
  count.window = window_at(settings_->window, *settings_->zone, now);
  count.key = count.window.key();
  find_next_alert(count);
  return count;
}

void Budget::refresh_limit(SystemTime now) {
  ExactNanos more = 0;
  limit_from_ = SystemTime::min();
  limit_until_ = SystemTime::max();
  for (const Grant& grant : grants_) {
    if (grant.until > now) {
      more += grant.amount.nanos;
      limit_until_ = std::min(limit_until_, grant.until);
    } else {
      limit_from_ = std::max(limit_from_, grant.until);  // before that it would hold, should the clock be set back
    }
  }
  limit_ = settings_->amount.nanos + more;
  stop_ = limit_;
  if (settings_->when_spent == WhenSpent::downgrade && settings_->stop_at) stop_ = settings_->stop_at->nanos + more;
  for (Count& count : counts_) find_next_alert(count);
}

ExactNanos Budget::alert_amount(std::uint32_t threshold) const {
  return (limit_ * threshold + millionths - 1) / millionths;
}

void Budget::find_next_alert(Count& count) const {
  count.next_alert = nothing_to_tell;
  for (std::size_t i = 0; i < settings_->alert_at.size(); ++i) {
    if ((count.told >> i & 1) == 0) count.next_alert = std::min(count.next_alert, alert_amount(settings_->alert_at[i]));
  }
}

void Budget::forget_what_is_not_true(const BudgetSettings& before, ExactNanos limit_before) {
  const auto& old = before.alert_at;
  for (Count& count : counts_) {
    std::uint32_t told = count.told & BudgetWork::bit_of(BudgetNews::overshoot);
    if (limit_ <= limit_before)
      told |= count.told & (BudgetWork::bit_of(BudgetNews::forecast) | BudgetWork::bit_of(BudgetNews::refusing));
    for (std::size_t i = 0; i < settings_->alert_at.size(); ++i) {
      const std::uint32_t threshold = settings_->alert_at[i];
      const auto place = static_cast<std::size_t>(std::find(old.begin(), old.end(), threshold) - old.begin());
      const bool was_told = place < old.size() && (count.told >> place & 1) != 0;
      if (was_told && count.spent >= alert_amount(threshold)) told |= std::uint32_t{1} << i;
    }
    count.told = told;
    find_next_alert(count);
  }
}

}  // namespace tollgate::policy
