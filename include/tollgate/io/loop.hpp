#pragma once
// One worker's event loop: epoll, edge-triggered, each descriptor registered once for its whole life.
// docs/decisions/0005 says why it is our own.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/random.hpp"
#include "tollgate/io/timers.hpp"
#include "tollgate/pipeline/ports.hpp"

#include <boost/intrusive/list.hpp>
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace tollgate::io {

/// Whoever has a descriptor on a loop. Forgotten by the loop when it goes. Loop thread only.
class Watcher : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  virtual ~Watcher() = default;

 private:
  friend class Loop;
  /// EPOLL* bits that have changed since the last call; 0 where the watcher itself asked to be called. It may be
  /// destroyed by what it does here.
  virtual void happened(std::uint32_t events) = 0;
};

/// One worker's event loop with what its connections share: coarse timers, one read buffer, one source of chance.
/// Everything but post() and stop() belongs to the thread that runs it.
class Loop final : public pipeline::Waker {
 public:
  explicit Loop(std::uint64_t seed);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Timers& timers() { return timers_; }
  Random& random() { return random_; }
  SteadyTime now() const { return std::chrono::steady_clock::now(); }
  /// When the events at hand were fetched: what they are about had happened by then. Costs no look at the clock.
  SteadyTime woken_at() const { return woken_at_; }

  /// Where every connection of this worker reads into. What it holds ends with the next wait: use it or copy it before.
  std::span<char> scratch() { return {scratch_.get(), scratch_size}; }
  static constexpr std::size_t scratch_size = 128 * 1024;

  /// Tells `watcher` of each change of the descriptor's readiness, until the descriptor is closed. False: errno says
  /// why not.
  bool watch(int descriptor, Watcher& watcher);
  /// Before its descriptor is closed: what was fetched for it already is not delivered.
  void forget(Watcher& watcher);
  /// Calls the watcher, with no events, before the loop sleeps.
  void call_soon(Watcher& watcher);

  /// How long to look for events again and again before sleeping. It saves the time of a wake-up (tens of us) and costs
  /// a core that is never idle for less than that.
  void spin_for(Micros time) { spin_ = time; }

  void run();
  void stop();  ///< from any thread, once: run() returns after what it is at
  void post(std::function<void()> action) override;

 private:
  /// Runs what other threads have posted; its descriptor wakes the loop.
  class Mailbox final : public Watcher {
   public:
    Mailbox();
    ~Mailbox() override;
    int descriptor() const { return descriptor_; }
    void put(std::function<void()> action);
    void ring();

   private:
    void happened(std::uint32_t events) override;
    const int descriptor_;
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;
  };
  using Watchers = boost::intrusive::list<Watcher, boost::intrusive::constant_time_size<false>>;

  int fetch();
  int milliseconds_to_sleep() const;
  void deliver(int count);

  const int epoll_;
  Timers timers_;
  Random random_;
  std::unique_ptr<char[]> scratch_;
  SteadyTime woken_at_;
  Micros spin_{0};
  std::array<epoll_event, 128> events_;
  int at_ = 0, count_ = 0;  ///< the events at hand: the next, and their end
  Watchers soon_;
  Mailbox mailbox_;
  std::atomic<bool> stopped_{false};
};

}  // namespace tollgate::io
