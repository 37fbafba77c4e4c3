#include "tollgate/base/small_lock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace tollgate {
namespace {

TEST(SmallLock, lets_one_thread_in_at_a_time) {
  constexpr int rounds = 20'000, crowd = 8;
  SmallLock lock;
  std::atomic<int> inside = 0;
  bool alone = true;
  long count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < crowd; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        const std::lock_guard hold(lock);
        alone = inside.fetch_add(1) == 0 && alone;
        ++count;
        inside.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, long{rounds} * crowd);
  EXPECT_TRUE(alone);
}

TEST(SmallLock, wakes_everybody_who_waits_for_it_one_after_the_other) {
  for (int round = 0; round < 200; ++round) {
    SmallLock lock;
    int passed = 0;
    std::atomic<int> about_to_wait = 0;
    std::vector<std::thread> threads;
    {
      const std::lock_guard hold(lock);
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
          about_to_wait.fetch_add(1);
          const std::lock_guard own(lock);
          ++passed;
        });
      }
      while (about_to_wait.load() < 4) std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(passed, 4);
  }
}

}  // namespace
}  // namespace tollgate
