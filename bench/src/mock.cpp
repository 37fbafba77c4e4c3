// mock: a cheap OpenAI-like upstream on one loopback port. One thread, one epoll.
//
//   mock --port 9000 [--opts "latency_ms=5,chunks=50,gap_ms=20"]
//
// Answers every POST with a chat completion: JSON, or an SSE stream when the body says
// "stream":true. GET /stats tells what it has seen. Its behaviour is set by key=value options,
// separated by , ; or &, taken (later ones win) from: --opts, a path prefix /m/<options>/...,
// the query string, a header "x-mock: <options>", and a model named "mock,<options>" (the way
// that passes through any gateway).
//
//   latency_ms=N   wait before the first byte        chunks=N    content events in a stream
//   gap_ms=N       wait between events               size=N      bytes of content in a JSON reply
//   usage=0        leave the usage event out         retry_after=N   seconds, for fail=429 / 503
//   fail=4xx|5xx   that status, with an OpenAI-shaped error body
//   fail=hang      never answer                      fail=close  close without a byte
//   fail=mid       cut the connection half-way through the stream or the JSON body
//   fail=garbage   200 with a body that is not JSON    fail=skip  a stream that lacks one event in its middle
//
// Every content event carries its send time and its number ("t=<monotonic ns> n=<number>"), so that a receiver on the
// same machine can tell how long that event was on its way, and whether any was lost, sent twice or overtaken.
#include "arguments.hpp"
#include "http.hpp"
#include "process.hpp"
#include "sockets.hpp"

#include <sys/prctl.h>

#include <deque>
#include <queue>

using namespace bench;

namespace {

struct Options {
  double latency_ms = 0, gap_ms = 0;
  int chunks = 20, size = 0, status = 0, retry_after = 1;
  bool usage = true;
  enum Fail { None, Status, Hang, Close, Mid, Garbage, Skip } fail = None;
};

void apply_options(std::string_view text, Options& o) {
  while (!text.empty()) {
    size_t e = text.find_first_of(",;&");
    std::string_view item = text.substr(0, e);
    text = e == std::string_view::npos ? std::string_view{} : text.substr(e + 1);
    size_t eq = item.find('=');
    if (eq == std::string_view::npos) continue;
    std::string_view k = item.substr(0, eq);
    std::string v(item.substr(eq + 1));
    if (k == "latency_ms")
      o.latency_ms = std::atof(v.c_str());
    else if (k == "gap_ms")
      o.gap_ms = std::atof(v.c_str());
    else if (k == "chunks")
      o.chunks = std::atoi(v.c_str());
    else if (k == "size")
      o.size = std::atoi(v.c_str());
    else if (k == "usage")
      o.usage = v != "0";
    else if (k == "retry_after")
      o.retry_after = std::atoi(v.c_str());
    else if (k == "fail") {
      if (v == "hang")
        o.fail = Options::Hang;
      else if (v == "close")
        o.fail = Options::Close;
      else if (v == "mid")
        o.fail = Options::Mid;
      else if (v == "garbage")
        o.fail = Options::Garbage;
      else if (v == "skip")
        o.fail = Options::Skip;
      else
        o.fail = Options::Status, o.status = std::atoi(v.c_str());
    }
  }
}

// ---- reply texts ----
std::string framed(const std::string& payload) {  // one HTTP chunk
  char head[16];
  std::snprintf(head, sizeof head, "%zx\r\n", payload.size());
  return head + payload + "\r\n";
}

const std::string event_head =
    "data: {\"id\":\"chatcmpl-mock0123456789abcdef\",\"object\":\"chat.completion.chunk\","
    "\"created\":1700000000,\"model\":\"mock-1\",\"system_fingerprint\":\"fp_mock\",\"choices\":[{\"index\":0,";
const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    "x-request-id: req_mock\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string role_event = framed(
    event_head + "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n");
const std::string token_event = framed(
    event_head +
    "\"delta\":{\"content\":\"t=00000000000000000000 n=000000 tok\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n");
const size_t token_stamp = token_event.find("t=0000") + 2;
const std::string finish_event =
    framed(event_head + "\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n");
const std::string done_event = framed("data: [DONE]\n\n") + "0\r\n\r\n";

std::string usage_event(size_t prompt, int completion) {
  char b[256];
  std::snprintf(b, sizeof b,
                "\"choices\":[],\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%d,\"total_tokens\":%zu}}\n\n",
                prompt, completion, prompt + static_cast<size_t>(completion));
  return framed(event_head.substr(0, event_head.find("\"choices\"")) + b);
}

const std::string reply_text =
    "Thank you for the question. A gateway reads the request, checks the key, picks an upstream, sends the bytes on "
    "and "
    "counts the tokens of the answer; everything else is somebody else's time.";

std::string json_reply(const Options& o, size_t prompt) {
  std::string content = reply_text;
  if (o.size > 0) {
    content.clear();
    while (content.size() < static_cast<size_t>(o.size)) content += reply_text;
    content.resize(static_cast<size_t>(o.size));
  }
  size_t completion = content.size() / 4;
  return "{\"id\":\"chatcmpl-mock0123456789abcdef\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":"
         "\"mock-1\","
         "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" +
         content + "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":" +
         std::to_string(prompt) + ",\"completion_tokens\":" + std::to_string(completion) +
         ",\"total_tokens\":" + std::to_string(prompt + completion) +
         ",\"prompt_tokens_details\":{\"cached_tokens\":0}},\"system_fingerprint\":\"fp_mock\"}";
}

std::string response(const char* status_line, const std::string& body, const std::string& extra = "",
                     const char* type = "application/json") {
  return std::string("HTTP/1.1 ") + status_line + "\r\nContent-Type: " + type +
         "\r\nx-request-id: req_mock\r\nopenai-processing-ms: 1\r\n" + extra +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// ---- server ----
constexpr size_t window = 4096;  // how much of a body's head and tail is looked at

struct Conn {
  int fd = -1;
  uint32_t gen = 0;
  enum { Head, Body, Chunked } state = Head;
  std::string in;          // unfinished head, or bytes that arrived while busy
  std::string head, tail;  // first and last bytes of the body
  size_t left = 0, body_bytes = 0;
  ChunkDecoder chunks;
  Options opt;
  bool post = false, stats = false, busy = false, streaming = false, close_after = false, want_out = false;
  int sent_events = 0;
  int64_t due = 0;
  std::string out;
  size_t out_off = 0;
};

struct Timer {
  int64_t when;
  int fd;
  uint32_t gen;
  bool operator>(const Timer& o) const { return when > o.when; }
};

class Server {
 public:
  Server(int port, Options defaults)
      : defaults_(defaults), listener_(listen_on(port)), ep_(epoll_create1(EPOLL_CLOEXEC)) {
    add(listener_, EPOLLIN);
    prctl(PR_SET_TIMERSLACK, 1);
    buffer_.resize(512 * 1024);
  }

  void run() {
    epoll_event ev[256];
    for (;;) {
      int n = wait_until(ep_, ev, 256, timers_.empty() ? -1 : timers_.top().when);
      for (int i = 0; i < n; ++i) {
        int fd = ev[i].data.fd;
        if (fd == listener_) {
          accept_all();
          continue;
        }
        Conn& c = conns_[static_cast<size_t>(fd)];
        if (c.fd < 0) continue;
        if (ev[i].events & (EPOLLERR | EPOLLHUP)) {
          aborted_ += c.busy;
          close(c);
          continue;
        }
        if (ev[i].events & EPOLLOUT) flush(c);
        if (c.fd >= 0 && (ev[i].events & EPOLLIN)) readable(c);
      }
      for (int64_t t = now_ns(); !timers_.empty() && timers_.top().when <= t;) {
        Timer x = timers_.top();
        timers_.pop();
        Conn& c = conns_[static_cast<size_t>(x.fd)];
        if (c.fd >= 0 && c.gen == x.gen) proceed(c);
      }
    }
  }

 private:
  void add(int fd, uint32_t events) {
    epoll_event e{};
    e.events = events;
    e.data.fd = fd;
    epoll_ctl(ep_, EPOLL_CTL_ADD, fd, &e);
  }

  void accept_all() {
    for (;;) {
      int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      set_nodelay(fd);
      while (conns_.size() <= static_cast<size_t>(fd)) conns_.emplace_back();
      Conn& c = conns_[static_cast<size_t>(fd)];
      uint32_t gen = c.gen + 1;
      c = Conn();
      c.fd = fd;
      c.gen = gen;
      add(fd, EPOLLIN | EPOLLRDHUP);
      ++accepted_;
      ++open_;
    }
  }

  void close(Conn& c) {
    ::close(c.fd);
    c.fd = -1;
    ++c.gen;
    --open_;
  }

  void readable(Conn& c) {
    ssize_t n = ::recv(c.fd, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      aborted_ += c.busy;
      return close(c);
    }
    consume(c, std::string_view(buffer_.data(), static_cast<size_t>(n)));
  }

  void consume(Conn& c, std::string_view data) {
    std::string joined;
    while (!data.empty()) {
      if (c.busy) {
        c.in.append(data);
        return;
      }
      if (c.state == Conn::Head) {
        if (!c.in.empty()) {
          joined = c.in + std::string(data);
          c.in.clear();
          data = joined;
        }
        size_t e = data.find("\r\n\r\n");
        if (e == std::string_view::npos) {
          c.in.assign(data);
          return;
        }
        parse_head(c, data.substr(0, e + 4));
        data.remove_prefix(e + 4);
      }
      if (c.state == Conn::Body) {
        size_t take = std::min(c.left, data.size());
        keep(c, data.substr(0, take));
        c.left -= take;
        data.remove_prefix(take);
        if (c.left == 0) request_done(c);
      } else if (c.state == Conn::Chunked) {
        data.remove_prefix(c.chunks.feed(data, [&](std::string_view p) { keep(c, p); }));
        if (c.chunks.bad()) return close(c);
        if (c.chunks.done()) request_done(c);
      }
      if (c.fd < 0) return;
    }
  }

  void parse_head(Conn& c, std::string_view head) {
    c.opt = defaults_;
    c.head.clear();
    c.tail.clear();
    c.left = c.body_bytes = 0;
    c.chunks.reset();
    c.state = Conn::Body;
    c.close_after = false;
    c.post = head.substr(0, 5) == "POST ";
    size_t sp = head.find(' ');
    std::string_view path = head.substr(sp + 1, head.find(' ', sp + 1) - sp - 1);
    c.stats = path.substr(0, 6) == "/stats";
    if (path.substr(0, 3) == "/m/") apply_options(path.substr(3, path.find('/', 3) - 3), c.opt);
    if (size_t q = path.find('?'); q != std::string_view::npos) apply_options(path.substr(q + 1), c.opt);
    each_header(head, [&](std::string_view k, std::string_view v) {
      if (iequals(k, "content-length"))
        c.left = static_cast<size_t>(std::atoll(std::string(v).c_str()));
      else if (iequals(k, "transfer-encoding") && v.find("chunked") != std::string_view::npos)
        c.state = Conn::Chunked;
      else if (iequals(k, "x-mock"))
        apply_options(v, c.opt);
      else if (iequals(k, "connection") && iequals(v, "close"))
        c.close_after = true;
      else if (iequals(k, "expect"))
        (void)!::send(c.fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
    });
    if (c.state == Conn::Body && c.left == 0) request_done(c);
  }

  void keep(Conn& c, std::string_view p) {
    c.body_bytes += p.size();
    if (c.head.size() < window) c.head.append(p.substr(0, window - c.head.size()));
    if (c.body_bytes > window) {
      if (p.size() > window) p.remove_prefix(p.size() - window);
      if (c.tail.size() + p.size() > 2 * window) c.tail.erase(0, c.tail.size() - window);
      c.tail.append(p);
    }
  }

  static bool says_stream(const std::string& s) {
    for (size_t p = 0; (p = s.find("\"stream\"", p)) != std::string::npos; p += 8) {
      size_t v = s.find_first_not_of(" \t\r\n:", p + 8);
      if (v != std::string::npos && s.compare(v, 4, "true") == 0) return true;
    }
    return false;
  }

  void request_done(Conn& c) {
    c.state = Conn::Head;
    c.busy = true;
    ++requests_;
    for (const std::string* w : {&c.head, &c.tail}) {
      size_t m = w->find("\"mock,");
      if (m != std::string::npos) apply_options(std::string_view(*w).substr(m + 6, w->find('"', m + 1) - m - 6), c.opt);
    }
    c.streaming = c.post && (says_stream(c.head) || says_stream(c.tail));
    c.sent_events = -1;  // the head and the role event come first
    c.due = now_ns() + static_cast<int64_t>(c.opt.latency_ms * 1e6);
    if (c.opt.latency_ms > 0 && !c.stats)
      later(c);
    else
      proceed(c);
  }

  void later(Conn& c) { timers_.push({c.due, c.fd, c.gen}); }

  // Sends what is due now: the whole reply, or the next event of a stream.
  void proceed(Conn& c) {
    if (!c.out.empty()) {
      later_after_flush(c);
      return;
    }
    const Options& o = c.opt;
    if (c.stats) {
      c.out = response("200 OK", "{\"requests\":" + std::to_string(requests_) +
                                     ",\"accepted\":" + std::to_string(accepted_) +
                                     ",\"open\":" + std::to_string(open_) + ",\"events\":" + std::to_string(events_) +
                                     ",\"aborted\":" + std::to_string(aborted_) + "}");
      return finish(c);
    }
    if (o.fail == Options::Hang) return;
    if (o.fail == Options::Close) return close(c);
    if (o.fail == Options::Garbage) {
      c.out = response("200 OK", "<html>not what you asked for</html>", "", "text/html");
      return finish(c);
    }
    if (o.fail == Options::Status) return send_error(c);
    if (!c.post) {
      c.out = response(
          "200 OK", "{\"object\":\"list\",\"data\":[{\"id\":\"mock-1\",\"object\":\"model\",\"owned_by\":\"mock\"}]}");
      return finish(c);
    }
    if (!c.streaming) {
      if (o.size != cached_size_ || c.body_bytes != cached_bytes_) {
        cached_ = response("200 OK", json_reply(o, c.body_bytes / 4));
        cached_size_ = o.size;
        cached_bytes_ = c.body_bytes;
      }
      c.out = cached_;
      if (o.fail == Options::Mid) c.out.resize(c.out.size() - 200), c.close_after = true;
      return finish(c);
    }
    int64_t gap = static_cast<int64_t>(o.gap_ms * 1e6);
    for (int budget = 32; budget > 0; --budget) {
      if (c.sent_events < 0) {
        c.out = stream_head + role_event;
      } else if (c.sent_events < o.chunks) {
        if (o.fail == Options::Mid && c.sent_events >= o.chunks / 2) return close(c);
        if (o.fail == Options::Skip && c.sent_events == o.chunks / 2) ++c.sent_events;
        c.out = token_event;
        char stamp[48];
        std::snprintf(stamp, sizeof stamp, "%020lld n=%06d", static_cast<long long>(now_ns()),
                      c.sent_events % 1'000'000);
        c.out.replace(token_stamp, 29, stamp, 29);
        ++events_;
      } else {
        c.out = finish_event;
        if (o.usage) c.out += usage_event(c.body_bytes / 4, o.chunks);
        c.out += done_event;
        return finish(c);
      }
      ++c.sent_events;
      flush(c);
      if (c.fd < 0) return;
      c.due += gap;
      if (gap > 0 || !c.out.empty()) return later(c);
    }
    c.due = now_ns();
    later(c);
  }

  void later_after_flush(Conn& c) {  // the reader is slower than the stream: look again in 1 ms
    c.due = now_ns() + 1'000'000;
    later(c);
  }

  void send_error(Conn& c) {
    int s = c.opt.status;
    const char* reason = s == 400   ? "400 Bad Request"
                         : s == 401 ? "401 Unauthorized"
                         : s == 404 ? "404 Not Found"
                         : s == 429 ? "429 Too Many Requests"
                         : s == 503 ? "503 Service Unavailable"
                         : s == 529 ? "529 Overloaded"
                                    : "500 Internal Server Error";
    std::string extra;
    if (s == 429 || s == 503 || s == 529) extra = "Retry-After: " + std::to_string(c.opt.retry_after) + "\r\n";
    c.out = response(reason,
                     "{\"error\":{\"message\":\"mock failure\",\"type\":\"mock_error\",\"param\":null,\"code\":\"" +
                         std::to_string(s) + "\"}}",
                     extra);
    finish(c);
  }

  void finish(Conn& c) {
    c.busy = false;
    flush(c);
    if (c.fd >= 0 && c.close_after && c.out.empty()) return close(c);
    if (c.fd >= 0 && !c.in.empty() && !c.busy) {  // a pipelined request was waiting
      std::string rest;
      rest.swap(c.in);
      consume(c, rest);
    }
  }

  void flush(Conn& c) {
    while (c.out_off < c.out.size()) {
      ssize_t n = ::send(c.fd, c.out.data() + c.out_off, c.out.size() - c.out_off, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno != EAGAIN) return close(c);
        return watch_output(c, true);
      }
      c.out_off += static_cast<size_t>(n);
    }
    c.out.clear();
    c.out_off = 0;
    if (c.want_out) watch_output(c, false);
  }

  void watch_output(Conn& c, bool on) {
    epoll_event e{};
    e.events = EPOLLIN | EPOLLRDHUP | (on ? EPOLLOUT : 0u);
    e.data.fd = c.fd;
    epoll_ctl(ep_, EPOLL_CTL_MOD, c.fd, &e);
    c.want_out = on;
  }

  Options defaults_;
  int listener_, ep_;
  std::string buffer_;
  std::string cached_;  // the last JSON reply, most load asks for the same one again
  int cached_size_ = -1;
  size_t cached_bytes_ = 0;
  std::deque<Conn> conns_;  // by descriptor; a deque keeps references valid while it grows
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  uint64_t requests_ = 0, accepted_ = 0, events_ = 0, aborted_ = 0;
  int64_t open_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Args a(argc, argv);
  raise_fd_limit();
  Options o;
  apply_options(a.str("opts"), o);
  int port = static_cast<int>(a.num("port", 9000));
  Server s(port, o);
  std::fprintf(stderr, "mock on 127.0.0.1:%d\n", port);
  s.run();
}
