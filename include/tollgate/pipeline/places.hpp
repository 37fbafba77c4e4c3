#pragma once
// How many requests a target is given at a time, and who waits for a place there: one count and one queue for all
// workers.
#include "tollgate/config/snapshot.hpp"
#include "tollgate/pipeline/ports.hpp"
#include "tollgate/policy/concurrency.hpp"
#include "tollgate/policy/fair_queue.hpp"

#include <cstdint>
#include <memory>
#include <mutex>

namespace tollgate::pipeline {

/// The places at one target. Any thread.
class Places {
 public:
  explicit Places(const config::PlaceSettings& settings);
  /// Takes effect at once; who has a place keeps it, who waits goes on waiting.
  void configure(const config::PlaceSettings& settings, SteadyTime now);

  /// Takes a place, which give_back() gives back; false: none is free, or others have waited for it longer.
  bool try_take(SteadyTime now);
  void give_back(SteadyTime now);

  /// What the one who has a place has met there: an answer, or that the target had too much. Moves an adaptive limit.
  void answered();
  void overloaded(Micros round_trip, SteadyTime now);

  /// A request that waits. Its worker's thread; destroyed, it gives up its place in the queue, or the place that it was
  /// given and has not taken.
  class Turn : policy::FairQueue::Waiter {
   public:
    Turn(Places& places, std::uint64_t tenant, policy::Priority priority, Waker& waker, WaitPoint& point);
    ~Turn();
    /// It has been given a place, which from now on is the caller's to give back.
    bool take();

   private:
    friend class Places;
    /// What it shares with a wake-up on its way. Worker's thread.
    struct Bell {
      WaitPoint* point;
    };
    Places& places_;
    Waker& waker_;
    const std::shared_ptr<Bell> bell_;
    bool granted_ = false;  ///< under the places' mutex
  };
  /// Lets it wait until then; Signal::answered at its point tells that it has been given a place. Null: as many wait as
  /// may. The places must outlive it.
  std::unique_ptr<Turn> wait(std::uint64_t tenant, policy::Priority priority, SteadyTime until, SteadyTime now,
                             Waker& waker, WaitPoint& point);
  Millis max_wait() const;

  struct View {
    std::uint64_t limit = 0, in_flight = 0, waiting = 0;
  };
  View view() const;

 private:
  void hand_out(SteadyTime now);

  mutable std::mutex mutex_;  ///< over all below
  config::PlaceSettings settings_;
  policy::Concurrency concurrency_;
  policy::FairQueue queue_;
  SteadyTime seen_{};  ///< the latest time it was told
};

}  // namespace tollgate::pipeline
