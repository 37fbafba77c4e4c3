#pragma once
// Many timers per worker that are set all the time and nearly never fire: a wheel of 10 ms slots and one system timer,
// armed for the next slot in use. Moving a timer to a later time costs a store.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/wait_point.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <cstdint>

namespace tollgate::io {

class Timers;

/// One timer; signals Signal::timer at its WaitPoint once `deadline` is over. Unlinks itself when destroyed.
class Timer : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Timer(Timers& timers, WaitPoint& point) : timers_(timers), point_(point) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(SteadyTime deadline);
  void clear() { deadline_ = never; }
  SteadyTime deadline() const { return deadline_; }

 private:
  friend class Timers;
  Timers& timers_;
  WaitPoint& point_;
  SteadyTime deadline_ = never;
  std::int64_t slot_tick_ = 0;  ///< of the slot it is linked in
};

class Timers {
 public:
  explicit Timers(boost::asio::io_context& context);

 private:
  friend class Timer;
  using Slot = boost::intrusive::list<Timer, boost::intrusive::constant_time_size<false>>;
  static constexpr std::int64_t slot_count =
      1024;  // at 10 ms: a horizon of 10 s, further timers pass through the last slot
  static constexpr Millis slot_width{10};

  static std::int64_t tick_of(SteadyTime time);
  void link(Timer& timer);
  void arm(std::int64_t tick);
  void sweep();

  boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                    boost::asio::io_context::executor_type>
      system_timer_;
  std::array<Slot, slot_count> slots_;
  std::int64_t swept_;              ///< every tick up to this one has been swept
  std::int64_t armed_ = INT64_MAX;  ///< the tick the system timer is armed for
};

}  // namespace tollgate::io
