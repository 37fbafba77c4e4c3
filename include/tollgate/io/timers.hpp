#pragma once
// Many timers per worker that are set all the time and nearly never fire: a wheel of 10 ms slots, looked at when the
// loop wakes. Moving a timer to a later time costs a store.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/wait_point.hpp"

#include <boost/intrusive/list.hpp>

#include <array>
#include <cstdint>
#include <functional>

namespace tollgate::io {

class Timers;

/// One timer; signals Signal::timer at its WaitPoint once `deadline` is over, up to 11 ms late. Unlinks itself when
/// destroyed. Loop thread only.
class Timer : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Timer(Timers& timers, WaitPoint& point)
      : Timer(
            timers, [](void* target) { static_cast<WaitPoint*>(target)->signal(Signal::timer); }, &point) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(SteadyTime deadline);
  void clear() { deadline_ = never; }
  SteadyTime deadline() const { return deadline_; }

 protected:
  Timer(Timers& timers, void (*fire)(void*), void* target) : timers_(timers), fire_(fire), target_(target) {}

 private:
  friend class Timers;
  Timers& timers_;
  void (*fire_)(void*);
  void* target_;
  SteadyTime deadline_ = never;
  std::int64_t slot_tick_ = 0;  ///< of the slot it is linked in
};

/// A timer that calls: for what no request waits for. A call may set it again.
class Delay final : private Timer {
 public:
  explicit Delay(Timers& timers) : Timer(timers, &Delay::over, this) {}
  /// Replaces the action set before.
  void at(SteadyTime when, std::function<void()> action);
  using Timer::clear;

 private:
  static void over(void* self);
  std::function<void()> action_;
};

/// Pure: what time it is comes in as an argument.
class Timers {
 public:
  explicit Timers(SteadyTime now);

  /// When fire() has something to do at the earliest; `never` where no timer is set.
  SteadyTime next() const { return next_ == no_tick ? never : SteadyTime(slot_width * next_); }
  /// Fires what is due. Cheap where nothing is.
  void fire(SteadyTime now) {
    if (now >= next()) sweep(now);
  }

 private:
  friend class Timer;
  using Slot = boost::intrusive::list<Timer, boost::intrusive::constant_time_size<false>>;
  static constexpr std::int64_t slot_count =
      1024;  // at 10 ms: a horizon of 10 s, further timers pass through the last slot
  static constexpr Millis slot_width{10};
  static constexpr std::int64_t no_tick = INT64_MAX;

  static std::int64_t tick_of(SteadyTime time);
  void link(Timer& timer);
  void sweep(SteadyTime now);

  std::array<Slot, slot_count> slots_;
  std::int64_t swept_;           ///< every tick up to this one has been swept
  std::int64_t next_ = no_tick;  ///< no slot before this tick is in use
};

}  // namespace tollgate::io
