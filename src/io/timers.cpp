#include "tollgate/io/timers.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::io {

void Timer::set(SteadyTime deadline) {
  deadline_ = deadline;
  if (deadline == never) return;
  // Linked in an earlier slot it will be looked at in time, and moved on then.
  if (is_linked() && slot_tick_ <= Timers::tick_of(deadline)) return;
  if (is_linked()) unlink();
  timers_.link(*this);
}

void Delay::at(SteadyTime when, std::function<void()> action) {
  action_ = std::move(action);
  set(when);
}

void Delay::over(void* self) {
  // Out of its place first: the action may set the next one, or destroy this.
  const auto action = std::exchange(static_cast<Delay*>(self)->action_, nullptr);
  if (action) action();
}

Timers::Timers(SteadyTime now) : swept_(tick_of(now)) {}

std::int64_t Timers::tick_of(SteadyTime time) {
  // Rounded up, so that a timer never fires early.
  const auto since = time.time_since_epoch();
  const auto width = std::chrono::duration_cast<SteadyTime::duration>(slot_width);
  return since / width + (since % width != SteadyTime::duration::zero() ? 1 : 0);
}

void Timers::link(Timer& timer) {
  const std::int64_t tick = std::clamp(tick_of(timer.deadline_), swept_ + 1, swept_ + slot_count - 1);
  timer.slot_tick_ = tick;
  slots_[static_cast<std::size_t>(tick % slot_count)].push_back(timer);
  next_ = std::min(next_, tick);
}

void Timers::sweep(SteadyTime now) {
  const std::int64_t until = now.time_since_epoch() / std::chrono::duration_cast<SteadyTime::duration>(slot_width);

  // Firing runs request code, which may set, clear and destroy any timer: take the due ones out first, then fire one by
  // one.
  Slot due;
  const std::int64_t slots_to_sweep = std::min(until - swept_, slot_count);
  for (std::int64_t i = 1; i <= slots_to_sweep; ++i)
    due.splice(due.end(), slots_[static_cast<std::size_t>((swept_ + i) % slot_count)]);
  swept_ = std::max(swept_, until);
  next_ = no_tick;

  while (!due.empty()) {
    Timer& timer = due.front();
    due.pop_front();
    if (timer.deadline_ == never) continue;
    if (timer.deadline_ > now) {
      link(timer);
      continue;
    }
    timer.deadline_ = never;
    timer.fire_(timer.target_);
  }

  for (std::int64_t tick = swept_ + 1; tick < std::min(next_, swept_ + slot_count); ++tick)
    if (!slots_[static_cast<std::size_t>(tick % slot_count)].empty()) next_ = tick;
}

}  // namespace tollgate::io
