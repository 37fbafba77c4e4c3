// One connected socket: system calls made directly, readiness from the loop's edges, TLS through OpenSSL on the
// descriptor. docs/decisions/0002 and 0005 say why.
#include "tollgate/io/connection.hpp"

#include "tollgate/base/errno_text.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tollgate::io {

namespace {

constexpr std::size_t tls_record = 16 * 1024;

std::string tls_error(SSL* ssl) {
  std::string why = "TLS failure";
  if (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    why = reason ? reason : "TLS error";
  }
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) why += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
  ERR_clear_error();
  return why;
}

}  // namespace

void set_tcp_options(int descriptor) {
  const int on = 1, first_probe = 45, between_probes = 15, probes = 4;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &first_probe, sizeof first_probe);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &between_probes, sizeof between_probes);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

void set_client_options(int descriptor) {
  set_tcp_options(descriptor);
  const int unsent = 128 * 1024;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

bool is_reserved(int descriptor) {
  constexpr rlim_t most = 16;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return false;
  // The system gives the lowest number that is free.
  return static_cast<rlim_t>(descriptor) >= files.rlim_cur - std::min(most, files.rlim_cur / 8);
}

Connection::Connection(Loop& loop, int descriptor) : loop_(loop), descriptor_(descriptor) {
  if (loop_.watch(descriptor_, *this)) return;
  error_ = errno_text();
  close_descriptor();
}

Connection::~Connection() {
  if (ssl_) SSL_free(ssl_);
  if (is_open()) close_descriptor();
}

void Connection::start_tls(SSL* ssl) {
  ssl_ = ssl;
  SSL_set_fd(ssl_, descriptor_);
}

IoState Connection::handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return IoState::ok;
  const IoState state = tls_outcome(result).state;
  read_needs_write_ = SSL_want_write(ssl_);
  return state == IoState::blocked ? IoState::blocked : IoState::failed;
}

IoState Connection::connected() {
  int code = 0;
  socklen_t size = sizeof code;
  ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &code, &size);
  if (code == 0) return IoState::ok;
  return fail(errno_text(code)).state;
}

Transfer Connection::fail(std::string why) {
  error_ = std::move(why);
  return {IoState::failed, 0};
}

Transfer Connection::read(std::span<char> into) {
  if (!is_open()) return fail("the connection is closed");
  if (ssl_) return read_tls(into);
  for (;;) {
    const ssize_t count = ::recv(descriptor_, into.data(), into.size(), 0);
    filled_ = count == static_cast<ssize_t>(into.size());
    if (count > 0) {
      // Less than there was room for: all has been read, and what comes is a new edge (epoll(7), question 9). An end
      // that has come already makes none.
      can_read_ = filled_ || ended_;
      return {IoState::ok, static_cast<std::size_t>(count)};
    }
    if (count == 0) return {IoState::closed, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      can_read_ = false;
      return {IoState::blocked, 0};
    }
    if (errno != EINTR) return fail(errno_text());
  }
}

Transfer Connection::write(std::span<const std::string_view> pieces) {
  if (!is_open()) return fail("the connection is closed");
  if (ssl_) return write_tls(pieces);
  std::array<iovec, 64> vectors;
  std::size_t count = 0;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    if (count == vectors.size()) break;
    vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  if (count == 0) return {};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (sent >= 0) return {IoState::ok, static_cast<std::size_t>(sent)};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      can_write_ = false;
      return {IoState::blocked, 0};
    }
    if (errno != EINTR) return fail(errno_text());
  }
}

Transfer Connection::tls_outcome(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: can_read_ = false; return {IoState::blocked, 0};
    case SSL_ERROR_WANT_WRITE: can_write_ = false; return {IoState::blocked, 0};
    case SSL_ERROR_ZERO_RETURN: return {IoState::closed, 0};
    case SSL_ERROR_SYSCALL:
      if (errno != 0) return fail(errno_text());
      [[fallthrough]];
    default: return fail(tls_error(ssl_));
  }
}

Transfer Connection::read_tls(std::span<char> into) {
  // One call gives at most one record; taking several saves waking up once per 16 KiB.
  std::size_t total = 0;
  while (total < into.size()) {
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_, into.data() + total, into.size() - total, &count);
    if (result == 1) {
      total += count;
      continue;
    }
    filled_ = false;
    if (total > 0) return {IoState::ok, total};  // what stopped it will stop the next read as well, and is told then
    const Transfer outcome = tls_outcome(result);
    read_needs_write_ = outcome.state == IoState::blocked && SSL_want_write(ssl_);
    return outcome;
  }
  filled_ = true;
  return {IoState::ok, total};
}

Transfer Connection::write_tls(std::span<const std::string_view> pieces) {
  std::size_t total = 0;
  std::array<char, tls_record> record;
  std::size_t at = 0, offset = 0;
  for (;;) {
    // Small pieces share a record; a large one fills records by itself.
    std::string_view next;
    while (at < pieces.size() && offset == pieces[at].size()) ++at, offset = 0;
    if (at == pieces.size()) return {IoState::ok, total};
    if (pieces[at].size() - offset >= tls_record || at + 1 == pieces.size()) {
      next = pieces[at].substr(offset, tls_record);
    } else {
      std::size_t filled = 0;
      for (std::size_t i = at, from = offset; i < pieces.size() && filled < record.size(); ++i, from = 0) {
        const std::string_view part = pieces[i].substr(from, record.size() - filled);
        std::memcpy(record.data() + filled, part.data(), part.size());
        filled += part.size();
      }
      next = {record.data(), filled};
    }
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_, next.data(), next.size(), &count);
    if (result != 1) {
      const Transfer outcome = tls_outcome(result);
      write_needs_read_ = outcome.state == IoState::blocked && SSL_want_read(ssl_);
      if (total > 0 && outcome.state == IoState::blocked) return {IoState::ok, total};
      return outcome;
    }
    total += count;
    for (std::size_t left = count; left > 0;) {
      const std::size_t step = std::min(left, pieces[at].size() - offset);
      offset += step;
      left -= step;
      if (offset == pieces[at].size()) ++at, offset = 0;
    }
  }
}

bool Connection::decrypted_left() const { return ssl_ && SSL_pending(ssl_) > 0; }

void Connection::listen(WaitPoint* point, Signal readable, Signal writable) {
  point_ = point;
  callback_ = nullptr;
  readable_ = readable;
  writable_ = writable;
}

void Connection::on_readable(void (*callback)(void*), void* context) {
  point_ = nullptr;
  callback_ = callback;
  callback_context_ = context;
}

void Connection::want_read() {
  wants_read_ = is_open();
  if (wants_read_ && can_read_) loop_.call_soon(*this);
}

void Connection::want_write() {
  wants_write_ = is_open();
  if (wants_write_ && can_write_) loop_.call_soon(*this);
}

void Connection::happened(std::uint32_t events) {
  constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & ends) != 0) ended_ = true;
  if ((events & (EPOLLIN | ends)) != 0) can_read_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) can_write_ = true;
  const Pointer kept(this);  // whoever is told may let go of it
  if (wants_read_ && can_read_) readable_now();
  if (wants_write_ && can_write_) writable_now();
}

void Connection::readable_now() {
  wants_read_ = false;
  if (point_) return point_->signal(readable_);
  if (callback_) std::exchange(callback_, nullptr)(callback_context_);
}

void Connection::writable_now() {
  wants_write_ = false;
  if (point_) point_->signal(writable_);
}

void Connection::close() {
  if (!is_open()) return;
  say_goodbye();
  close_descriptor();
}

void Connection::reset() {
  if (!is_open()) return;
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close_descriptor();
}

void Connection::close_descriptor() {
  point_ = nullptr;
  callback_ = nullptr;
  wants_read_ = wants_write_ = false;
  loop_.forget(*this);
  ::close(std::exchange(descriptor_, -1));
}

void Connection::shutdown_send() {
  if (!is_open()) return;
  say_goodbye();
  ::shutdown(descriptor_, SHUT_WR);
}

void Connection::say_goodbye() {
  if (!ssl_ || !SSL_is_init_finished(ssl_) || (SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);  // one try: a peer that does not take it is not waited for
  ERR_clear_error();
}

}  // namespace tollgate::io
