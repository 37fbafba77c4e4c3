#pragma once
#include <coroutine>
#include <cstdint>
#include <utility>

namespace tollgate {

/// What can wake a request. Several may have happened by the time it looks.
enum class Signal : std::uint32_t {
  client_readable = 1,
  client_writable = 2,
  upstream_ready = 4,
  timer = 8,
  answered = 16,  ///< another thread has the answer that was asked for
  stop = 32       ///< the gateway is going down
};

/// The one place where a request's coroutine waits, whatever it waits for.
///
/// Everything that may wake it signals it; the coroutine then looks for itself at what changed. So there is nothing to
/// cancel: a signal nobody waited for is simply still there at the next wait. One thread; the owner outlives all
/// signallers.
class WaitPoint {
 public:
  WaitPoint() = default;
  WaitPoint(const WaitPoint&) = delete;
  WaitPoint& operator=(const WaitPoint&) = delete;

  /// Marks the signal and resumes the waiting coroutine, if there is one, before returning. The WaitPoint may be gone
  /// then.
  void signal(Signal what) {
    arrived_ |= static_cast<std::uint32_t>(what);
    if (waiting_) std::exchange(waiting_, nullptr).resume();
  }

  class Arrived {
   public:
    explicit Arrived(std::uint32_t bits) : bits_(bits) {}
    bool has(Signal what) const { return (bits_ & static_cast<std::uint32_t>(what)) != 0; }

   private:
    std::uint32_t bits_;
  };

  /// Waits until at least one signal has arrived and takes all that have. One coroutine at a time.
  auto wait() {
    struct Awaiter {
      WaitPoint& point;
      bool await_ready() const noexcept { return point.arrived_ != 0; }
      void await_suspend(std::coroutine_handle<> self) noexcept { point.waiting_ = self; }
      Arrived await_resume() noexcept { return Arrived(std::exchange(point.arrived_, 0)); }
    };
    return Awaiter{*this};
  }

 private:
  std::coroutine_handle<> waiting_;
  std::uint32_t arrived_ = 0;
};

}  // namespace tollgate
