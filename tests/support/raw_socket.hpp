#pragma once
// A blocking TCP socket for tests, with a time limit on everything, so that a test that waits for what never comes
// fails instead of hanging.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::test {

inline constexpr std::chrono::milliseconds patience{10'000};

class RawSocket {
 public:
  RawSocket() = default;
  explicit RawSocket(int descriptor);
  RawSocket(RawSocket&& other) noexcept;
  RawSocket& operator=(RawSocket&& other) noexcept;
  ~RawSocket();

  /// To "127.0.0.1:port" or "unix:/path". Fails the test where it cannot.
  static RawSocket connect(const std::string& address);

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  /// Sends all of it; false where the peer is gone.
  bool send(std::string_view bytes);
  /// What comes next, at least a byte; empty at the end of the stream, or nothing after a reset or once `limit` is
  /// over.
  std::optional<std::string> receive(std::chrono::milliseconds limit = patience, std::size_t at_most = 64 * 1024);
  /// Everything until the peer closes. `reset` tells a reset from a good end.
  std::string receive_to_end(bool* reset = nullptr);
  /// Reads until `text` holds `mark`; false where the stream ends before.
  bool receive_until(std::string& text, std::string_view mark);
  /// Waits until the peer has closed (or reset), reading and dropping what comes.
  bool wait_closed(std::chrono::milliseconds limit = patience);
  /// The same without reading, so that what is still on its way stays there.
  bool wait_hang_up(std::chrono::milliseconds limit = patience);
  void close();
  void close_with_reset();
  void shutdown_send();
  void set_receive_buffer(int bytes);

 private:
  int descriptor_ = -1;
};

/// Listens on 127.0.0.1, port 0.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  std::uint16_t port() const { return port_; }
  int descriptor() const { return descriptor_; }
  /// The next connection; one that is not open where none came in time, or after close().
  RawSocket accept(std::chrono::milliseconds limit = patience);
  void close();

 private:
  int descriptor_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace tollgate::test
