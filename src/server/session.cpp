// The life of a client connection, from its first byte to its end. What it says as the pipeline's client stands in
// session_client.cpp, what it answers by itself in session_answers.cpp.
#include "session.hpp"

#include "tollgate/io/diagnostics.hpp"
#include "tollgate/pipeline/serve.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <exception>

namespace tollgate::server {

using io::IoState;
using protocol::http::Framing;
using protocol::http::ParseState;

namespace {

// What a refused client may still send before the connection is closed over its head, so that it gets to read why. Of a
// body that was announced, twice the size of what is allowed: clients send it all before they look for an answer.
constexpr std::size_t linger_bytes = 64 * 1024;
constexpr Millis linger_time{1000};

/// The pipeline's view of the session's timer.
class RequestAlarm final : public pipeline::Alarm {
 public:
  RequestAlarm(io::Loop& loop, io::Timer& timer) : loop_(loop), timer_(timer) {}
  SteadyTime now() const override { return loop_.now(); }
  SteadyTime woken_at() const override { return loop_.woken_at(); }
  void set(SteadyTime when) override { timer_.set(when); }

 private:
  io::Loop& loop_;
  io::Timer& timer_;
};

}  // namespace

Session::Session(Worker& worker, io::Connection::Pointer connection, int family, Plane plane)
    : worker_(worker),
      connection_(std::move(connection)),
      timer_(worker.loop().timers(), point_),
      family_(family),
      plane_(plane) {
  connection_->listen(&point_, Signal::client_readable, Signal::client_writable);
  worker_.add(*this);
}

Session::~Session() {
  worker_.remove(*this);
  connection_->close();
}

void Session::start(Worker& worker, io::Connection::Pointer connection, int family, Plane plane) {
  detach([](Session* session) -> Task<void> {
    const std::unique_ptr<Session> owned(session);
    try {
      co_await owned->run();
    } catch (const std::exception& bug) {
      owned->worker_.services().diagnostics.error("session_failed", {{"what", bug.what()}});
    }
  }(new Session(worker, std::move(connection), family, plane)));
}

Task<void> Session::run() {
  if (connection_->tls()) {
    const bool shaken = co_await shake_hands();
    if (!shaken) co_return;
  }
  for (;;) {
    const bool asked = co_await wait_for_request();
    if (!asked) co_return;
    world_ = worker_.world();
    const bool again = co_await serve_one();
    if (!again) co_return;
    // Between requests nothing is kept: neither memory nor an old configuration with its connections.
    world_.reset();
    if (inbox_.empty()) inbox_.release();
    served_any_ = true;
  }
}

Task<bool> Session::shake_hands() {
  const SteadyTime until = worker_.loop().now() + settings().tls_handshake_timeout;
  for (;;) {
    const IoState state = connection_->handshake();
    if (state == IoState::ok) co_return true;
    if (state != IoState::blocked) co_return false;
    connection_->wait_handshake();
    timer_.set(until);
    co_await point_.wait();
    if (worker_.loop().now() >= until || worker_.cutting()) co_return false;
  }
}

/// True once bytes of a request are there, in rest_ or inbox_.
Task<bool> Session::wait_for_request() {
  const SteadyTime until =
      worker_.loop().woken_at() + (served_any_ ? settings().keep_alive : settings().header_timeout);
  bool try_first = connection_->tls() && (!served_any_ || connection_->decrypted_left());
  while (inbox_.empty()) {
    if (worker_.draining() || left_) co_return false;
    if (!try_first) {
      connection_->wait_readable();
      timer_.set(until);
      co_await point_.wait();
      if (worker_.loop().woken_at() >= until) co_return false;
    }
    try_first = false;
    const auto scratch = worker_.loop().scratch();
    const io::Transfer got = connection_->read(scratch);
    rest_ = {scratch.data(), got.bytes};
    if (got.state == IoState::ok) co_return true;
    if (got.state != IoState::blocked) co_return false;
  }
  co_return !worker_.draining();
}

Task<bool> Session::serve_one() {
  Request request;
  request_ = &request;
  request.began = request.last_taken = worker_.loop().woken_at();
  request.began_at = std::chrono::system_clock::now();
  worker_.count_request();
  bool accepted = false;
  const bool judged = take_head(accepted);
  if (!judged) accepted = co_await read_head();
  if (accepted && request.route.endpoint == Endpoint::forward)
    co_await forward();
  else if (accepted && request.route.endpoint == Endpoint::admin)
    co_await administer();
  else if (accepted)
    answer();
  keep_rest();
  if (!drained()) co_await flush();
  if (request.budgeted > 0) worker_.services().bodies.give_back(request.budgeted);

  const bool again = request.begun && request.keep_alive && request.body_read && !left_;
  if (!again && request.begun && !left_) co_await linger();
  request_ = nullptr;
  co_return again;
}

/// Parses what has come of the head. True once it is whole, or beyond hope: then it has been judged, or its refusal
/// answered.
bool Session::take_head(bool& accepted) {
  const protocol::http::Limits limits{settings().max_header, settings().max_fields, settings().max_target};
  const auto parsed =
      protocol::http::parse_request_head(inbox_.empty() ? rest_ : inbox_.view(), limits, worker_.head());
  if (parsed.state == ParseState::need_more) return false;
  if (parsed.state == ParseState::complete)
    accepted = accept_head(worker_.head(), parsed.size);
  else
    refuse_head(parsed.refusal);
  return true;
}

/// For a head that did not come in one piece. True once it was read whole and accepted; a refusal has been answered.
Task<bool> Session::read_head() {
  const SteadyTime until = request_->began + settings().header_timeout;
  for (;;) {
    keep_rest();
    connection_->wait_readable();
    timer_.set(until);
    co_await point_.wait();
    if (worker_.cutting()) co_return false;
    if (worker_.loop().now() >= until) {
      refuse_head({408, "the request head took too long"});
      co_return false;
    }
    const auto scratch = worker_.loop().scratch();
    const io::Transfer got = connection_->read(scratch);
    if (got.state == IoState::closed || got.state == IoState::failed) {
      left_ = true;
      co_return false;
    }
    inbox_.append({scratch.data(), got.bytes});
    bool accepted = false;
    if (take_head(accepted)) co_return accepted;
  }
}

bool Session::accept_head(const Head& head, std::size_t size) {
  Request& request = *request_;
  request.framing = head.framing;
  request.content_length = head.content_length;
  request.body_read = head.framing == Framing::none || (head.framing == Framing::length && head.content_length == 0);
  request.http_1_0 = head.http_1_0;
  request.keep_alive = head.keep_alive && !worker_.draining();
  request.expects_continue = head.expect_continue;
  request.head_only = head.method == "HEAD";
  constexpr std::string_view known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  for (const std::string_view method : known)
    if (head.method == method) request.method = method;

  if (worker_.traces() && plane_ == Plane::data) read_trace(head);
  std::size_t used = size;
  bool accepted = judge_host_and_origin(head) && judge_token(head) && judge_route(head);
  if (accepted) {
    // Who is refused for its key alone keeps its connection, where the body has come with the head: a new one would
    // cost both sides more than the refusal.
    const std::size_t behind = (inbox_.empty() ? rest_.size() : inbox_.size()) - size;
    const bool has_body = head.framing == Framing::length && !request.body_read && head.content_length <= behind;
    request.body_read |= has_body;
    accepted = judge_key(head) && read_inbound(head);
    if (accepted && has_body) request.body_read = false;
    if (!accepted && has_body) used += static_cast<std::size_t>(request.content_length);
  }
  // The head's bytes were needed until here.
  if (inbox_.empty())
    rest_.remove_prefix(used);
  else
    inbox_.consume(used);
  return accepted;
}

Task<void> Session::forward() {
  Request& request = *request_;
  RequestAlarm alarm(worker_.loop(), timer_);
  request.id = Uuid::v7(request.began_at, worker_.loop().random());
  pipeline::Client* client = this;
  if (request.inbound.idempotent) client = request.inbound.idempotent.get();
  pipeline::Exchange exchange(point_, alarm, *client, worker_.loop().random(), request.inbound, request.caller, world_);
  exchange.began = request.began;
  exchange.began_at = request.began_at;
  begin_record(exchange.record);
  worker_.metrics().request_started();
  request.counted = true;
  try {
    co_await pipeline::serve(exchange);
  } catch (const std::exception& bug) {
    worker_.services().diagnostics.error(
        "request_failed", {{"request_id", std::string(exchange.record.request_id)}, {"what", bug.what()}});
    pipeline::rescue(exchange,
                     {FailureKind::internal, Source::gateway, "the gateway has failed; its operator was told"});
  }
  if (request.events) worker_.metrics().stream_closed();
  close_record(exchange.record);
  worker_.keep_spare(std::move(exchange.body));
}

Task<void> Session::flush() {
  while (!drained() && !left_) {
    const SteadyTime until = request_->last_taken + settings().write_timeout;
    timer_.set(until);
    const auto arrived = co_await point_.wait();
    if (arrived.has(Signal::client_readable)) look();
    if (worker_.loop().now() >= request_->last_taken + settings().write_timeout || worker_.cutting()) abort();
  }
}

Task<void> Session::linger() {
  // A close while the client still sends makes its kernel throw our answer away.
  connection_->shutdown_send();
  const SteadyTime until = worker_.loop().now() + linger_time;
  const bool announced = request_->framing != Framing::none && !request_->body_read;
  const std::size_t most = announced ? linger_bytes + 2 * settings().max_body : linger_bytes;
  std::size_t swallowed = 0;
  inbox_.release();
  while (swallowed < most && worker_.loop().now() < until && !worker_.cutting()) {
    const io::Transfer got = connection_->read(worker_.loop().scratch());
    if (got.state == IoState::closed || got.state == IoState::failed) break;
    swallowed += got.bytes;
    if (got.state == IoState::ok) continue;
    connection_->wait_readable();
    timer_.set(until);
    co_await point_.wait();
  }
}

void Session::keep_rest() {
  inbox_.append(rest_);
  rest_ = {};
}

}  // namespace tollgate::server
