// A client's connection, plain or TLS: the same three calls either way, with EAGAIN for "not now".
#pragma once

#include "sockets.hpp"

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace bench {

class StreamSocket {
 public:
  StreamSocket() = default;
  StreamSocket(StreamSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), ssl_(std::exchange(other.ssl_, nullptr)) {}
  StreamSocket& operator=(StreamSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(ssl_, other.ssl_);
    return *this;
  }
  ~StreamSocket() { close(); }

  /// Certificates are not verified: the peer is a program on this machine that the benchmark has started.
  bool open(const Target& target, bool tls) {
    close();
    fd_ = connect_to(target, !tls);
    if (fd_ < 0 || !tls) return fd_ >= 0;
    static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    if (SSL_connect(ssl_) != 1) return close(), false;
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    return true;
  }
  void close() {
    if (ssl_) SSL_free(std::exchange(ssl_, nullptr));
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  ssize_t send(std::string_view data) {
    if (!ssl_) return ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    return result_of(SSL_write(ssl_, data.data(), static_cast<int>(data.size())));
  }
  ssize_t receive(char* into, std::size_t room) {
    if (!ssl_) return ::recv(fd_, into, room, 0);
    return result_of(SSL_read(ssl_, into, static_cast<int>(room)));
  }
  /// Bytes that were decrypted and not yet taken: epoll knows nothing of them.
  bool has_more() const { return ssl_ && SSL_pending(ssl_) > 0; }

 private:
  ssize_t result_of(int n) {
    if (n > 0) return n;
    const int why = SSL_get_error(ssl_, n);
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
  }

  int fd_ = -1;
  SSL* ssl_ = nullptr;
};

}  // namespace bench
