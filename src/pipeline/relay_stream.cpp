// Relays server-sent events. Bytes are kept: an event leaves as it came, or not at all. docs/decisions/0004 says why an
// unfinished event is held back.
#include "relay_stream.hpp"

#include "tollgate/pipeline/serve.hpp"
#include "tollgate/protocol/openai/closing.hpp"
#include "tollgate/protocol/openai/cost_splice.hpp"
#include "tollgate/protocol/openai/reply.hpp"

#include "candidates.hpp"
#include "relay_error.hpp"

namespace tollgate::pipeline {

using protocol::openai::StreamKind;

namespace {

// An unfinished event is held up to this size, and passed on as it comes beyond it.
constexpr std::size_t hold_limit = 64 * 1024;
// What stands for no event of any known API; images travel in single events of a few MB.
constexpr std::size_t event_limit = 16 * 1024 * 1024;

constexpr std::string_view stream_fields =
    "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
constexpr std::string_view done_event = "data: [DONE]\n\n";
constexpr std::string_view message_stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Its last word says nothing that was not said before.
bool ends_with_done(StreamKind kind) {
  return kind == StreamKind::chat || kind == StreamKind::completions || kind == StreamKind::messages;
}

}  // namespace

void StreamRelay::commit_head() {
  if (exchange_.client.begun()) return;
  exchange_.record.status = 200;
  exchange_.events_begun = true;
  add_answer_fields(exchange_, upstream_fields_);
  upstream_fields_.append(stream_fields);
  exchange_.client.begin(200, upstream_fields_.view(), {.streamed = true, .events = true});
  upstream_fields_.release();
}

void StreamRelay::heartbeat() {
  if (passed_ > 0) return;
  const std::string_view sign = protocol::heartbeat(exchange_.inbound.surface);
  exchange_.client.write({&sign, 1});
}

void StreamRelay::close_event() {
  constexpr std::string_view empty_line = "\n\n";
  if (passed_ > 0) exchange_.client.write({&empty_line, 1});
  passed_ = 0;
}

StreamRelay::State StreamRelay::take(std::string_view bytes) {
  while (state_ == State::open && !bytes.empty()) {
    const std::size_t end = scanner_.next_event_end(bytes);
    if (end == 0) {
      tail_.append(bytes);
      state_ = pass_unfinished();
      break;
    }
    const std::string_view part = bytes.substr(0, end);
    bytes.remove_prefix(end);
    if (passed_ > 0) {
      emit(part);
      passed_ = 0;
    } else if (tail_.empty()) {
      state_ = event(part);
    } else {
      tail_.append(part);
      state_ = event(tail_.view());
      flush();
      tail_.clear();
    }
  }
  flush();
  return state_;
}

StreamRelay::State StreamRelay::pass_unfinished() {
  if (passed_ + tail_.size() > event_limit) return fail("one event of its stream is larger than 16 MiB");
  if (passed_ == 0 && tail_.size() <= hold_limit) return State::open;
  // Too large for the usage chunk or a fault to report: it goes on as it comes.
  open_content();
  emit(tail_.view());
  passed_ += tail_.size();
  flush();
  tail_.release();
  return State::open;
}

StreamRelay::State StreamRelay::event(std::string_view bytes) {
  std::string_view text = bytes;
  if (first_event_ && text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  first_event_ = false;
  const protocol::SseEvent parsed = protocol::parse_sse_event(text);
  if (parsed.data_lines > 0) return data_event(bytes, text, parsed);
  // Comments are no content: they wait with the rest until there is some.
  if (opened_)
    emit(bytes);
  else
    hold(bytes);
  return State::open;
}

/// `text` is `bytes` without a mark before them.
StreamRelay::State StreamRelay::data_event(std::string_view bytes, std::string_view text,
                                           const protocol::SseEvent& event) {
  const StreamKind kind = exchange_.inbound.stream_kind;
  std::string joined;
  std::string_view data = event.data;
  if (event.data_lines > 1) data = joined = protocol::join_data(text);
  const auto meaning = protocol::openai::read_chunk(kind, event.name, data);

  if (meaning.usage && !usage_is_told_) protocol::merge(exchange_.record.usage, *meaning.usage);
  // What an unknown kind of stream sends need not be JSON.
  if (meaning.malformed && kind != StreamKind::opaque) return fail("an event of its stream is not valid JSON");
  if (meaning.usage_only && exchange_.strip_usage) return State::open;
  if (meaning.error && !opened_) {
    refusal_ = data;
    return State::refused;
  }
  if (meaning.done && !opened_ && ends_with_done(kind)) return fail("its stream ended without an answer");
  if (meaning.finish) ++finishes_;
  if (finished() || meaning.done) charge_.end_came();
  if (meaning.content) charge_.content_came();
  const bool content = meaning.content || meaning.finish || meaning.done;
  if (!content && !opened_) {
    hold(bytes);
    return State::open;
  }
  open_content();
  if (meaning.error) return failed_in_band(bytes);
  if (meaning.usage_only && tells_cost_)
    emit_with_cost(bytes, data);
  else
    emit(bytes);
  if (meaning.done) return done();
  return charge_.is_overrun() && ends_overrun() ? end_overrun(data) : State::open;
}

bool StreamRelay::ends_overrun() const {
  return effort_of(exchange_).ends_overrun && protocol::openai::can_be_closed(exchange_.inbound.stream_kind);
}

/// It has brought more than was asked for and held for it: the rest is nobody's money.
StreamRelay::State StreamRelay::end_overrun(std::string_view last) {
  const bool wants_usage = exchange_.scan.include_usage.value_or(false);
  const protocol::Usage usage = charge_.usage_so_far();
  const std::string events = protocol::openai::closing_events(exchange_.inbound.stream_kind, last,
                                                              exchange_.scan.choices, wants_usage ? &usage : nullptr);
  emit(events);
  return done();
}

/// The usage chunk with `cost_usd` in it.
void StreamRelay::emit_with_cost(std::string_view bytes, std::string_view data) {
  const auto cost = charge_.cost_so_far();
  const auto splice = cost ? protocol::openai::plan_cost(data, MoneyText(*cost).text()) : std::nullopt;
  const bool is_part = data.data() >= bytes.data() && data.data() + data.size() <= bytes.data() + bytes.size();
  if (!splice || !is_part) return emit(bytes);
  const auto before = static_cast<std::size_t>(data.data() - bytes.data());
  emit(bytes.substr(0, before + splice->where.begin));
  emit(splice->text);
  emit(bytes.substr(before + splice->where.end));
  flush();
}

StreamRelay::State StreamRelay::failed_in_band(std::string_view event) {
  const auto clean = without_secrets(exchange_, event);
  emit(clean ? *clean : event);
  flush();
  exchange_.record.outcome = Outcome::upstream_error;
  exchange_.record.ended_by = EndedBy::upstream;
  return done();
}

void StreamRelay::open_content() {
  if (opened_) return;
  opened_ = true;
  commit_head();
  exchange_.record.first_token = std::chrono::duration_cast<Micros>(exchange_.alarm.now() - exchange_.began);
  if (held_.empty()) return;
  emit(held_.view());
  flush();
  held_.release();
}

void StreamRelay::hold(std::string_view bytes) {
  held_.append(bytes);
  // More than an opening ever needs: it is passed on rather than kept.
  if (held_.size() > hold_limit) open_content();
}

void StreamRelay::emit(std::string_view bytes) {
  exchange_.record.bytes_out += bytes.size();
  // Neighbours in the read buffer leave as one piece.
  if (!out_.empty() && out_.back().data() + out_.back().size() == bytes.data())
    out_.back() = {out_.back().data(), out_.back().size() + bytes.size()};
  else
    out_.push_back(bytes);
}

void StreamRelay::flush() {
  if (out_.empty()) return;
  exchange_.client.write(out_);
  out_.clear();
}

StreamRelay::State StreamRelay::done() {
  charge_.settle_answered();
  flush();
  exchange_.client.end();
  return State::complete;
}

StreamRelay::State StreamRelay::upstream_ended() {
  if (state_ == State::open) complete_tail();
  if (state_ != State::open) return state_;
  const bool whole = (finished() && !in_event()) || !ends_with_done(exchange_.inbound.stream_kind);
  if (exchange_.inbound.stream_kind == StreamKind::responses || !whole)
    return state_ = fail("its stream ended before the answer was complete");
  if (!ends_with_done(exchange_.inbound.stream_kind)) {
    open_content();
    if (!tail_.empty()) emit(tail_.view());
    charge_.end_came();
    return state_ = done();
  }
  return state_ = finished_silently();
}

void StreamRelay::complete_tail() {
  // The last event may lack its empty line and nothing else. Of an unknown kind nobody can tell: it leaves as it came.
  if (passed_ > 0 || tail_.empty() || exchange_.inbound.stream_kind == StreamKind::opaque) return;
  constexpr std::string_view empty_line = "\n\n";
  const bool line_ended = tail_.view().ends_with('\n') || tail_.view().ends_with('\r');
  tail_.append(empty_line.substr(line_ended ? 1 : 0));
  state_ = event(tail_.view());
  flush();
  tail_.clear();
}

StreamRelay::State StreamRelay::finished_silently() {
  close_event();
  tail_.clear();
  emit(exchange_.inbound.stream_kind == StreamKind::messages ? message_stop : done_event);
  return state_ = done();
}

StreamRelay::State StreamRelay::fail(std::string message) {
  flush();
  failure_.reset(new Failure{FailureKind::upstream_error, Source::upstream, std::move(message)});
  return State::broken;
}

}  // namespace tollgate::pipeline
