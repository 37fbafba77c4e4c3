// How the driver moves bytes and accounts for them: every reply is read to its end and judged, and what arrives counts
// from the moment at which it was due.
#include "driver.hpp"

#include <sys/prctl.h>

#include <random>

namespace bench {

std::uint64_t DriverStats::refused() const {
  std::uint64_t n = 0;
  for (const auto& [status, count] : not_ok) n += count;
  return n;
}

Driver::Driver(Target target, std::string request, bool stream, bool tls)
    : target_(std::move(target)),
      request_(std::move(request)),
      stream_(stream),
      tls_(tls),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(std::size_t{256} * 1024, '\0') {
  prctl(PR_SET_TIMERSLACK, 1);
}

void Driver::open(std::size_t connections) {
  for (std::size_t i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<Connection>());
    if (!dial(*connections_.back())) die("connect to port " + std::to_string(target_.port));
    idle_.push_back(connections_.back().get());
  }
}

void Driver::prime(std::size_t window, std::int64_t deadline) {
  std::size_t started = 0;
  const std::size_t limit = stream_ ? connections_.size() : window;
  recording = true;
  while (now_ns() < deadline && !stop_requested) {
    while (!idle_.empty() && started < connections_.size() && started - stats.finished() < limit) {
      start(pop_idle(), now_ns());
      ++started;
    }
    if (started == connections_.size() && (stream_ || busy() == 0)) return;
    poll(now_ns() + 50'000'000);
  }
}

void Driver::run_open(const Timetable& timetable, const Scene& scene) {
  std::mt19937_64 random(42);
  std::exponential_distribution<double> pause(timetable.rate);
  const std::int64_t first = now_ns(), begin = first + static_cast<std::int64_t>(timetable.warm * 1e9);
  const std::int64_t end = begin + static_cast<std::int64_t>(timetable.seconds * 1e9);
  double next = 0;  // seconds after the first
  std::deque<std::int64_t> queue;
  bool measuring = false;
  for (;;) {
    const std::int64_t now = now_ns();
    if (!measuring && now >= begin) measuring = true, begin_measuring(scene);
    if (now >= end || stop_requested) break;
    std::int64_t due;
    while ((due = first + static_cast<std::int64_t>(next * 1e9)) <= now) {
      queue.push_back(due);
      next += timetable.poisson ? pause(random) : 1.0 / timetable.rate;
    }
    while (!queue.empty() && !idle_.empty()) {
      const std::int64_t intended = queue.front();
      queue.pop_front();
      if (recording) stats.late.add(now_ns() - intended);
      start(pop_idle(), intended);
    }
    poll(std::min(end, due));
  }
  backlog = queue.size();
  end_measuring(scene);
}

void Driver::run_closed(double warm, double seconds, const Scene& scene) {
  const std::int64_t begin = now_ns() + static_cast<std::int64_t>(warm * 1e9);
  const std::int64_t end = begin + static_cast<std::int64_t>(seconds * 1e9);
  bool measuring = false;
  for (;;) {
    const std::int64_t now = now_ns();
    if (!measuring && now >= begin) measuring = true, begin_measuring(scene);
    if (now >= end || stop_requested) break;
    while (!idle_.empty()) start(pop_idle(), now_ns());
    poll(end);
  }
  end_measuring(scene);
}

void Driver::poll(std::int64_t deadline) {
  epoll_event events[256];
  const int n = wait_until(epoll_, events, 256, deadline);
  for (int i = 0; i < n; ++i) {
    Connection& connection = *static_cast<Connection*>(events[i].data.ptr);
    if (!connection.socket.is_open()) continue;
    if (events[i].events & EPOLLOUT) push(connection);
    if (connection.socket.is_open() && (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) readable(connection);
  }
}

void Driver::close_all() {
  connections_.clear();
  idle_.clear();
}

void Driver::begin_measuring(const Scene& scene) {
  before = Snapshot(scene);
  stats = DriverStats();
  recording = true;
}

void Driver::end_measuring(const Scene& scene) {
  after = Snapshot(scene);
  recording = false;
}

Driver::Connection& Driver::pop_idle() {
  Connection* connection = idle_.front();
  idle_.pop_front();
  return *connection;
}

bool Driver::dial(Connection& connection) {
  connection = Connection();
  if (!connection.socket.open(target_, tls_)) return false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket.fd(), &event);
  return true;
}

void Driver::start(Connection& connection, std::int64_t intended) {
  connection.busy = true;
  connection.intended = intended;
  connection.started = now_ns();
  connection.sent = 0;
  connection.head.clear();
  connection.line.clear();
  connection.in_body = connection.chunked = connection.until_close = connection.got_first = connection.done_mark =
      false;
  connection.keep = true;
  connection.events = connection.last_event = 0;
  connection.chunks.reset();
  push(connection);
}

void Driver::push(Connection& connection) {
  while (connection.sent < request_.size()) {
    const ssize_t n = connection.socket.send(std::string_view(request_).substr(connection.sent));
    if (n < 0) {
      if (errno != EAGAIN) return fail(connection);
      return watch(connection, EPOLLIN | EPOLLOUT);
    }
    connection.sent += static_cast<std::size_t>(n);
    const bool in_one_go = static_cast<std::size_t>(n) == request_.size();
    if (connection.sent == request_.size() && !in_one_go) watch(connection, EPOLLIN);
  }
}

void Driver::watch(Connection& connection, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &connection;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket.fd(), &event);
}

void Driver::readable(Connection& connection) {
  do {
    const ssize_t n = connection.socket.receive(buffer_.data(), buffer_.size());
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      if (n == 0 && connection.busy && connection.in_body && connection.until_close) {
        connection.keep = false;
        return complete(connection);
      }
      return fail(connection);
    }
    if (!connection.busy) return fail(connection);
    if (recording) stats.bytes += static_cast<std::uint64_t>(n);
    take(connection, std::string_view(buffer_.data(), static_cast<std::size_t>(n)));
  } while (connection.socket.has_more());
}

void Driver::take(Connection& connection, std::string_view data) {
  const std::int64_t now = now_ns();
  if (!connection.in_body) {
    const std::size_t had = connection.head.size();
    connection.head.append(data);
    const std::size_t end = connection.head.find("\r\n\r\n");
    if (end == std::string::npos) return;
    read_head(connection, std::string_view(connection.head).substr(0, end + 4));
    data.remove_prefix(end + 4 - had);
  }
  if (connection.chunked) {
    connection.chunks.feed(data, [&](std::string_view piece) { payload(connection, piece, now); });
    if (connection.chunks.bad()) return fail(connection);
    if (connection.chunks.done()) complete(connection);
    return;
  }
  const std::size_t length = connection.until_close ? data.size() : std::min(connection.left, data.size());
  payload(connection, data.substr(0, length), now);
  if (connection.until_close) return;
  connection.left -= length;
  if (connection.left == 0) complete(connection);
}

void Driver::read_head(Connection& connection, std::string_view head) {
  connection.status = head.size() > 12 ? std::atoi(std::string(head.substr(9, 3)).c_str()) : 0;
  bool has_length = false;
  each_header(head, [&](std::string_view name, std::string_view value) {
    if (iequals(name, "content-length")) {
      connection.left = static_cast<std::size_t>(std::atoll(std::string(value).c_str()));
      has_length = true;
    } else if (iequals(name, "transfer-encoding")) {
      connection.chunked = true;
    } else if (iequals(name, "connection") && iequals(value, "close")) {
      connection.keep = false;
    }
  });
  connection.until_close = !has_length && !connection.chunked;
  connection.in_body = true;
}

void Driver::payload(Connection& connection, std::string_view data, std::int64_t now) {
  if (!stream_) return first_byte(connection, now);
  while (!data.empty()) {
    const std::size_t end = data.find('\n');
    if (end == std::string_view::npos) {
      connection.line.append(data);
      return;
    }
    if (connection.line.empty()) {
      event_line(connection, data.substr(0, end), now);
    } else {
      connection.line.append(data.substr(0, end));
      event_line(connection, connection.line, now);
      connection.line.clear();
    }
    data.remove_prefix(end + 1);
  }
}

void Driver::first_byte(Connection& connection, std::int64_t now) {
  if (connection.got_first) return;
  connection.got_first = true;
  if (recording) stats.first.add(now - connection.intended);
}

/// The mock writes `t=<20 digits of its clock> n=<6 digits>` into every content event.
void Driver::event_line(Connection& connection, std::string_view line, std::int64_t now) {
  if (!line.starts_with("data:")) return;
  if (line.find("[DONE]") != std::string_view::npos) {
    connection.done_mark = true;
    return;
  }
  const std::size_t stamp = line.find("\"t=");
  if (stamp == std::string_view::npos || line.size() < stamp + 32) return;
  const std::int64_t number = std::atoll(std::string(line.substr(stamp + 26, 6)).c_str());
  const bool in_order = number == connection.events % 1'000'000;
  ++connection.events;
  first_byte(connection, now);
  if (recording) {
    ++stats.events;
    stats.out_of_order += !in_order;
    stats.transit.add(now - std::atoll(std::string(line.substr(stamp + 3, 20)).c_str()));
    if (connection.last_event) stats.gap.add(now - connection.last_event);
  }
  connection.last_event = now;
}

void Driver::complete(Connection& connection) {
  if (recording) {
    if (connection.status == 200) {
      ++stats.ok;
      stats.total.add(now_ns() - connection.intended);
      stats.service.add(now_ns() - connection.started);
      if (stream_ && !connection.done_mark) ++stats.incomplete_streams;
    } else {
      ++stats.not_ok[connection.status];
    }
  }
  connection.busy = false;
  connection.in_body = false;
  if (!connection.keep) redial(connection);
  if (connection.socket.is_open()) idle_.push_back(&connection);
}

void Driver::fail(Connection& connection) {
  const bool was_busy = connection.busy;
  if (recording && was_busy) ++stats.broken;
  redial(connection);
  if (was_busy && connection.socket.is_open()) idle_.push_back(&connection);
}

void Driver::redial(Connection& connection) {
  ++stats.reconnects;
  if (dial(connection)) return;
  if (++dial_errors_ > 1000) die("the target stopped accepting connections");
  ::usleep(1000);
  if (!dial(connection)) die("reconnect");
}

}  // namespace bench
