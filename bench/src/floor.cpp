// floor: the least an HTTP/1.1 reverse proxy can do. One thread, one epoll, no configuration,
// no rewriting, no logging: it finds where each message ends and moves the bytes between a
// keep-alive client connection and a pooled upstream connection. Its cost per request is the
// floor that any proxy with the same system calls stands on.
//
//   floor --port 9100 --upstream http://127.0.0.1:9000 [--spin]
//
// --spin never sleeps in epoll: what the added latency is without the cost of being woken.
#include "arguments.hpp"
#include "http.hpp"
#include "process.hpp"
#include "sockets.hpp"

#include <deque>

using namespace bench;

namespace {

struct Side {
  int fd = -1;
  Side* peer = nullptr;  // the other half while an exchange is running
  bool upstream = false, in_message = false, chunked = false, want_out = false;
  size_t left = 0;
  ChunkDecoder chunks;
  std::string head, out;  // an unfinished head; bytes the socket would not take yet
};

class Relay {
 public:
  Relay(int port, Target up, bool spin)
      : up_(std::move(up)),
        listener_(listen_on(port)),
        ep_(epoll_create1(EPOLL_CLOEXEC)),
        buffer_(256 * 1024, 0),
        timeout_(spin ? 0 : -1) {
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  void run() {
    epoll_event ev[256];
    for (;;) {
      int n = epoll_wait(ep_, ev, 256, timeout_);
      for (int i = 0; i < n; ++i) {
        if (ev[i].data.fd == listener_) {
          accept_all();
          continue;
        }
        Side& s = sides_[static_cast<size_t>(ev[i].data.fd)];
        if (s.fd >= 0 && (ev[i].events & EPOLLOUT)) drain(s);
        if (s.fd >= 0 && (ev[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) readable(s);
      }
    }
  }

 private:
  void watch(int fd, uint32_t events, int op) {
    epoll_event e{};
    e.events = events;
    e.data.fd = fd;
    epoll_ctl(ep_, op, fd, &e);
  }

  Side& adopt(int fd, bool upstream) {
    while (sides_.size() <= static_cast<size_t>(fd)) sides_.emplace_back();
    Side& s = sides_[static_cast<size_t>(fd)];
    s = Side();
    s.fd = fd;
    s.upstream = upstream;
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    return s;
  }

  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      set_nodelay(fd);
      adopt(fd, false);
    }
  }

  void close(Side& s) {
    ::close(s.fd);
    s.fd = -1;
    if (Side* p = s.peer) {
      s.peer = p->peer = nullptr;
      close(*p);
    } else if (s.upstream) {
      std::erase(pool_, &s);
    }
  }

  Side* borrow() {
    if (!pool_.empty()) {
      Side* s = pool_.back();
      pool_.pop_back();
      return s;
    }
    int fd = connect_to(up_);
    return fd < 0 ? nullptr : &adopt(fd, true);
  }

  void readable(Side& s) {
    ssize_t n = ::recv(s.fd, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close(s);
    std::string_view data(buffer_.data(), static_cast<size_t>(n));
    if (!s.in_message && !s.head.empty()) {
      s.head.append(data);
      std::string whole;
      whole.swap(s.head);
      return message(s, whole);
    }
    message(s, data);
  }

  void message(Side& s, std::string_view data) {
    if (!s.in_message) {
      size_t e = data.find("\r\n\r\n");
      if (e == std::string_view::npos) return void(s.head.assign(data));
      s.left = 0;
      s.chunked = false;
      s.chunks.reset();
      each_header(data.substr(0, e + 4), [&](std::string_view k, std::string_view v) {
        if (k.size() == 14 && iequals(k, "content-length"))
          s.left = static_cast<size_t>(std::atoll(v.data()));
        else if (k.size() == 17 && iequals(k, "transfer-encoding"))
          s.chunked = true;
      });
      s.in_message = true;
      if (!s.upstream) {
        s.peer = borrow();
        if (!s.peer) return close(s);
        s.peer->peer = &s;
      }
      account(s, data.substr(e + 4));
    } else {
      account(s, data);
    }
    if (!s.peer) return close(s);
    Side& to = *s.peer;
    bool ended = !s.in_message;
    if (s.upstream && ended) {  // reply complete: the pair parts
      s.peer = to.peer = nullptr;
      pool_.push_back(&s);
    }
    send_to(to, data);
  }

  void account(Side& s, std::string_view body) {
    if (s.chunked) {
      s.chunks.feed(body, [](std::string_view) {});
      s.in_message = !s.chunks.done();
    } else {
      s.left -= std::min(s.left, body.size());
      s.in_message = s.left > 0;
    }
  }

  void send_to(Side& s, std::string_view data) {
    if (s.out.empty()) {
      ssize_t n = ::send(s.fd, data.data(), data.size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return close(s);
      if (n > 0) data.remove_prefix(static_cast<size_t>(n));
    }
    if (data.empty()) return;
    s.out.append(data);
    if (!s.want_out) watch(s.fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD), s.want_out = true;
  }

  void drain(Side& s) {
    ssize_t n = ::send(s.fd, s.out.data(), s.out.size(), MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) close(s);
      return;
    }
    s.out.erase(0, static_cast<size_t>(n));
    if (s.out.empty()) watch(s.fd, EPOLLIN, EPOLL_CTL_MOD), s.want_out = false;
  }

  Target up_;
  int listener_, ep_;
  std::string buffer_;
  int timeout_;
  std::deque<Side> sides_;  // by descriptor
  std::vector<Side*> pool_;
};

}  // namespace

int main(int argc, char** argv) {
  Args a(argc, argv);
  raise_fd_limit();
  Relay(static_cast<int>(a.num("port", 9100)), parse_url(a.str("upstream", "http://127.0.0.1:9000")), a.has("spin"))
      .run();
}
