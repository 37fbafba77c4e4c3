// Loopback sockets and a wait with a deadline in nanoseconds.
#pragma once

#include "clock.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace bench {

struct Target {
  std::string host = "127.0.0.1", path = "/";
  int port = 80;
};

inline Target parse_url(std::string_view u) {
  Target t;
  if (u.starts_with("http://")) u.remove_prefix(7);
  if (u.starts_with("https://")) u.remove_prefix(8);
  size_t slash = u.find('/');
  std::string_view authority = u.substr(0, slash);
  if (slash != std::string_view::npos) t.path = std::string(u.substr(slash));
  size_t colon = authority.find(':');
  t.host = std::string(authority.substr(0, colon));
  if (t.host == "localhost") t.host = "127.0.0.1";
  if (colon != std::string_view::npos) t.port = std::atoi(std::string(authority.substr(colon + 1)).c_str());
  if (t.host.rfind("127.", 0) != 0) die("only loopback targets are allowed: " + t.host);
  return t;
}

inline sockaddr_in address_of(const Target& t) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(t.port));
  if (inet_pton(AF_INET, t.host.c_str(), &a.sin_addr) != 1) die("bad host " + t.host);
  return a;
}

inline void set_nodelay(int fd) {
  int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/// Connects blocking (on loopback it takes microseconds); what follows does not block unless told so.
inline int connect_to(const Target& t, bool non_blocking = true) {
  sockaddr_in a = address_of(t);
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) < 0) {
    ::close(fd);
    return -1;
  }
  set_nodelay(fd);
  if (non_blocking) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

inline int listen_on(int port, int backlog = 4096) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  Target t;
  t.port = port;
  sockaddr_in a = address_of(t);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) < 0) die("bind port " + std::to_string(port));
  if (::listen(fd, backlog) < 0) die("listen");
  return fd;
}

// epoll_wait with a nanosecond deadline (absolute, monotonic; < 0 waits for ever).
inline int wait_until(int ep, epoll_event* ev, int n, int64_t deadline) {
  if (deadline < 0) return ::epoll_wait(ep, ev, n, -1);
  int64_t left = std::max<int64_t>(0, deadline - now_ns());
  timespec t{left / 1'000'000'000, left % 1'000'000'000};
  return ::epoll_pwait2(ep, ev, n, &t, nullptr);
}

}  // namespace bench
