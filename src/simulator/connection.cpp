// The serving side of one connection. Requests are parsed by Beast from bytes that the channel's read loop has
// collected, so that a read is outstanding also while an answer is on its way.
#include "simulator/connection.hpp"

#include "simulator/delivery.hpp"
#include "simulator/stats.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <exception>
#include <utility>

namespace tollgate::simulator {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t head_limit = 64 * 1024;
constexpr std::uint64_t body_limit = 1024ull * 1024 * 1024;
/// Beside the API, which a gateway in front passes on below /v1 only.
constexpr std::string_view stats_path = "/stats";

bool asks_for_stats(const http::request<http::string_body>& request) {
  return request.method() == http::verb::get && path_of(request.target()) == stats_path;
}

}  // namespace

Connection::Connection(const Services& services, std::unique_ptr<Transport> transport, const Executor& executor,
                       std::uint64_t number)
    : services_(services),
      executor_(executor),
      number_(number),
      channel_(std::move(transport), executor),
      random_(Random(number)()) {
  services_.journal.connection_opened();
}

Connection::~Connection() { services_.journal.connection_closed(); }

void Connection::start() {
  // A coroutine's frame, not the lambda, must own the connection: the lambda is gone after the first suspension.
  asio::co_spawn(
      executor_, [](std::shared_ptr<Connection> self) -> Async<void> { co_await self->run(); }(shared_from_this()),
      asio::detached);
}

Async<void> Connection::run() {
  if (const bool done = co_await channel_.handshake(); !done) co_return;
  asio::co_spawn(
      executor_,
      [](std::shared_ptr<Connection> self) -> Async<void> { co_await self->channel_.read_loop(); }(shared_from_this()),
      asio::detached);
  for (std::size_t served = 1; channel_.open(); ++served) {
    Parser parser;
    parser.eager(true);
    parser.header_limit(head_limit);
    parser.body_limit(body_limit);
    const Read outcome = co_await read_request(parser);
    if (outcome == Read::malformed)
      co_await channel_.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    if (outcome != Read::request) break;
    if (asks_for_stats(parser.get()))
      co_await tell_stats();
    else
      co_await serve(parser.get());
    if (!parser.get().keep_alive() || served == services_.options.close_after_requests) break;
  }
  channel_.finish(shared_from_this());
}

Async<Connection::Read> Connection::read_request(Parser& parser) {
  const SteadyTime idle = idle_limit();
  bool continued = false;
  while (!parser.is_done()) {
    const std::string_view bytes = channel_.inbox();
    std::size_t used = 0;
    boost::system::error_code error;
    if (!bytes.empty()) used = parser.put(asio::buffer(bytes), error);
    if (error && error != http::error::need_more) co_return Read::malformed;
    channel_.consume(used);
    if (parser.is_done()) break;
    if (!continued && parser.is_header_done()) {
      continued = true;
      if (const bool done = co_await allow_body(parser); !done) co_return Read::nothing;
    }
    const std::size_t unusable = channel_.inbox().size();
    if (used > 0 && unusable > 0) continue;
    if (const bool done = co_await channel_.more_than(unusable, parser.got_some() ? never : idle); !done)
      co_return Read::nothing;
  }
  co_return Read::request;
}

/// Answers `Expect: 100-continue`.
Async<bool> Connection::allow_body(const Parser& parser) {
  if (!boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) co_return true;
  co_return co_await channel_.write("HTTP/1.1 100 Continue\r\n\r\n");
}

Async<void> Connection::serve(const Request& request) {
  TruthEntry entry;
  entry.at = std::chrono::system_clock::now();
  entry.received = std::chrono::steady_clock::now();
  entry.ordinal = services_.journal.request_received([&] { return received(request); });
  entry.client_request_id = request["x-client-request-id"];
  entry.credential = credential_of(request);
  entry.method = request.method_string();
  entry.endpoint = path_of(request.target());

  const std::uint64_t bytes_before = channel_.bytes_written();
  bool whole = false;
  bool failed = false;
  try {
    whole = co_await deliver(request, entry);
  } catch (const std::exception&) {
    failed = true;
    channel_.reset();
  }
  entry.bytes_sent = channel_.bytes_written() - bytes_before;
  entry.finished = std::chrono::steady_clock::now();
  if (failed) {
    entry.ended = "internal_error";
  } else if (whole) {
    entry.ended = entry.fault.empty() ? "complete" : entry.fault;
  } else if (channel_.client_gone()) {
    entry.ended = "client_gone";
    entry.finished = channel_.gone_at();
  } else {
    entry.ended = "stopped";
  }
  services_.journal.request_finished(std::move(entry));
}

/// Neither counted nor steered: looking changes nothing of what is looked at.
Async<void> Connection::tell_stats() {
  const std::optional<Moment> moment = services_.responder.moment(std::chrono::steady_clock::now());
  const std::string body = stats_json(services_.journal.stats(), services_.journal.gauges(), moment);
  const Replay reply = json_replay(200, body);
  co_await channel_.write(reply.pieces.front());
}

Async<bool> Connection::deliver(const Request& request, TruthEntry& entry) {
  Delivery::Context context{shared_from_this(),  channel_, services_.journal, entry, request.version() >= 11,
                            request.keep_alive()};
  const std::optional<Script> script = services_.journal.take_script(entry.endpoint);
  if (script && script->replay) {
    const Millis first_token = script->steering.first_token.value_or(Millis{0});
    co_return co_await deliver_replay(std::move(context), *script->replay, first_token);
  }
  const Steering scripted = script ? script->steering : Steering();
  Delivery delivery(std::move(context), services_.responder.respond(request, scripted, entry));
  co_return co_await delivery.run();
}

ReceivedRequest Connection::received(const Request& request) const {
  ReceivedRequest copy;
  copy.method = request.method_string();
  copy.target = request.target();
  for (const auto& field : request) copy.fields.emplace_back(field.name_string(), field.value());
  copy.body = request.body();
  copy.connection = number_;
  return copy;
}

SteadyTime Connection::idle_limit() {
  if (!services_.options.idle_close) return never;
  const auto spread = static_cast<double>(services_.options.idle_close_spread.count());
  const Millis offset{static_cast<Millis::rep>(spread * (2 * random_.unit() - 1))};
  return std::chrono::steady_clock::now() + *services_.options.idle_close + offset;
}

}  // namespace tollgate::simulator
