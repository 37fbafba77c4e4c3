// One attempt at one provider. Every state is one function that makes progress or says why not; advance() is the loop
// over them.
#include "call.hpp"

#include "tollgate/base/errno_text.hpp"
#include "tollgate/base/failpoint.hpp"
#include "tollgate/io/loop.hpp"
#include "tollgate/io/resolver.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tollgate::io {

using pipeline::Phase;
using protocol::http::ParseState;

namespace {

constexpr protocol::http::Limits response_limits{.max_head = 64 * 1024};

}  // namespace

Call::Call(std::shared_ptr<Provider> provider, const pipeline::UpstreamRequest& request, WaitPoint& point)
    : provider_(std::move(provider)),
      point_(point),
      request_(request),
      connect_timeout_(request.connect_timeout),
      address_timer_(provider_->loop().timers(), point) {}

Call::~Call() {
  if (token_) token_->point = nullptr;
  if (state_ == State::queued) provider_->leave_queue(*this);
  close_connection();
}

const std::shared_ptr<Call::Token>& Call::token() {
  if (!token_) token_ = std::make_shared<Token>(Token{&point_});
  return token_;
}

void Call::wake_later() {
  provider_->loop().post([token = token()] {
    if (token->point) token->point->signal(Signal::upstream_ready);
  });
}

Phase Call::phase() const {
  switch (state_) {
    case State::begin:
    case State::queued: return Phase::queue;
    case State::resolving:
    case State::connecting:
    case State::handshaking: return Phase::connect;
    case State::sending: return Phase::send;
    case State::awaiting_head: return Phase::first_byte;
    case State::failed: return failed_in_;
    default: return Phase::relay;
  }
}

Call::Progress Call::advance() {
  for (;;) {
    Step step = Step::again;
    switch (state_) {
      case State::begin:
      case State::queued: step = begin(); break;
      case State::resolving: step = resolve(); break;
      case State::connecting: step = connecting(); break;
      case State::handshaking: step = handshaking(); break;
      case State::sending: step = send(); break;
      case State::awaiting_head: step = read_head(); break;
      case State::body: step = read_body(); break;
      case State::ended: step = Step::end; break;
      case State::failed: step = Step::failed; break;
    }
    switch (step) {
      case Step::again: continue;
      case Step::blocked: return Progress::blocked;
      case Step::head: return Progress::head;
      case Step::data: return Progress::data;
      case Step::end: return Progress::end;
      case Step::failed: return Progress::failed;
    }
  }
}

Call::Step Call::begin() {
  if (Connection::Pointer idle = provider_->take_idle()) {
    reused_ = true;
    holds_slot_ = true;
    attach(std::move(idle));
    state_ = State::sending;
    return Step::again;
  }
  return open();
}

Call::Step Call::open() {
  if (!holds_slot_) {
    if (!provider_->take_slot()) {
      provider_->leave_queue(*this);  // woken without room, another call was quicker: to the back
      provider_->queue(*this);
      state_ = State::queued;
      return Step::blocked;
    }
    provider_->leave_queue(*this);
    holds_slot_ = true;
  }
  next_address_ = 0;
  state_ = State::resolving;
  return Step::again;
}

Call::Step Call::resolve() {
  const std::string& host = provider_->settings().host;
  const auto addresses = provider_->resolver().current(host);
  if (addresses && !addresses->empty()) return connect_next();
  if (addresses || !provider_->resolver().last_error(host).empty()) return fail("its name could not be resolved");
  // From a resolver thread: the loop is told, and finds out there whether the call still lives.
  provider_->resolver().when_known(host, [token = token(), &loop = provider_->loop()] {
    loop.post([token] {
      if (token->point) token->point->signal(Signal::upstream_ready);
    });
  });
  return Step::blocked;
}

Call::Step Call::connect_next() {
  const auto addresses = provider_->resolver().current(provider_->settings().host);
  connection_.reset();
  while (addresses && next_address_ < addresses->size()) {
    Address address = (*addresses)[next_address_++];
    address.set_port(provider_->settings().port);
    const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor >= 0 && is_reserved(descriptor)) {
      ::close(descriptor);
      errno = EMFILE;
      return fail_here();
    }
    if (descriptor < 0) return fail_here();
    set_tcp_options(descriptor);
    const int result = ::connect(descriptor, address.data(), address.size());
    if (result != 0 && errno != EINPROGRESS) {
      last_error_ = errno_text();
      ::close(descriptor);
      continue;
    }
    attach(new Connection(provider_->loop(), descriptor));
    // A silent address may use up its share of the time only, so that every address gets its turn.
    if (addresses->size() > 1)
      address_timer_.set(provider_->loop().now() + connect_timeout_ / static_cast<Millis::rep>(addresses->size()));
    state_ = State::connecting;
    connection_->wait_writable();
    return Step::blocked;
  }
  provider_->resolver().refresh_now(provider_->settings().host);
  return fail("no connection (" + (last_error_.empty() ? "no address" : last_error_) + ")");
}

Call::Step Call::connecting() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (connection_->connected() != IoState::ok) {
    last_error_ = connection_->error();
    connection_->close();
    return connect_next();
  }
  if (::getpeername(connection_->descriptor(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
    // Still under way; woken by something else, or this address has had its time.
    if (address_timer_.deadline() == never && next_address_ > 0) {
      const auto addresses = provider_->resolver().current(provider_->settings().host);
      if (addresses && addresses->size() > 1 && next_address_ < addresses->size()) {
        last_error_ = "timed out";
        connection_->close();
        return connect_next();
      }
    }
    connection_->wait_writable();
    return Step::blocked;
  }
  address_timer_.clear();
  TOLLGATE_FAILPOINT("upstream.connected");
  if (!provider_->settings().tls) {
    state_ = State::sending;
    return Step::again;
  }
  auto ssl = provider_->new_ssl();
  if (!ssl) return fail(ssl.error().message);
  connection_->start_tls(*ssl);
  state_ = State::handshaking;
  return Step::again;
}

Call::Step Call::handshaking() {
  switch (connection_->handshake()) {
    case IoState::ok: state_ = State::sending; return Step::again;
    case IoState::blocked: connection_->wait_handshake(); return Step::blocked;
    default: return fail("TLS handshake failed (" + connection_->error() + ")");
  }
}

/// What has not gone out yet, as many pieces as there is room for.
std::size_t Call::gather(std::span<std::string_view> pieces) const {
  std::size_t count = 0, skip = sent_;
  const auto add = [&](std::string_view piece) {
    const std::size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    if (skipped < piece.size() && count < pieces.size()) pieces[count++] = piece.substr(skipped);
  };
  add(provider_->request_head(request_));
  for (const std::string_view piece : request_.body) add(piece);
  return count;
}

Call::Step Call::send() {
  for (;;) {
    std::array<std::string_view, 16> pieces;
    const std::size_t count = gather(pieces);
    if (count == 0) break;
    const Transfer sent = connection_->write(std::span(pieces).first(count));
    if (sent.state == IoState::blocked) {
      // An upstream that refuses early stops reading: its answer must not wait for the rest of the request.
      connection_->wait_writable();
      connection_->wait_readable();
      early_ = true;
      return read_head();
    }
    if (sent.state != IoState::ok) {
      // The answer may have come before the connection was reset.
      early_ = true;
      last_error_ = connection_->error();
      awaiting_ = false;
      return read_head();
    }
    sent_ += sent.bytes;
  }
  TOLLGATE_FAILPOINT("upstream.sent");
  early_ = false;
  awaiting_ = true;
  state_ = State::awaiting_head;
  return Step::again;
}

Call::Step Call::read_head() {
  if (awaiting_) {
    awaiting_ = false;
    return block();
  }
  const auto scratch = provider_->loop().scratch();
  const Transfer got = connection_->read(scratch);
  switch (got.state) {
    case IoState::blocked:
      if (state_ == State::sending) return Step::blocked;  // both waits are armed
      return block();
    case IoState::closed: return lost("the connection was closed before an answer came");
    case IoState::failed: return lost(connection_->error());
    case IoState::ok: break;
  }
  got_bytes_ = true;
  if (partial_.empty()) return take_head(scratch.first(got.bytes));
  partial_.append({scratch.data(), got.bytes});
  return take_head({partial_.data(), partial_.size()});
}

Call::Step Call::take_head(std::span<char> bytes) {
  protocol::http::ResponseHead& head = provider_->head();
  std::size_t skipped = 0;
  for (;;) {
    const std::string_view rest(bytes.data() + skipped, bytes.size() - skipped);
    // Interim answers count against the limit too, or a flood of them would never end.
    protocol::http::Limits limits = response_limits;
    limits.max_head -= std::min(limits.max_head, skipped);
    const auto parsed = protocol::http::parse_response_head(rest, limits, "POST", head);
    if (parsed.state == ParseState::refused)
      return fail("its answer is not valid HTTP (" + std::string(parsed.refusal.reason) + ")");
    if (parsed.state == ParseState::need_more) {
      if (bytes.data() != partial_.data()) partial_.append({bytes.data(), bytes.size()});
      if (partial_.size() >= response_limits.max_head) return fail("the head of its answer is too large");
      return connection_->more_to_read() ? Step::again : block();
    }
    skipped += parsed.size;
    if (head.status == 101) return fail("it switched protocols without being asked");
    if (head.status >= 200) break;
  }
  state_ = State::body;
  reader_ = BodyReader(head);
  keep_alive_ = head.keep_alive;
  leftover_ = bytes.subspan(skipped);
  return Step::head;
}

Call::Step Call::read_body() {
  if (!leftover_.empty()) return deliver(std::exchange(leftover_, {}));
  if (reader_.state() == BodyReader::State::complete) return ended();
  if (awaiting_) {
    awaiting_ = false;
    return block();
  }
  const auto scratch = provider_->loop().scratch();
  const Transfer got = connection_->read(scratch);
  switch (got.state) {
    case IoState::blocked: return block();
    case IoState::failed:
      return fail("the connection broke in the middle of its answer (" + connection_->error() + ")");
    case IoState::closed:
      reader_.closed();
      if (reader_.state() == BodyReader::State::complete) return ended();
      return fail("the connection was closed in the middle of its answer");
    case IoState::ok: break;
  }
  return deliver(scratch.first(got.bytes));
}

Call::Step Call::deliver(std::span<char> bytes) {
  data_ = reader_.take(bytes);
  if (reader_.state() == BodyReader::State::malformed) return fail("the chunked framing of its answer is broken");
  awaiting_ = reader_.state() == BodyReader::State::reading && !connection_->more_to_read();
  return data_.empty() ? Step::again : Step::data;
}

Call::Step Call::ended() {
  state_ = State::ended;
  const bool reusable = reader_.reusable() && keep_alive_ && !early_;
  holds_slot_ = false;
  if (reusable)
    provider_->keep(std::exchange(connection_, nullptr));
  else
    provider_->drop(std::exchange(connection_, nullptr));
  return Step::end;
}

void Call::finish() {
  if (state_ != State::body) return;
  if (leftover_.empty() && reader_.state() == BodyReader::State::complete) {
    ended();
    return;
  }
  if (!leftover_.empty()) reader_.take(std::exchange(leftover_, {}));
  state_ = State::ended;
  holds_slot_ = false;
  const bool may_end = reader_.state() == BodyReader::State::reading && keep_alive_ && !early_;
  if (may_end)
    provider_->keep_after(std::exchange(connection_, nullptr), reader_);
  else
    provider_->drop(std::exchange(connection_, nullptr));
}

Call::Step Call::fail(std::string message) {
  failed_in_ = phase();
  state_ = State::failed;
  failure_.reset(new Failure{FailureKind::upstream_error, Source::upstream, std::move(message)});
  close_connection();
  return Step::failed;
}

Call::Step Call::fail_here() {
  const bool out_of_descriptors = errno == EMFILE || errno == ENFILE;
  fail(out_of_descriptors ? "the gateway has run out of open files; try again shortly"
                          : std::string("no socket: ") + errno_text());
  failure_->kind = FailureKind::overloaded;
  failure_->source = Source::gateway;
  failure_->retry_after = seconds(1);
  return Step::failed;
}

Call::Step Call::lost(const std::string& why) {
  // The peer may close an idle connection at any time: a request that ran into that has not been seen by anybody.
  if (reused_ && !replayed_ && !got_bytes_) {
    replayed_ = true;
    reused_ = false;
    connection_->close();
    connection_.reset();
    sent_ = 0;
    early_ = false;
    return open();
  }
  return fail(last_error_.empty() ? why : last_error_);
}

void Call::attach(Connection::Pointer connection) {
  connection_ = std::move(connection);
  connection_->listen(&point_, Signal::upstream_ready, Signal::upstream_ready);
}

void Call::close_connection() {
  if (connection_) connection_->reset();
  if (holds_slot_) {
    holds_slot_ = false;
    provider_->drop(nullptr);
  }
  connection_.reset();
}

Call::Step Call::block() {
  connection_->wait_readable();
  return Step::blocked;
}

}  // namespace tollgate::io
