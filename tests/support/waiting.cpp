#include "support/waiting.hpp"

#include "support/raw_socket.hpp"

#include <condition_variable>
#include <mutex>

namespace tollgate::test {

bool eventually(const std::function<bool()>& holds) {
  std::mutex mutex;
  std::condition_variable nobody;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::unique_lock lock(mutex);
    nobody.wait_for(lock, std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace tollgate::test
