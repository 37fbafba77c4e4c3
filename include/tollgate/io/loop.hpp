#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/base/random.hpp"
#include "tollgate/io/timers.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace tollgate::io {

/// One worker's event loop with what its connections share: coarse timers, one read buffer, one source of chance.
/// Everything but post() and stop() belongs to the thread that runs it.
class Loop {
 public:
  explicit Loop(std::uint64_t seed);

  boost::asio::io_context& context() { return context_; }
  Timers& timers() { return timers_; }
  Random& random() { return random_; }
  SteadyTime now() const { return std::chrono::steady_clock::now(); }

  /// Where every connection of this worker reads into. What it holds ends with the next wait: use it or copy it before.
  std::span<char> scratch() { return {scratch_.get(), scratch_size}; }
  static constexpr std::size_t scratch_size = 128 * 1024;

  void run();
  void stop();                              ///< from any thread
  void post(std::function<void()> action);  ///< from any thread: runs it on the loop

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Timers timers_;
  Random random_;
  std::unique_ptr<char[]> scratch_;
};

}  // namespace tollgate::io
