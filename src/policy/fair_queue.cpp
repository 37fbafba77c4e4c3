// Every waiter is in three places at once: its tenant's lane, which says who is next; the order of arrival, which tells
// how long the queue stands; and the order of ends, which tells whose time is over. All three are left in one step.
#include "tollgate/policy/fair_queue.hpp"

#include <algorithm>

namespace tollgate::policy {
namespace {

constexpr std::array<int, priority_count> weights{8, 4, 1};

/// The highest first.
std::size_t index_of(Priority priority) { return priority_count - 1 - static_cast<std::size_t>(priority); }

}  // namespace

FairQueue::~FairQueue() {
  while (!order_.empty()) remove(order_.front());
  while (!late_.empty()) remove(late_.front());
}

bool FairQueue::push(Waiter& waiter, SteadyTime until, SteadyTime now) {
  drop_late(now);
  if (waiting_ >= settings_.limit) return false;
  Level& level = levels_[index_of(waiter.priority_)];
  Lane& lane = level.lanes[waiter.tenant_];
  if (lane.waiters.empty()) level.turns.push_back(lane);
  lane.waiters.push_back(waiter);
  order_.push_back(waiter);
  waiter.since_ = seen_;
  waiter.until_ = until;
  by_end_.insert(waiter);
  waiter.lane_ = &lane;
  waiter.queue_ = this;
  ++waiting_;
  return true;
}

FairQueue::Waiter* FairQueue::take(SteadyTime now) {
  drop_late(now);
  if (waiting_ == 0) return nullptr;
  const bool newest = newest_first(now);
  Level& level = next_level();
  Lane& lane = level.turns.front();
  level.turns.splice(level.turns.end(), level.turns, level.turns.begin());
  Waiter& next = newest ? lane.waiters.back() : lane.waiters.front();
  remove(next);
  return &next;
}

FairQueue::Waiter* FairQueue::take_late(SteadyTime now) {
  drop_late(now);
  if (late_.empty()) return nullptr;
  Waiter& late = late_.front();
  remove(late);
  return &late;
}

void FairQueue::remove(Waiter& waiter) {
  if (waiter.queue_ != this) return;
  if (waiter.lane_ != nullptr) {
    unlink(waiter);
  } else {
    late_.erase(late_.iterator_to(waiter));
  }
  waiter.queue_ = nullptr;
}

/// Out of all three places.
void FairQueue::unlink(Waiter& waiter) {
  Level& level = levels_[index_of(waiter.priority_)];
  Lane& lane = *waiter.lane_;
  lane.waiters.erase(lane.waiters.iterator_to(waiter));
  if (lane.waiters.empty()) {
    level.turns.erase(level.turns.iterator_to(lane));
    level.lanes.erase(waiter.tenant_);
    if (level.turns.empty()) level.credit = 0;
  }
  order_.erase(order_.iterator_to(waiter));
  by_end_.erase(by_end_.iterator_to(waiter));
  waiter.lane_ = nullptr;
  --waiting_;
  // The next oldest may be young enough. It is told by the time of the last call: leaving brings none.
  look(seen_);
}

/// Brings `exceeded_` up to `now`.
void FairQueue::look(SteadyTime now) {
  seen_ = std::max(seen_, now);
  if (order_.empty() || seen_ - order_.front().since_ <= settings_.target) {
    exceeded_ = never;
  } else if (exceeded_ == never) {
    exceeded_ = order_.front().since_ + settings_.target;
  }
}

bool FairQueue::newest_first(SteadyTime now) {
  look(now);
  return exceeded_ != never && seen_ - exceeded_ > settings_.patience;
}

void FairQueue::drop_late(SteadyTime now) {
  look(now);
  while (!by_end_.empty() && by_end_.begin()->until_ <= seen_) {
    Waiter& waiter = *by_end_.begin();
    unlink(waiter);
    late_.push_back(waiter);
  }
}

FairQueue::Level& FairQueue::next_level() {
  int all = 0;
  Level* best = nullptr;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    Level& level = levels_[i];
    if (level.turns.empty()) continue;
    level.credit += weights[i];
    all += weights[i];
    if (best == nullptr || level.credit > best->credit) best = &level;
  }
  best->credit -= all;
  return *best;
}

SteadyTime FairQueue::next_late() const {
  if (!late_.empty()) return late_.front().until_;
  return by_end_.empty() ? never : by_end_.begin()->until_;
}

}  // namespace tollgate::policy
