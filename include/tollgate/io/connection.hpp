#pragma once
// One connected socket, plain or TLS, on one loop. Reads and writes are non-blocking system calls of our own; Asio
// tells when to try again. So a connection that waits holds no buffer, and reader and writer decide for themselves when
// to wait.
#include "tollgate/base/wait_point.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <openssl/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::io {

class Loop;

/// What a non-blocking attempt came to.
enum class IoState : std::uint8_t {
  ok,
  blocked,  ///< wait, then try again
  closed,   ///< the peer has ended its side in good order
  failed    ///< error() says why; final
};

struct Transfer {
  IoState state = IoState::ok;
  std::size_t bytes = 0;
};

/// Reference-counted because a wait that was begun outlives the owner's interest until the loop has delivered it. Loop
/// thread only.
class Connection final : public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter> {
 public:
  using Pointer = boost::intrusive_ptr<Connection>;
  using Socket =
      boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

  /// Takes a non-blocking descriptor over, connected or connecting.
  Connection(Loop& loop, int descriptor, boost::asio::generic::stream_protocol protocol);
  ~Connection();

  /// Speaks TLS from now on; takes the SSL over, which must be in its connect or accept state already.
  void start_tls(SSL* ssl);
  bool tls() const { return ssl_ != nullptr; }
  /// Goes on with the handshake; `closed` does not occur.
  IoState handshake();

  /// Finishes a non-blocking connect once writable: ok or failed.
  IoState connected();

  Transfer read(std::span<char> into);
  /// Writes the pieces in order, as many bytes as go. One system call for a plain connection.
  Transfer write(std::span<const std::string_view> pieces);
  /// True while a read may find more without waiting: the last one filled its buffer, or decrypted bytes are left.
  bool more_to_read() const { return filled_ || decrypted_left(); }
  /// TLS only: bytes that no readiness will ever announce.
  bool decrypted_left() const;

  /// Signals `point` from the next readiness on. Replaces the point set before; null: nobody listens.
  void listen(WaitPoint* point, Signal readable, Signal writable);
  /// Calls back instead, once, at the next readability; for connections that no request owns.
  void on_readable(void (*callback)(void* context), void* context);
  /// Asks for one signal when a blocked read (write, handshake) can go on. Asking again while one is asked for costs
  /// nothing.
  void wait_readable() { read_needs_write_ ? arm_write() : arm_read(); }
  void wait_writable() { write_needs_read_ ? arm_read() : arm_write(); }
  void wait_handshake() { read_needs_write_ ? arm_write() : arm_read(); }

  /// Closes: in good order (TLS says goodbye, TCP sends FIN), or at once (TCP sends RST). Waits end unsignalled.
  void close();
  void reset();
  /// Sends FIN after what was written (TLS says goodbye first); reading goes on.
  void shutdown_send();
  bool is_open() const { return socket_.is_open(); }
  int descriptor() { return socket_.native_handle(); }

  /// Why the last attempt failed, for the log: "Connection reset by peer", "certificate verify failed (...)".
  const std::string& error() const { return error_; }
  SSL* ssl() const { return ssl_; }

 private:
  Transfer fail(std::string why);
  Transfer read_tls(std::span<char> into);
  Transfer write_tls(std::span<const std::string_view> pieces);
  Transfer tls_outcome(int result);
  void say_goodbye();
  void arm_read();
  void arm_write();
  void readable_now();
  void writable_now();

  Socket socket_;
  SSL* ssl_ = nullptr;
  WaitPoint* point_ = nullptr;
  void (*callback_)(void*) = nullptr;
  void* callback_context_ = nullptr;
  Signal readable_ = Signal::upstream_ready;
  Signal writable_ = Signal::upstream_ready;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  bool read_needs_write_ = false;  ///< TLS has something to send before it can read on
  bool write_needs_read_ = false;  ///< and the other way round
  bool filled_ = false;            ///< the last read filled its buffer
  std::string error_;
};

/// Options for every TCP leg: TCP_NODELAY, and SO_KEEPALIVE with a first probe after 45 s of silence.
void set_tcp_options(int descriptor);

}  // namespace tollgate::io
