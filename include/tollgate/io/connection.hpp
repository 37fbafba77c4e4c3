#pragma once
// One connected socket, plain or TLS, on one loop. Reads and writes are non-blocking system calls; the loop tells when
// to try again. So a connection that waits holds no buffer, and reader and writer decide for themselves when to wait.
#include "tollgate/base/wait_point.hpp"
#include "tollgate/io/loop.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <openssl/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::io {

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

/// Reference-counted, since a pool and a request hand it to each other. Loop thread only.
class Connection final : public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter>, Watcher {
 public:
  using Pointer = boost::intrusive_ptr<Connection>;

  /// Takes a non-blocking descriptor over, connected or connecting. Not open where the system has no room to watch it.
  Connection(Loop& loop, int descriptor);
  ~Connection() override;

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
  /// Asks for one signal when a read (write, handshake) can go on, at the earliest when the caller waits. Asking costs
  /// no system call.
  void wait_readable() { read_needs_write_ ? want_write() : want_read(); }
  void wait_writable() { write_needs_read_ ? want_read() : want_write(); }
  void wait_handshake() { read_needs_write_ ? want_write() : want_read(); }

  /// Closes: in good order (TLS says goodbye, TCP sends FIN), or at once (TCP sends RST). Waits end unsignalled.
  void close();
  void reset();
  /// Sends FIN after what was written (TLS says goodbye first); reading goes on.
  void shutdown_send();
  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  /// Why the last attempt failed, for the log: "Connection reset by peer", "certificate verify failed (...)".
  const std::string& error() const { return error_; }
  SSL* ssl() const { return ssl_; }

 private:
  Transfer fail(std::string why);
  Transfer read_tls(std::span<char> into);
  Transfer write_tls(std::span<const std::string_view> pieces);
  Transfer tls_outcome(int result);
  void say_goodbye();
  void want_read();
  void want_write();
  void happened(std::uint32_t events) override;
  void readable_now();
  void writable_now();
  void close_descriptor();

  Loop& loop_;
  SSL* ssl_ = nullptr;
  WaitPoint* point_ = nullptr;
  void (*callback_)(void*) = nullptr;
  void* callback_context_ = nullptr;
  Signal readable_ = Signal::upstream_ready;
  Signal writable_ = Signal::upstream_ready;
  int descriptor_;
  bool can_read_ = false;   ///< an edge came after the last read that found the end of what is there
  bool can_write_ = false;  ///< the same for writes
  bool ended_ = false;      ///< the peer has ended its side, or there is an error: a read will say so
  bool wants_read_ = false;
  bool wants_write_ = false;
  bool read_needs_write_ = false;  ///< TLS has something to send before it can read on
  bool write_needs_read_ = false;  ///< and the other way round
  bool filled_ = false;            ///< the last read filled its buffer
  std::string error_;
};

/// Options for every TCP leg: TCP_NODELAY, and SO_KEEPALIVE with a first probe after 45 s of silence.
void set_tcp_options(int descriptor);
/// For the leg to a client, besides: the kernel takes no more than 128 KiB that it cannot send yet (TCP_NOTSENT_LOWAT).
/// So a slow reader is seen to take bytes as it does, instead of once a third of a send buffer of megabytes is free.
void set_client_options(int descriptor);

/// The last descriptors are for operators and for what a request at hand needs: true where this one is among them, and
/// nobody else should have it. An eighth of the limit of open files, and 16 at most.
bool is_reserved(int descriptor);

}  // namespace tollgate::io
