// How answers reach the wire: framing, pacing, and the faults that are more than a status. Events are made while they
// are sent and the next batch waits for the last one to be taken, so a reader's pace is the stream's pace.
#include "simulator/delivery.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tollgate::simulator {

namespace {

constexpr std::size_t batch_bytes = 32 * 1024;
constexpr Millis slow_byte_gap{1};
constexpr std::size_t missing_bytes = 64;
constexpr std::size_t no_limit = static_cast<std::size_t>(-1);
constexpr std::string_view not_http = "\x16\x03 this is no HTTP response\r\n\r\n";

bool strikes_before_head(std::optional<Fault> fault) {
  return fault == Fault::hang_before_head || fault == Fault::reset_before_head || fault == Fault::close_before_head ||
         fault == Fault::garbage_head;
}

bool strikes_mid_stream(std::optional<Fault> fault) {
  return fault == Fault::hang_mid_stream || fault == Fault::reset_mid_stream || fault == Fault::close_mid_stream ||
         fault == Fault::short_without_done || fault == Fault::malformed_event || fault == Fault::error_event;
}

}  // namespace

Delivery::Delivery(Context context, Prepared prepared)
    : context_(std::move(context)),
      plan_(std::move(prepared.plan)),
      answer_(std::move(prepared.answer)),
      voice_(std::move(prepared.voice)) {}

Async<bool> Delivery::run() {
  if (answer_.events && plan_.early_head && !strikes_before_head(plan_.fault)) {
    if (const bool done = co_await send(stream_head()); !done) co_return false;
  }
  const SteadyTime first_token = context_.entry.received + jittered(plan_.first_token);
  if (const bool done = co_await context_.channel.pause_until(first_token); !done) co_return false;
  if (fault_is(Fault::hang_before_head)) co_return co_await hang();
  if (fault_is(Fault::reset_before_head)) co_return reset();
  if (fault_is(Fault::close_before_head)) co_return finish();
  if (fault_is(Fault::garbage_head)) {
    const bool sent = co_await send(not_http);
    co_return sent&& finish();
  }
  if (answer_.events) co_return co_await send_stream();
  co_return co_await send_whole();
}

Async<bool> Delivery::send_whole() {
  if (fault_is(Fault::error_event) || fault_is(Fault::error_first)) {
    answer_ = late_error_answer(voice_);
  }
  if (fault_is(Fault::malformed_event)) answer_.body.resize(answer_.body.size() / 2);
  const Micros pace = token_interval() * answer_.completion_tokens;
  if (const bool done = co_await context_.channel.pause_until(now() + jittered(pace)); !done) co_return false;

  const bool cut = fault_is(Fault::hang_mid_stream) || fault_is(Fault::reset_mid_stream) ||
                   fault_is(Fault::close_mid_stream) || fault_is(Fault::end_without_done) ||
                   fault_is(Fault::short_without_done);
  std::size_t part = answer_.body.size();
  if (cut) part /= 2;
  if (fault_is(Fault::role_then_hang) || fault_is(Fault::close_before_content)) part = 0;
  const std::size_t claimed = answer_.body.size() + (fault_is(Fault::wrong_length) ? missing_bytes : 0);
  std::string wire = head("content-length: " + std::to_string(claimed));
  wire.append(answer_.body, 0, part);
  if (const bool done = co_await send(wire); !done) co_return false;
  if (part == answer_.body.size()) {
    note_tokens(answer_.completion_tokens);
    context_.journal.tokens_sent(answer_.completion_tokens);
  }

  if (fault_is(Fault::hang_mid_stream) || fault_is(Fault::role_then_hang)) co_return co_await hang();
  if (fault_is(Fault::reset_mid_stream)) co_return reset();
  if (cut || fault_is(Fault::close_before_content) || fault_is(Fault::wrong_length)) co_return finish();
  co_return true;
}

Async<bool> Delivery::send_stream() {
  std::string out;
  if (!head_sent_) out = stream_head();
  event_.clear();
  if (fault_is(Fault::error_first)) {
    answer_.events->error(event_);
    frame(out, event_);
    co_return co_await end_stream(out);
  }
  answer_.events->opening(event_);
  frame(out, event_);
  if (fault_is(Fault::role_then_hang) || fault_is(Fault::close_before_content)) {
    if (const bool done = co_await send(out); !done) co_return false;
    if (fault_is(Fault::close_before_content)) co_return finish();
    co_return co_await hang();
  }

  due_ = now();
  const bool strikes = strikes_mid_stream(plan_.fault);
  const std::size_t limit = strikes ? plan_.fault_after : no_limit;
  if (const bool done = co_await send_tokens(out, limit); !done) co_return false;
  if (strikes) co_return co_await strike(out);

  event_.clear();
  answer_.events->finish(event_);
  answer_.events->usage(event_);
  if (!fault_is(Fault::end_without_done)) answer_.events->done(event_);
  frame(out, event_);
  co_return co_await end_stream(out);
}

/// What happens in the middle, after the tokens before it have been sent. `out` may still hold head and opening.
Async<bool> Delivery::strike(std::string& out) {
  // Named on purpose: GCC 12 lays out the frame wrongly if a coroutine awaits inside a condition and has no local at
  // all.
  const bool opened = co_await send(out);
  if (!opened) co_return false;
  out.clear();
  if (fault_is(Fault::hang_mid_stream)) co_return co_await hang();
  if (fault_is(Fault::reset_mid_stream)) co_return reset();
  if (fault_is(Fault::close_mid_stream)) co_return finish();
  if (fault_is(Fault::error_event)) {
    event_.clear();
    answer_.events->error(event_);
    frame(out, event_);
  }
  if (fault_is(Fault::malformed_event)) {
    event_.clear();
    answer_.events->malformed(event_);
    frame(out, event_);
    // The provider did not notice and goes on.
    if (const bool done = co_await send_tokens(out, no_limit); !done) co_return false;
    event_.clear();
    answer_.events->finish(event_);
    answer_.events->usage(event_);
    answer_.events->done(event_);
    frame(out, event_);
  }
  co_return co_await end_stream(out);
}

/// What is thought comes first.
void Delivery::note_tokens(std::size_t sent) {
  context_.entry.completion_tokens = sent;
  context_.entry.reasoning_tokens = std::min(sent, plan_.thinking_tokens);
}

/// Sends tokens until there are `limit` or none are left. Returns with `out` sent, or untouched if no token was due.
Async<bool> Delivery::send_tokens(std::string& out, std::size_t limit) {
  for (;;) {
    const SteadyTime time = now();
    std::size_t batch = 0;
    bool more = tokens_sent_ < limit;
    while (more && due_ <= time && out.size() < batch_bytes) {
      if (!append_token(out)) {
        more = false;
        break;
      }
      ++batch;
      due_ += jittered(token_interval());
      more = tokens_sent_ + batch < limit;
    }
    if (batch > 0) {
      if (const bool done = co_await send(out); !done) co_return false;
      out.clear();
      tokens_sent_ += batch;
      note_tokens(tokens_sent_);
      context_.journal.tokens_sent(batch);
    }
    if (!more) co_return true;
    if (const bool done = co_await context_.channel.pause_until(due_); !done) co_return false;
  }
}

/// Sends what is left and ends the body in order.
Async<bool> Delivery::end_stream(std::string& out) {
  const bool chunked = context_.http_1_1 && !fault_is(Fault::wrong_length);
  if (chunked) out.append("0\r\n\r\n");
  if (const bool done = co_await send(out); !done) co_return false;
  co_return chunked || finish();
}

Async<bool> Delivery::send(std::string_view bytes) {
  if (!fault_is(Fault::slow_bytes)) {
    const bool sent = co_await context_.channel.write(bytes);
    if (sent && context_.entry.first_byte == SteadyTime{}) context_.entry.first_byte = now();
    co_return sent;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (const bool done = co_await context_.channel.write(bytes.substr(i, 1)); !done) co_return false;
    if (context_.entry.first_byte == SteadyTime{}) context_.entry.first_byte = now();
    if (const bool done = co_await context_.channel.pause_until(now() + slow_byte_gap); !done) co_return false;
  }
  co_return true;
}

Async<bool> Delivery::hang() { co_return co_await context_.channel.pause_until(never); }

bool Delivery::finish() {
  context_.channel.finish(context_.owner);
  return true;
}

bool Delivery::reset() {
  context_.channel.reset();
  return true;
}

std::string Delivery::head(const std::string& framing) {
  head_sent_ = true;
  context_.entry.status = answer_.status;
  const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(answer_.status));
  const Micros elapsed = std::chrono::duration_cast<Micros>(now() - context_.entry.received);
  std::string head = context_.http_1_1 ? "HTTP/1.1 " : "HTTP/1.0 ";
  head.append(std::to_string(answer_.status)).append(" ").append(reason).append("\r\ncontent-type: ");
  head.append(answer_.content_type).append("\r\n").append(framing);
  if (voice_.dialect == Dialect::anthropic) {
    head.append("\r\nrequest-id: ").append(voice_.request_id);
    head.append("\r\nanthropic-organization-id: org-simulator");
  } else {
    head.append("\r\nx-request-id: ").append(voice_.request_id);
    head.append("\r\nopenai-version: 2020-10-01\r\nopenai-processing-ms: ");
    head.append(std::to_string(elapsed.count() / 1000));
  }
  for (const auto& [name, value] : answer_.fields) head.append("\r\n").append(name).append(": ").append(value);
  if (!context_.keep_alive) head.append("\r\nconnection: close");
  return head.append("\r\n\r\n");
}

std::string Delivery::stream_head() {
  // Longer than any answer that will be sent before the connection is closed.
  if (fault_is(Fault::wrong_length)) return head("content-length: 1000000000000");
  return head(context_.http_1_1 ? "transfer-encoding: chunked" : "connection: close");
}

void Delivery::frame(std::string& out, std::string_view payload) const {
  if (payload.empty()) return;  // an empty chunk would end the body
  const bool chunked = context_.http_1_1 && !fault_is(Fault::wrong_length);
  if (!chunked) {
    out.append(payload);
    return;
  }
  char size[16];
  const auto [end, error] = std::to_chars(size, size + sizeof size, payload.size(), 16);
  static_cast<void>(error);  // 16 digits hold every 64-bit size
  out.append(size, end).append("\r\n").append(payload).append("\r\n");
}

bool Delivery::append_token(std::string& out) {
  event_.clear();
  if (!answer_.events->token(event_)) return false;
  frame(out, event_);
  return true;
}

/// Same mean, `jitter` of it left to chance.
Micros Delivery::jittered(Micros wait) {
  if (plan_.jitter == 0 || wait.count() == 0) return wait;
  const double factor = 1 - plan_.jitter + 2 * plan_.jitter * plan_.random.unit();
  return Micros{static_cast<Micros::rep>(static_cast<double>(wait.count()) * factor)};
}

Micros Delivery::token_interval() const {
  if (plan_.tokens_per_second <= 0 || plan_.tokens_per_second >= unpaced_rate) return Micros{0};
  return Micros{static_cast<Micros::rep>(1e6 / plan_.tokens_per_second)};
}

Async<bool> deliver_replay(Delivery::Context context, Replay replay, Millis first_token) {
  Channel& channel = context.channel;
  if (const bool done = co_await channel.pause_until(context.entry.received + first_token); !done) co_return false;
  context.entry.status = replay.status;
  SteadyTime due = now();
  for (const std::string& piece : replay.pieces) {
    if (const bool done = co_await channel.pause_until(due); !done) co_return false;
    if (const bool done = co_await channel.write(piece); !done) co_return false;
    if (context.entry.first_byte == SteadyTime{}) context.entry.first_byte = now();
    due = now() + replay.gap;
  }
  switch (replay.then) {
    case Replay::Then::keep_open: break;
    case Replay::Then::close: channel.finish(context.owner); break;
    case Replay::Then::reset: channel.reset(); break;
    case Replay::Then::hang: co_return co_await channel.pause_until(never);
  }
  co_return true;
}

}  // namespace tollgate::simulator
