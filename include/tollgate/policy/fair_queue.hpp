#pragma once
// Where requests wait for a place at a target, so that no tenant and no priority keeps the others out, and so that
// under lasting overload some are served in good time instead of all of them too late.
#include "tollgate/base/clock.hpp"
#include "tollgate/policy/key.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace tollgate::policy {

inline constexpr std::size_t priority_count = 3;

struct FairQueueSettings {
  std::size_t limit = 64;  ///< waiters at once; 0: nobody may wait
  Millis target{100};      ///< the wait that is still well
  Millis patience{100};    ///< how long waits may exceed the target before the newest go first
  bool operator==(const FairQueueSettings&) const = default;
};

/// Waiters for one target on one worker: one thread.
///
/// Priorities share what comes free as 8 : 4 : 1, as far as each has waiters (smooth weighted round robin, as nginx
/// has it), so that none starves. Within a priority tenants take turns, each its oldest waiter first. Once the oldest
/// of all has waited longer than `target` for `patience` on end (the standing queue of CoDel, RFC 8289), each tenant's
/// newest goes first until the queue is short again: the oldest are lost then anyhow, and the newest still have time.
class FairQueue {
 public:
  class Waiter;

  explicit FairQueue(const FairQueueSettings& settings) : settings_(settings) {}
  /// Lets go of all that still wait.
  ~FairQueue();
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  /// Takes effect with the next push() and take(); who waits already stays.
  void configure(const FairQueueSettings& settings) { settings_ = settings; }

  /// Lets it wait, up to `until`. False: as many as may wait do. It must not be waiting anywhere.
  bool push(Waiter& waiter, SteadyTime until, SteadyTime now);
  /// The waiter whose turn it is, who then waits no longer; null where nobody waits whose time is not over.
  Waiter* take(SteadyTime now);
  /// One whose time was over before its turn came, who then waits no longer; null: nobody. They come in the order in
  /// which their times were over.
  Waiter* take_late(SteadyTime now);
  /// It gives up. Nothing happens where it does not wait here. O(log n).
  void remove(Waiter& waiter);

  std::size_t waiting() const { return waiting_; }  ///< those found late and not yet taken are no longer waiting
  /// When take_late() has someone, at the latest time that is early enough to look; `never`: nobody waits.
  SteadyTime next_late() const;
  /// Whether each tenant's newest go first now.
  bool newest_first(SteadyTime now);

 private:
  struct Lane;
  template <class Tag>
  using ListHook = boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>>;
  struct InLane;
  struct InOrder;
  using LateHook = boost::intrusive::set_base_hook<>;

 public:
  /// A place in the queue, to derive from or to own. Leaves the queue when destroyed.
  class Waiter : public ListHook<InLane>, public ListHook<InOrder>, public LateHook {
   public:
    Waiter(std::uint64_t tenant, Priority priority) : tenant_(tenant), priority_(priority) {}
    ~Waiter() {
      if (queue_ != nullptr) queue_->remove(*this);
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    std::uint64_t tenant() const { return tenant_; }  ///< any number that tells tenants apart
    Priority priority() const { return priority_; }
    bool is_waiting() const { return queue_ != nullptr; }

   private:
    friend class FairQueue;
    struct Later {
      bool operator()(const Waiter& one, const Waiter& other) const { return one.until_ < other.until_; }
    };
    const std::uint64_t tenant_;
    const Priority priority_;
    FairQueue* queue_ = nullptr;
    Lane* lane_ = nullptr;  ///< null also while it is among the late
    SteadyTime since_{}, until_{};
  };

 private:
  using Lined = boost::intrusive::list<Waiter, boost::intrusive::base_hook<ListHook<InLane>>,
                                       boost::intrusive::constant_time_size<false>>;
  using Ordered = boost::intrusive::list<Waiter, boost::intrusive::base_hook<ListHook<InOrder>>,
                                         boost::intrusive::constant_time_size<false>>;
  using ByEnd =
      boost::intrusive::multiset<Waiter, boost::intrusive::base_hook<LateHook>,
                                 boost::intrusive::compare<Waiter::Later>, boost::intrusive::constant_time_size<false>>;

  /// The waiters of one tenant in one priority; there is none without a waiter.
  struct Lane : boost::intrusive::list_base_hook<> {
    Lined waiters;  ///< the oldest first
  };
  struct Level {
    std::unordered_map<std::uint64_t, Lane> lanes;  ///< by tenant
    boost::intrusive::list<Lane, boost::intrusive::constant_time_size<false>> turns;
    int credit = 0;
  };

  void look(SteadyTime now);
  void drop_late(SteadyTime now);
  void unlink(Waiter& waiter);
  Level& next_level();

  FairQueueSettings settings_;
  std::array<Level, priority_count> levels_;
  Ordered order_;  ///< all that wait, the oldest first
  ByEnd by_end_;   ///< all that wait
  Ordered late_;
  std::size_t waiting_ = 0;
  SteadyTime seen_{};            ///< the latest time it was told
  SteadyTime exceeded_ = never;  ///< since when the oldest has waited longer than the target
};

}  // namespace tollgate::policy
