// The rules of one budget for one call: whether there is room, what a settlement changes, what there is to tell.
#include "policy/budget_work.hpp"

#include <algorithm>

namespace tollgate::policy {

Room BudgetWork::why_none(const Budget& budget, const Count& count, std::int64_t worst, bool downgraded) {
  const WhenSpent when_spent = budget.settings_->when_spent;
  if (when_spent == WhenSpent::alert || when_spent == WhenSpent::shadow) return Room::beyond;
  return count.spent + worst > limit(budget, downgraded) ? Room::spent : Room::held;
}

Money BudgetWork::left(Budget& budget, SystemTime now) {
  const Count& count = count_at(budget, now);
  return to_money(std::max<ExactNanos>(budget.limit_ - count.spent - count.held, 0));
}

void BudgetWork::note_overshoot(Budget& budget, Count& count, std::int64_t more, SystemTime now, News& news) {
  count.overshoot += more;
  budget.overshoot_ever_ += more;
  if ((count.told & bit_of(BudgetNews::overshoot)) != 0) return;
  count.told |= bit_of(BudgetNews::overshoot);
  add(budget, count, BudgetNews::overshoot, now, news);
}

void BudgetWork::note_refusal(const Budget& budget, Count& count, std::int64_t worst, SystemTime now, News& news) {
  if ((count.told & bit_of(BudgetNews::refusing)) != 0 || worst > budget.limit_) return;
  count.told |= bit_of(BudgetNews::refusing);
  add(budget, count, BudgetNews::refusing, now, news);
}

void BudgetWork::note_news(const Budget& budget, Count& count, SystemTime now, News* news) {
  if (count.spent >= count.next_alert) note_thresholds(budget, count, now, news);
  if (budget.settings_->forecast) note_forecast(budget, count, now, news);
}

void BudgetWork::note_thresholds(const Budget& budget, Count& count, SystemTime now, News* news) {
  const auto& thresholds = budget.settings_->alert_at;
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    const std::uint32_t bit = std::uint32_t{1} << i;
    if ((count.told & bit) != 0 || count.spent < budget.alert_amount(thresholds[i])) continue;
    count.told |= bit;
    if (news != nullptr) add(budget, count, BudgetNews::threshold, now, *news).threshold = thresholds[i];
  }
  budget.find_next_alert(count);
}

/// In a straight line from the begin of the window. Of its first tenth nothing can be told yet, and what is spent
/// already needs no forecast.
void BudgetWork::note_forecast(const Budget& budget, Count& count, SystemTime now, News* news) {
  const WindowSpan& window = count.window;
  if ((count.told & bit_of(BudgetNews::forecast)) != 0 || window.end == SystemTime::max() || !window.contains(now))
    return;
  const ExactNanos whole = std::chrono::floor<seconds>(window.end - window.begin).count();
  const ExactNanos passed = std::chrono::floor<seconds>(now - window.begin).count();
  if (passed == 0 || passed * 10 < whole) return;
  const ExactNanos at_end = count.spent * whole / passed;
  if (at_end <= budget.limit_) return;
  count.told |= bit_of(BudgetNews::forecast);
  if (news != nullptr && count.spent < budget.limit_)
    add(budget, count, BudgetNews::forecast, now, *news).forecast = to_money(at_end);
}

BudgetEvent& BudgetWork::add(const Budget& budget, const Count& count, BudgetNews what, SystemTime now, News& news) {
  BudgetEvent& event = news.emplace_back(Told{budget.bell_, {}}).event;
  event.what = what;
  event.kind = budget.kind_;
  event.owner = budget.owner_;
  event.budget = budget.id_;
  event.settings = budget.settings_;
  event.window = count.window;
  event.at = now;
  event.limit = to_money(budget.limit_);
  event.spent = to_money(count.spent);
  event.held = to_money(count.held);
  return event;
}

void BudgetWork::ring(const News& news) {
  for (const Told& told : news) {
    if (told.bell) told.bell->ring(told.event);
  }
}

}  // namespace tollgate::policy
