#pragma once
#include "tollgate/base/clock.hpp"

#include "simulator/transport.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tollgate::simulator {

inline SteadyTime now() { return std::chrono::steady_clock::now(); }

/// One connection as its serving coroutine sees it: bytes that arrived, writes, pauses. A second coroutine,
/// read_loop(), always has a read outstanding; that is how a client that leaves is noticed at once, whatever the
/// serving one waits for. Lives as long as either coroutine; one thread.
class Channel {
 public:
  Channel(std::unique_ptr<Transport> transport, const Executor& executor);

  Async<bool> handshake() { return transport_->handshake(); }
  /// Runs until the connection is over.
  Async<void> read_loop();

  /// Bytes that arrived and were not consumed. The view ends with the next wait.
  std::string_view inbox() const { return inbox_; }
  void consume(std::size_t count);
  /// Waits for more bytes than `known`. False: `until` has come, or the connection is over and there will be none.
  Async<bool> more_than(std::size_t known, SteadyTime until);

  /// False: the connection is over before `until`.
  Async<bool> pause_until(SteadyTime until);
  /// False: not everything could be written; the connection is over.
  Async<bool> write(std::string_view bytes);

  /// Orderly end. `owner` keeps this object alive.
  void finish(std::shared_ptr<void> owner);
  void reset();
  /// The server stops.
  void stop();

  bool open() const { return state_ == State::open; }
  bool client_gone() const { return state_ == State::client_gone; }
  bool stopped() const { return state_ == State::stopped; }
  /// When the closing was seen; meaningful if client_gone().
  SteadyTime gone_at() const { return gone_at_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  enum class State : std::uint8_t { open, client_gone, closed_here, stopped };
  void over(State state);

  std::unique_ptr<Transport> transport_;
  Timer wake_;  ///< the serving coroutine waits on it; cancelled when something has happened
  Timer room_;  ///< read_loop waits on it while the inbox is full
  std::string inbox_;
  std::array<char, 8 * 1024> read_buffer_;
  State state_ = State::open;
  SteadyTime gone_at_{};
  std::uint64_t bytes_written_ = 0;
};

}  // namespace tollgate::simulator
