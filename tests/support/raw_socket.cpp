// Plain sockets with a limit on every wait. Nothing of the gateway's own I/O is used here: it is what is tested.
// Loopback only.
#include "support/raw_socket.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

namespace tollgate::test {

namespace {

bool wait_for(int descriptor, short events, std::chrono::milliseconds limit) {
  pollfd entry{descriptor, events, 0};
  return ::poll(&entry, 1, static_cast<int>(limit.count())) > 0;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

RawSocket connect_unix(const std::string& path) {
  RawSocket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof to.sun_path - 1);
  if (::connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    ADD_FAILURE() << "cannot connect to " << path;
    socket.close();
  }
  return socket;
}

}  // namespace

RawSocket::RawSocket(int descriptor) : descriptor_(descriptor) {
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawSocket::RawSocket(RawSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

RawSocket& RawSocket::operator=(RawSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

RawSocket::~RawSocket() { close(); }

RawSocket RawSocket::connect(const std::string& address) {
  if (address.starts_with("unix:")) return connect_unix(address.substr(5));
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  RawSocket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = loopback(port);
  if (::connect(socket.descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    ADD_FAILURE() << "cannot connect to " << address;
    socket.close();
  }
  return socket;
}

bool RawSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!wait_for(descriptor_, POLLOUT, patience)) return false;
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<std::string> RawSocket::receive(std::chrono::milliseconds limit, std::size_t at_most) {
  if (!wait_for(descriptor_, POLLIN, limit)) return std::nullopt;
  std::string bytes(at_most, '\0');
  const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (got < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

std::string RawSocket::receive_to_end(bool* reset) {
  std::string all;
  for (;;) {
    const auto piece = receive();
    if (reset) *reset = !piece.has_value();
    if (!piece || piece->empty()) return all;
    all += *piece;
  }
}

bool RawSocket::receive_until(std::string& text, std::string_view mark) {
  while (text.find(mark) == std::string::npos) {
    const auto piece = receive();
    if (!piece || piece->empty()) return false;
    text += *piece;
  }
  return true;
}

bool RawSocket::wait_closed(std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !wait_for(descriptor_, POLLIN, left)) return false;
    char bytes[4096];
    if (::recv(descriptor_, bytes, sizeof bytes, 0) <= 0) return true;
  }
}

bool RawSocket::wait_hang_up(std::chrono::milliseconds limit) { return wait_for(descriptor_, POLLRDHUP, limit); }

void RawSocket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void RawSocket::close_with_reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void RawSocket::shutdown_send() { ::shutdown(descriptor_, SHUT_WR); }

void RawSocket::set_receive_buffer(int bytes) {
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

RawListener::RawListener() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(descriptor_, 1024), 0);
  ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

RawListener::~RawListener() { close(); }

RawSocket RawListener::accept(std::chrono::milliseconds limit) {
  if (!wait_for(descriptor_, POLLIN, limit)) return {};
  const int descriptor = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
  return descriptor < 0 ? RawSocket() : RawSocket(descriptor);
}

void RawListener::close() {
  if (descriptor_ < 0) return;
  ::shutdown(descriptor_, SHUT_RDWR);
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace tollgate::test
