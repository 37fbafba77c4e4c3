// The session as the pipeline's client: reads the body under its limits, watches for the client's leaving, frames and
// sends the answer.
#include "tollgate/base/decimal.hpp"
#include "tollgate/protocol/http/chunked.hpp"

#include "session.hpp"
#include "status.hpp"

#include <algorithm>
#include <array>

namespace tollgate::server {

using io::IoState;
using protocol::http::ChunkedDecoder;
using protocol::http::Framing;

namespace {

// Bodies are taken in steps of this size at least, and counted against the common budget in such steps.
constexpr std::size_t body_step = 64 * 1024;
// What a client may send ahead while a request is being answered; beyond it nobody reads until the answer is out.
constexpr std::size_t ahead_limit = 64 * 1024;

Failure client_left() {
  return {FailureKind::client_left, Source::client, "the client left while it sent the request"};
}

Failure body_too_large(std::size_t limit) {
  return {FailureKind::too_large, Source::client,
          "the request body is larger than " + std::to_string(limit) + " bytes (server.max_body)"};
}

}  // namespace

bool Session::take_ready_body(ByteBuffer& into) {
  Request& request = *request_;
  const auto length = static_cast<std::size_t>(request.content_length);
  const bool ready = request.framing == Framing::length && inbox_.empty() && length <= rest_.size() &&
                     length <= settings().max_body && length <= body_step;
  if (!ready) return false;
  into = worker_.spare_buffer();
  into.append(rest_.substr(0, length));
  rest_.remove_prefix(length);
  request.body_read = true;
  return true;
}

Task<Result<void>> Session::read_body(ByteBuffer& into) {
  Request& request = *request_;
  if (request.framing == Framing::none) co_return Result<void>();
  if (request.framing == Framing::length && request.content_length > settings().max_body)
    co_return body_too_large(settings().max_body);
  if (request.expects_continue && inbox_.empty() && rest_.empty() && !request.http_1_0) {
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    send({&go_on, 1});
  }
  Result<void> read;
  if (request.framing == Framing::length)
    read = co_await read_known_length(into);
  else
    read = co_await read_chunked(into);
  if (read) request.body_read = true;
  co_return read;
}

Result<void> Session::take_budget(std::size_t held) {
  Request& request = *request_;
  while (held > request.budgeted + body_step) {
    if (!worker_.services().bodies.take(body_step, settings().max_bodies)) {
      Failure full{FailureKind::overloaded, Source::gateway,
                   "too many large requests at once (server.max_bodies); try again shortly"};
      full.retry_after = seconds(1);
      return full;
    }
    request.budgeted += body_step;
  }
  return {};
}

Task<Result<void>> Session::wait_for_body(SteadyTime body_began, std::size_t so_far) {
  // Some time for a start, then a least rate: a trickle must not hold memory for hours.
  const auto earned = std::chrono::milliseconds(so_far * 1000 / std::max<std::size_t>(1, settings().min_body_rate));
  const SteadyTime until = body_began + settings().body_timeout + earned;
  connection_->wait_readable();
  timer_.set(until);
  co_await point_.wait();
  if (worker_.cutting()) co_return pipeline::shutting_down();
  if (worker_.loop().now() >= until)
    co_return Failure{FailureKind::request_timeout, Source::client, "the request body came too slowly"};
  co_return Result<void>();
}

Task<Result<void>> Session::read_known_length(ByteBuffer& into) {
  const SteadyTime began = worker_.loop().woken_at();
  const auto length = static_cast<std::size_t>(request_->content_length);
  // What has come already; it may reach into the next request.
  std::string_view ready = inbox_.empty() ? rest_ : inbox_.view();
  ready = ready.substr(0, length);
  into.reserve(std::min(length, std::max(ready.size(), body_step)));
  into.append(ready);
  if (inbox_.empty())
    rest_.remove_prefix(ready.size());
  else
    inbox_.consume(ready.size());

  while (into.size() < length) {
    // Straight into its place. The block grows by moving pages, so a large body is never there twice.
    if (into.capacity() == into.size()) into.reserve(std::min(length, std::max(2 * into.size(), body_step)));
    // All that the next read may fill is paid for before it.
    if (auto budget = take_budget(into.capacity()); !budget) co_return budget.error();
    const auto room = into.room(1);
    const io::Transfer got = connection_->read(room.first(std::min(room.size(), length - into.size())));
    if (got.state == IoState::ok) {
      into.commit(got.bytes);
      continue;
    }
    if (got.state != IoState::blocked) {
      left_ = true;
      co_return client_left();
    }
    if (auto waited = co_await wait_for_body(began, into.size()); !waited) co_return waited.error();
  }
  co_return Result<void>();
}

Task<Result<void>> Session::read_chunked(ByteBuffer& into) {
  const SteadyTime began = worker_.loop().now();
  ChunkedDecoder decoder(ChunkedDecoder::Side::request);
  keep_rest();
  for (;;) {
    std::string_view bytes = inbox_.view();
    while (!bytes.empty() && decoder.state() == ChunkedDecoder::State::reading) {
      const auto step = decoder.step(bytes);
      if (step.consumed == 0) break;
      if (into.size() + step.content.size() > settings().max_body) co_return body_too_large(settings().max_body);
      into.append(step.content);
      bytes.remove_prefix(step.consumed);
    }
    inbox_.consume(inbox_.size() - bytes.size());
    if (decoder.state() == ChunkedDecoder::State::complete) co_return Result<void>();
    if (decoder.state() == ChunkedDecoder::State::malformed)
      co_return Failure{FailureKind::bad_request, Source::client,
                        "the request body's chunked framing is broken: " + std::string(decoder.reason())};
    if (auto budget = take_budget(into.size()); !budget) co_return budget.error();

    const auto scratch = worker_.loop().scratch();
    const io::Transfer got = connection_->read(scratch);
    if (got.state == IoState::ok) {
      inbox_.append({scratch.data(), got.bytes});
      continue;
    }
    if (got.state != IoState::blocked) {
      left_ = true;
      co_return client_left();
    }
    if (auto waited = co_await wait_for_body(began, into.size()); !waited) co_return waited.error();
  }
}

void Session::watch() {
  keep_rest();
  if (inbox_.size() < ahead_limit) connection_->wait_readable();
}

void Session::look() {
  if (left_ || inbox_.size() >= ahead_limit) return;
  const auto scratch = worker_.loop().scratch();
  const io::Transfer got = connection_->read(scratch);
  if (got.state == IoState::ok) inbox_.append({scratch.data(), got.bytes});
  if (got.state == IoState::closed || got.state == IoState::failed) {
    left_ = true;
    return;
  }
  if (inbox_.size() < ahead_limit) connection_->wait_readable();
}

void Session::begin(std::uint16_t status, std::string_view fields, pipeline::BodyForm form) {
  Request& request = *request_;
  request.begun = true;
  request.last_taken = worker_.loop().woken_at();
  request.chunked = form.streamed && !request.http_1_0;
  if (form.events && !std::exchange(request.events, true)) worker_.metrics().stream_opened();
  if (form.streamed && request.http_1_0) request.keep_alive = false;
  if (!request.body_read || worker_.draining()) request.keep_alive = false;

  ByteBuffer& head = request.reply_head;
  head.reserve(fields.size() + request.cors.size() + 256);
  head.append_all("HTTP/1.1 ", Decimal(status).text(), " ", reason_phrase(status),
                  "\r\nDate: ", worker_.date(std::chrono::system_clock::now()), "\r\n", fields, request.cors);
  if (request.chunked)
    head.append("Transfer-Encoding: chunked\r\n");
  else if (!form.streamed && status != 204)
    head.append_all("Content-Length: ", Decimal(form.length).text(), "\r\n");
  if (!request.keep_alive)
    head.append("Connection: close\r\n");
  else if (request.http_1_0)
    head.append("Connection: keep-alive\r\n");
  head.append("\r\n");
}

void Session::write(std::span<const std::string_view> pieces) {
  Request& request = *request_;
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (request.head_only) size = 0;
  if (size == 0 && request.reply_head.empty()) return;

  const protocol::http::ChunkHeader chunk(size);
  std::array<std::string_view, 16> few;
  std::vector<std::string_view> many;
  std::span<std::string_view> all(few);
  if (pieces.size() + 3 > few.size()) {
    many.resize(pieces.size() + 3);
    all = many;
  }
  std::size_t count = 0;
  all[count++] = request.reply_head.view();
  if (size > 0) {
    if (request.chunked) all[count++] = chunk.text();
    for (const std::string_view piece : pieces) all[count++] = piece;
    if (request.chunked) all[count++] = protocol::http::chunk_end;
  }
  send(all.first(count));
  request.reply_head.release();
}

void Session::end() {
  Request& request = *request_;
  if (!request.chunked || request.head_only) return write({});
  const std::string_view last[] = {request.reply_head.view(), protocol::http::last_chunk};
  send(last);
  request.reply_head.release();
}

void Session::abort() {
  request_->keep_alive = false;
  left_ = true;
  outbox_.release();
  connection_->reset();
}

void Session::send(std::span<const std::string_view> pieces) {
  if (left_) return;
  std::size_t at = 0, offset = 0;
  if (outbox_.empty()) {
    std::array<std::string_view, 64> window;
    while (at < pieces.size()) {
      std::size_t count = 0;
      for (std::size_t i = at; i < pieces.size() && count < window.size(); ++i)
        window[count++] = pieces[i].substr(i == at ? offset : 0);
      const io::Transfer sent = connection_->write(std::span(window).first(count));
      if (sent.state == IoState::blocked) break;
      if (sent.state != IoState::ok) {
        left_ = true;
        return;
      }
      if (sent.bytes > 0 && request_) request_->last_taken = worker_.loop().woken_at();
      std::size_t left = sent.bytes + offset;
      while (at < pieces.size() && left >= pieces[at].size()) left -= pieces[at++].size();
      offset = left;
    }
  }
  for (; at < pieces.size(); ++at, offset = 0) outbox_.append(pieces[at].substr(offset));
  if (!outbox_.empty()) connection_->wait_writable();
}

bool Session::drained() {
  if (outbox_.empty() || left_) return true;
  const std::string_view piece = outbox_.view();
  const io::Transfer sent = connection_->write({&piece, 1});
  if (sent.state == IoState::ok) {
    if (sent.bytes > 0) request_->last_taken = worker_.loop().woken_at();
    outbox_.consume(sent.bytes);
  } else if (sent.state != IoState::blocked) {
    left_ = true;
    return true;
  }
  if (outbox_.empty()) {
    outbox_.release();
    return true;
  }
  connection_->wait_writable();
  return false;
}

}  // namespace tollgate::server
