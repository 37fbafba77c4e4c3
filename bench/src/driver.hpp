// Connections that send one request over and over and judge what comes back: on a timetable whether or not earlier
// requests returned (open loop), or one after the other on every connection (closed loop). One thread, one epoll.
#pragma once

#include "histogram.hpp"
#include "http.hpp"
#include "scene.hpp"
#include "stream_socket.hpp"

#include <csignal>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline volatile std::sig_atomic_t stop_requested = 0;

struct DriverConnection {
  StreamSocket socket;
  bool busy = false;
  std::int64_t intended = 0, started = 0;
  std::size_t sent = 0;
  // the reply
  std::string head;
  bool in_body = false, chunked = false, until_close = false, got_first = false, keep = true;
  int status = 0;
  std::size_t left = 0;
  ChunkDecoder chunks;
  std::string line;
  std::int64_t events = 0, last_event = 0;
  bool done_mark = false;
};

struct DriverStats {
  Histogram total, service, first, gap, transit, late;  // service: from the moment the request really began
  std::uint64_t ok = 0, events = 0, bytes = 0, broken = 0, incomplete_streams = 0, reconnects = 0;
  std::uint64_t out_of_order = 0;  // events that were lost, sent twice or overtaken
  std::map<int, std::uint64_t> not_ok;

  std::uint64_t refused() const;
  std::uint64_t finished() const { return ok + broken + refused(); }
};

struct Timetable {
  double rate = 0, warm = 0, seconds = 0;
  bool poisson = false;
};

class Driver {
 public:
  Driver(Target target, std::string request, bool stream, bool tls);

  void open(std::size_t connections);
  /// One request on each connection: at most `window` at a time, or all streams at once.
  void prime(std::size_t window, std::int64_t deadline);
  void run_open(const Timetable& timetable, const Scene& scene);
  void run_closed(double warm, double seconds, const Scene& scene);
  void poll(std::int64_t deadline);
  std::size_t busy() const { return connections_.size() - idle_.size(); }
  void close_all();

  DriverStats stats;
  bool recording = false;
  std::size_t backlog = 0;  // requests of the timetable that never began
  Snapshot before, after;

 private:
  using Connection = DriverConnection;

  void begin_measuring(const Scene& scene);
  void end_measuring(const Scene& scene);
  Connection& pop_idle();
  bool dial(Connection& connection);
  void start(Connection& connection, std::int64_t intended);
  void push(Connection& connection);
  void watch(Connection& connection, std::uint32_t events);
  void readable(Connection& connection);
  void take(Connection& connection, std::string_view data);
  void read_head(Connection& connection, std::string_view head);
  void payload(Connection& connection, std::string_view data, std::int64_t now);
  void first_byte(Connection& connection, std::int64_t now);
  void event_line(Connection& connection, std::string_view line, std::int64_t now);
  void complete(Connection& connection);
  void fail(Connection& connection);
  void redial(Connection& connection);

  Target target_;
  std::string request_;
  bool stream_, tls_;
  int epoll_;
  std::string buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;
  int dial_errors_ = 0;
};

}  // namespace bench
