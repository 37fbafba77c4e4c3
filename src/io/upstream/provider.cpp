// The pool of one provider on one worker. Idle connections stay watched, so that a peer that closes is noticed and a
// request on a pooled connection costs no registration.
#include "provider.hpp"

#include "tollgate/base/decimal.hpp"
#include "tollgate/io/loop.hpp"
#include "tollgate/io/metrics.hpp"
#include "tollgate/io/resolver.hpp"

#include "call.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <cctype>

namespace tollgate::io {

using protocol::anthropic::Version;

namespace {

// How long the end of a response may take after its reader had all it wanted.
constexpr Millis drain_time{1000};
// List nodes kept for the next connections that rest.
constexpr std::size_t most_spare = 64;

std::string host_field(const config::Provider& provider) {
  std::string host = provider.host.find(':') == std::string::npos ? provider.host : "[" + provider.host + "]";
  const std::uint16_t usual = provider.tls ? 443 : 80;
  if (provider.port != usual) host += ":" + std::to_string(provider.port);
  return host;
}

}  // namespace

Provider::Provider(Loop& loop, Resolver& resolver, WorkerMetrics& metrics, Settings settings, SslContext tls)
    : loop_(loop), resolver_(resolver), metrics_(metrics), settings_(std::move(settings)), tls_(std::move(tls)) {
  const config::Provider& provider = settings_.provider;
  head_start_ = "POST " + provider.base_path;
  if (speaks_anthropic()) head_start_ += "/v1";
  head_middle_ = " HTTP/1.1\r\nHost: " + host_field(provider) + "\r\nAccept-Encoding: identity\r\n";
  if (!provider.credentials.empty()) credential_ = provider.credentials.front().key.reveal();
  for (const auto& [name, value] : provider.headers) {
    head_middle_ += name + ": " + value.reveal() + "\r\n";
    std::string& lower = own_fields_.emplace_back(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  }
  resolver_.watch(provider.host);
}

Provider::~Provider() {
  while (!idle_.empty()) close_idle(idle_.begin());
  while (!draining_.empty()) {
    drop(std::move(draining_.front().connection));
    remove(draining_.begin());
  }
  if (session_) SSL_SESSION_free(session_);
  resolver_.unwatch(settings_.provider.host);
}

std::unique_ptr<pipeline::UpstreamCall> Provider::start(const pipeline::UpstreamRequest& request, WaitPoint& point) {
  return std::make_unique<Call>(shared_from_this(), request, point);
}

std::string_view Provider::request_head(const pipeline::UpstreamRequest& request) {
  ByteBuffer& head = request_head_;
  head.clear();
  head.append_all(head_start_, request.path, std::string_view(request.query.empty() ? "" : "?"), request.query,
                  head_middle_);
  const std::string_view credential = request.credential.value_or(credential_);
  if (!credential.empty())
    head.append_all(speaks_anthropic() ? std::string_view("X-Api-Key: ") : std::string_view("Authorization: Bearer "),
                    credential, "\r\n");
  append_fields(head, request.fields);
  if (speaks_anthropic()) append_version(head, request.fields);
  if (settings_.provider.forward_trace && request.trace) append_trace(head, request);
  head.append_all("X-Client-Request-Id: ", request.attempt_id,
                  "\r\nContent-Length: ", Decimal(request.body_size).text(), "\r\n\r\n");
  return head.view();
}

void Provider::append_fields(ByteBuffer& head, std::string_view fields) const {
  if (own_fields_.empty()) return head.append(fields);
  // What the configuration sets replaces what the client sent.
  while (!fields.empty()) {
    const std::size_t end = fields.find("\r\n") + 2;
    const std::string_view line = fields.substr(0, end);
    const std::string_view name = line.substr(0, line.find(':'));
    const bool replaced = std::any_of(own_fields_.begin(), own_fields_.end(), [name](const std::string& own) {
      return protocol::http::equals_ignoring_case(name, own);
    });
    if (!replaced) head.append(line);
    fields.remove_prefix(end);
  }
}

/// A client of that API names the version that it was written for; what is translated is written for the configured
/// one.
void Provider::append_version(ByteBuffer& head, std::string_view fields) const {
  constexpr std::string_view name = "anthropic-version:";
  while (!fields.empty()) {
    const std::string_view line = fields.substr(0, fields.find("\r\n") + 2);
    if (protocol::http::equals_ignoring_case(line.substr(0, name.size()), name)) return;
    fields.remove_prefix(line.size());
  }
  head.append_all("Anthropic-Version: ",
                  protocol::anthropic::name_of(settings_.provider.version.value_or(Version::v2023_06_01)), "\r\n");
}

/// Names the attempt as who calls, where spans are made; else what came goes on as it is.
void Provider::append_trace(ByteBuffer& head, const pipeline::UpstreamRequest& request) const {
  const protocol::TraceContext& trace = *request.trace;
  const auto caller = trace.own_spans ? protocol::span_id_of(request.attempt_id) : trace.parent_id;
  head.append_all("Traceparent: ", protocol::show_traceparent(trace, caller), "\r\n");
  if (!trace.state.empty()) head.append_all("Tracestate: ", trace.state, "\r\n");
}

Connection::Pointer Provider::take_idle() {
  if (idle_.empty()) return nullptr;
  // The newest first: if it is too old, all are, and the next sweep closes them.
  Resting& newest = idle_.front();
  if (loop_.woken_at() - newest.since > settings_.provider.pool.idle) return nullptr;
  Connection::Pointer connection = std::move(newest.connection);
  remove(idle_.begin());
  metrics_.upstream_connections(settings_.provider.name, 1, -1);
  return connection;
}

bool Provider::take_slot() {
  if (connections_ >= settings_.max_connections && !idle_.empty()) {
    // Idle but too old for use: it makes room for a fresh one.
    close_idle(std::prev(idle_.end()));
  }
  if (connections_ >= settings_.max_connections) return false;
  ++connections_;
  metrics_.upstream_connections(settings_.provider.name, 1, 0);
  return true;
}

void Provider::queue(Call& call) { waiting_.push_back(&call); }

void Provider::leave_queue(Call& call) { std::erase(waiting_, &call); }

void Provider::wake_one() {
  if (waiting_.empty()) return;
  // Posted, not called: the caller is in the middle of ending another request.
  Call* next = waiting_.front();
  waiting_.pop_front();
  next->wake_later();
}

void Provider::drop(Connection::Pointer connection) {
  if (connection) connection->close();
  --connections_;
  metrics_.upstream_connections(settings_.provider.name, -1, 0);
  wake_one();
}

void Provider::keep(Connection::Pointer connection) {
  remember_session(*connection);
  rest(std::move(connection), false, {});
  wake_one();
}

void Provider::keep_after(Connection::Pointer connection, BodyReader reader) {
  rest(std::move(connection), true, reader);
}

void Provider::rest(Connection::Pointer connection, bool draining, BodyReader reader) {
  auto& list = draining ? draining_ : idle_;
  if (spare_.empty()) spare_.emplace_front();
  list.splice(list.begin(), spare_, spare_.begin());
  Resting& resting = list.front();
  resting = {this, std::move(connection), loop_.woken_at(), draining, reader, {}};
  resting.self = list.begin();
  resting.connection->on_readable(&Provider::stirred, &resting);
  resting.connection->wait_readable();
  if (!draining) metrics_.upstream_connections(settings_.provider.name, -1, 1);
}

void Provider::remove(std::list<Resting>::iterator resting) {
  resting->connection.reset();
  auto& list = resting->draining ? draining_ : idle_;
  if (spare_.size() < most_spare)
    spare_.splice(spare_.begin(), list, resting);
  else
    list.erase(resting);
}

void Provider::stirred(void* context) {
  auto& resting = *static_cast<Resting*>(context);
  Provider& owner = *resting.owner;
  const auto scratch = owner.loop_.scratch();
  const Transfer got = resting.connection->read(scratch);
  if (got.state == IoState::blocked) {  // a TLS session ticket, or nothing at all
    resting.connection->on_readable(&Provider::stirred, context);
    resting.connection->wait_readable();
    return;
  }
  Connection::Pointer connection = resting.connection;
  const bool draining = resting.draining;
  if (draining && got.state == IoState::ok) resting.reader.take(scratch.first(got.bytes));
  const bool ended = draining && resting.reader.reusable();
  const bool goes_on = draining && got.state == IoState::ok && resting.reader.state() == BodyReader::State::reading;
  if (goes_on) {
    connection->on_readable(&Provider::stirred, context);
    connection->wait_readable();
    return;
  }
  if (!draining) return owner.close_idle(resting.self);
  owner.remove(resting.self);
  if (ended) return owner.keep(connection);
  owner.drop(connection);
}

void Provider::close_idle(std::list<Resting>::iterator resting) {
  Connection::Pointer connection = resting->connection;
  remove(resting);
  metrics_.upstream_connections(settings_.provider.name, 1, -1);
  drop(connection);
}

void Provider::sweep(SteadyTime now) {
  while (!idle_.empty() && now - idle_.back().since > settings_.provider.pool.idle) close_idle(std::prev(idle_.end()));
  while (!draining_.empty() && now - draining_.back().since > drain_time) {
    Connection::Pointer old = draining_.back().connection;
    remove(std::prev(draining_.end()));
    drop(old);
  }
}

Result<SSL*> Provider::new_ssl() {
  SSL* ssl = SSL_new(tls_.get());
  if (!ssl) return Failure{FailureKind::internal, Source::gateway, "no memory for a TLS connection"};
  if (auto prepared = prepare_client(ssl, settings_.provider.host, settings_.provider.upstream_tls.server_name);
      !prepared) {
    SSL_free(ssl);
    return prepared.error();
  }
  if (session_) SSL_set_session(ssl, session_);
  SSL_set_connect_state(ssl);
  return ssl;
}

void Provider::remember_session(Connection& connection) {
  if (!connection.tls()) return;
  SSL_SESSION* session = SSL_get1_session(connection.ssl());
  if (session && SSL_SESSION_is_resumable(session)) std::swap(session, session_);
  if (session) SSL_SESSION_free(session);
}

}  // namespace tollgate::io
