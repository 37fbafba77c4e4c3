#pragma once
#include <atomic>
#include <cstdint>

namespace tollgate {

/// A mutex for what is held over a few dozen instructions and taken on every request: free, it costs one atomic
/// instruction each to take and to leave, where std::mutex costs two calls. Whoever finds it taken sleeps. For
/// std::lock_guard; not recursive, not fair. (After Drepper, "Futexes Are Tricky", mutex 2.)
class SmallLock {
 public:
  SmallLock() = default;
  SmallLock(const SmallLock&) = delete;
  SmallLock& operator=(const SmallLock&) = delete;

  void lock() {
    State expected = open;
    if (!state_.compare_exchange_strong(expected, taken, std::memory_order_acquire, std::memory_order_relaxed))
      lock_slowly();
  }
  void unlock() {
    if (state_.exchange(open, std::memory_order_release) == waited_for) state_.notify_one();
  }

 private:
  using State = int;  ///< what the kernel can wait for
  static constexpr State open = 0, taken = 1, waited_for = 2;

  /// Whoever has waited takes it as waited for, since it cannot know whether it was the only one.
  void lock_slowly() {
    while (state_.exchange(waited_for, std::memory_order_acquire) != open)
      state_.wait(waited_for, std::memory_order_relaxed);
  }

  std::atomic<State> state_{open};
};

}  // namespace tollgate
