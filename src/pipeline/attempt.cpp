// One attempt, from its start to the last byte handed to the client's side. Reading order: run(), then what it calls
// for each kind of progress, then the waits.
#include "attempt.hpp"

#include "tollgate/base/failpoint.hpp"
#include "tollgate/pipeline/serve.hpp"
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/retry_after.hpp"

#include "attempt_fields.hpp"
#include "error_status.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::pipeline {

using protocol::http::ResponseHead;

namespace {

// After finish_reason come a usage chunk and the end marker; an upstream that forgets them is not waited for longer.
constexpr Millis finish_grace{2000};

config::Timeouts timeouts_of(const config::Model& model, config::Timeouts timeouts) {
  timeouts.connect = model.connect.value_or(timeouts.connect);
  timeouts.first_token = model.first_token.value_or(timeouts.first_token);
  timeouts.idle = model.idle.value_or(timeouts.idle);
  timeouts.attempt = model.attempt.value_or(timeouts.attempt);
  return timeouts;
}

}  // namespace

Attempt::Attempt(Exchange& exchange)
    : exchange_(exchange),
      provider_(exchange.world->snapshot->providers[target().provider]),
      clock_(timeouts_of(*exchange.choice.model, provider_.timeouts), exchange.alarm.woken_at(), exchange.deadline,
             exchange.scan.stream),
      id_(Uuid::v7(exchange.began_at, exchange.random)),
      place_(exchange.record.attempts.size()),
      charge_(exchange, place_),
      stream_(exchange, charge_) {
  AttemptRecord& attempt = record().attempts.emplace_back();
  attempt.target = record().target;
  attempt.model = record().model;
  attempt.reason = exchange.choice.reason;
  attempt.id = id_;
  attempt.began = std::chrono::duration_cast<Micros>(clock_.began() - exchange.began);
  if (const auto own = exchange.own_credential(); !own.value.empty())
    attempt.credential = own.name;
  else if (exchange.choice.credential)
    attempt.credential = exchange.choice.credential->name;
}

Attempt::~Attempt() { put_down(outcome()); }

/// Of one that is over.
Outcome Attempt::outcome() const {
  if (failure_) return outcome_of(*failure_, stream_.opened());
  return exchange_.held ? outcome_of(exchange_.held->status) : exchange_.record.outcome;
}

void Attempt::put_down(Outcome outcome) {
  if (std::exchange(put_down_, true)) return;
  AttemptRecord& attempt = record().attempts[place_];
  attempt.outcome = outcome;
  attempt.ended = std::chrono::duration_cast<Micros>(exchange_.alarm.woken_at() - exchange_.began);
  charge_.settle(outcome, billed(), waste(outcome), status_);
  if (!call_) return;
  attempt.reused = call_->reused();
  attempt.replayed = call_->replayed();
}

/// An error costs nothing; what was sent and brought nothing may.
Billed Attempt::billed() const {
  if (status_ >= 400 || exchange_.held || !call_) return Billed::nothing;
  if (had_content_ || stream_.opened()) return Billed::answer;
  const Phase phase = call_->phase();
  const bool unsent = phase == Phase::queue || phase == Phase::connect || phase == Phase::send;
  return unsent ? Billed::nothing : Billed::unknown;
}

Waste Attempt::waste(Outcome outcome) const {
  if (outrun_) return Waste::hedge;
  if (body_ && body_->is_kept()) return Waste::retry;
  if (outcome == Outcome::ok) return Waste::none;
  if (outcome == Outcome::cancelled) return Waste::abandoned;
  const bool part_has_gone = stream_.opened() || (exchange_.client.begun() && !exchange_.events_begun);
  if (part_has_gone) return Waste::truncated;
  // Who is asked next is not known yet; whoever has others does not go back to the same one.
  return charge_.has_others() ? Waste::fallback : Waste::retry;
}

void Attempt::cut_off() {
  outrun_ = !is_over();
  put_down(is_over() ? outcome() : Outcome::cancelled);
  over_ = true;
  call_.reset();
}

void Attempt::start() {
  request_.attempt_id = id_.text();
  if (record().trace) request_.trace = &*record().trace;
  const config::Credential* credential = exchange_.choice.credential;
  if (const auto own = exchange_.own_credential(); !own.value.empty())
    request_.credential = own.value;
  else if (credential && credential != &provider_.credentials.front())
    request_.credential = credential->key.reveal();
  if (auto written = write_request(); !written) {
    failure_ = std::make_unique<Failure>(written.error());
    return;
  }
  for (const std::string_view piece : request_.body) request_.body_size += piece.size();
  request_.connect_timeout = clock_.connect_timeout();
  if (auto opened = charge_.open(); !opened) {
    failure_ = std::make_unique<Failure>(opened.error());
    return;
  }
  call_ = exchange_.world->providers[target().provider]->start(request_, exchange_.point);
}

Result<void> Attempt::write_request() {
  if (fit_of(exchange_.inbound, provider_.protocol) == Fit::same) {
    request_.path = exchange_.inbound.path;
    request_.query = exchange_.inbound.query;
    request_.fields = exchange_.inbound.fields.view();
    splices_ = std::move(exchange_.splices);
    request_.body = protocol::openai::apply_splices(exchange_.body.view(), splices_);
    return {};
  }
  adapter_ = Adapter::make(exchange_, provider_);
  auto adapted = adapter_->request();
  if (!adapted) {
    diagnosis_ = {policy::Remedy::another_target, policy::Blame::none};
    return adapted.error();
  }
  adapted_ = std::make_unique<Adapted>(std::move(*adapted), fields_for_others(exchange_.inbound.fields.view()));
  request_.path = adapter_->path();
  request_.fields = adapted_->fields;
  request_.body = {adapted_->body};
  return {};
}

bool Attempt::goes_on(const Result<void>& step) {
  if (!step) failure_ = std::make_unique<Failure>(step.error());
  return !over_ && !failure_;
}

Task<void> Attempt::run(SteadyTime patience) {
  for (bool on = !is_over(); on;) {
    if (!exchange_.client.drained()) {
      // Backpressure: nothing is read that the client has no room for.
      const SteadyTime until = exchange_.client.last_taken() + exchange_.world->snapshot->server.write_timeout;
      const Woke woke = co_await exchange_.pause(std::min(until, exchange_.deadline));
      on = goes_on(after_client_wait(woke));
      continue;
    }
    on = goes_on(advance());
    if (on && blocked_) {
      const SteadyTime limit = had_content_ ? never : patience;
      if (limit <= exchange_.alarm.woken_at()) co_return;
      const Woke woke = co_await exchange_.pause(std::min(before_wait(), limit));
      after_wait(woke);
      on = !is_over();
    }
  }
  if (!failure_) record().phase = Phase::done;
}

void Attempt::go_on_until_content() {
  bool on = !is_over();
  while (on && !had_content_) {
    on = goes_on(advance());
    if (blocked_) break;
  }
}

Result<void> Attempt::advance() {
  blocked_ = false;
  switch (call_->advance()) {
    case UpstreamCall::Progress::blocked: blocked_ = true; return {};
    case UpstreamCall::Progress::head:
      // What came behind the head lies in the shared buffer: it is taken before anything may wait.
      if (auto taken = take_head(call_->head()); !taken) return taken;
      return advance();
    case UpstreamCall::Progress::data: return take_data(call_->data());
    case UpstreamCall::Progress::end: return take_end();
    case UpstreamCall::Progress::failed: break;
  }
  const Failure& failure = call_->failure();
  return failure.source == Source::gateway ? failure : fail(failure.kind, failure.message);
}

Result<void> Attempt::take_head(const ResponseHead& head) {
  TOLLGATE_FAILPOINT("pipeline.answered");
  clock_.heard(exchange_.alarm.woken_at());
  if (head.status >= 400) {
    status_ = head.status;
    retry_after_ = protocol::retry_after(head.fields, exchange_.began_at);
  }
  const bool is_anthropic = provider_.protocol == config::Protocol::anthropic;
  const std::string_view id = head.fields.value(is_anthropic ? "request-id" : "x-request-id");
  if (is_plain_id(id)) record().upstream_request_id = loggable(exchange_, id);
  if (auto judged = judge_head(head); !judged) return judged;

  streaming_ = head.status == 200 && is_event_stream(head);
  ByteBuffer fields = crossing_fields(exchange_, head, streaming_, adapter_.get());
  // An error's fields are looked through with its body.
  if (head.status < 400 && may_hold_secrets(exchange_, fields.view())) {
    if (const auto clean = without_secrets(exchange_, fields.view())) {
      fields.clear();
      fields.append(*clean);
    }
  }
  if (streaming_) {
    stream_.upstream_fields(std::move(fields));
    if (!adapter_) return {};
    translator_ = adapter_->stream();
    stream_.usage_is_told();
    return {};
  }
  if (exchange_.client.begun() && head.status >= 400) diagnosis_ = policy::diagnose(head.status, {}, {}, {});
  if (exchange_.client.begun())
    return fail(FailureKind::upstream_error,
                "it answered with status " + std::to_string(head.status) + " when the stream had begun");
  plain_ = true;
  clock_.content();
  if (head.status >= 400) {
    error_ = std::make_unique<ErrorRelay>(exchange_, adapter_.get());
    error_->head(std::string(fields.view()), head);
  } else {
    note_content();
    body_ = std::make_unique<BodyRelay>(exchange_, charge_, adapter_.get());
    body_->head(head.status, std::move(fields), head);
  }
  return {};
}

Result<void> Attempt::judge_head(const ResponseHead& head) {
  // Passed on, a 401 would make the caller change the wrong key; unless the key is its own.
  const bool own = exchange_.caller.tenant && exchange_.caller.tenant->passes_credentials;
  if (!own && (head.status == 401 || head.status == 403)) {
    diagnosis_ = policy::diagnose(head.status, {}, {}, {});
    return fail(FailureKind::upstream_error, "it refused the gateway's credential; tell the operator of this gateway",
                "upstream_auth_failed");
  }
  if (head.status >= 300 && head.status < 400) {
    diagnosis_ = {policy::Remedy::another_target, policy::Blame::failure};
    return fail(FailureKind::upstream_error, "it answered with a redirect, and those are never followed");
  }
  return {};
}

Result<void> Attempt::take_data(std::string_view data) {
  clock_.heard(exchange_.alarm.woken_at());
  if (streaming_) {
    TOLLGATE_FAILPOINT("pipeline.mid_stream");
    charge_.checkpoint();
    return translator_ ? take_adapted(data) : settle(stream_.take(data));
  }
  if (error_) {
    over_ = !error_->take(data);
    return {};
  }
  body_->take(data);
  return judge_body();
}

Result<void> Attempt::take_adapted(std::string_view data) {
  translated_.clear();
  translator_->take(data, translated_);
  if (translator_->usage()) record().usage = translator_->usage();
  adapter_->keep(translator_->take_thoughts());
  // Nothing new is no reason to look at what is there.
  return judge_translation(translated_.empty() ? Result<void>() : settle(stream_.take(translated_)));
}

Result<void> Attempt::end_adapted() {
  translated_.clear();
  translator_->end(translated_);
  if (translator_->usage()) record().usage = translator_->usage();
  adapter_->keep(translator_->take_thoughts());
  if (auto relayed = judge_translation(settle(stream_.take(translated_))); !relayed || over_) return relayed;
  over_ = true;
  return settle(stream_.upstream_ended());
}

Result<void> Attempt::judge_translation(Result<void> relayed) {
  if (!relayed || over_ || translator_->fault().empty()) return relayed;
  return fail(FailureKind::upstream_error, std::string(translator_->fault()) + " of its stream cannot be understood");
}

/// A body that came in one piece has been looked at before its end.
Result<void> Attempt::judge_body() {
  if (body_->fault().empty()) return {};
  return fail(FailureKind::upstream_error, std::string(body_->fault()));
}

Result<void> Attempt::take_end() {
  TOLLGATE_FAILPOINT("pipeline.ended");
  if (translator_) return end_adapted();
  over_ = true;
  if (streaming_) return settle(stream_.upstream_ended());
  if (error_) {
    error_->ended();
    return {};
  }
  body_->ended();
  return judge_body();
}

/// What the provider has taken to begin its answer tells how it fares.
void Attempt::note_content() {
  if (std::exchange(had_content_, true) || !exchange_.choice.load) return;
  const SteadyTime now = exchange_.alarm.woken_at();
  exchange_.choice.load->sample(std::chrono::duration_cast<Micros>(now - clock_.began()), now);
}

AttemptResult Attempt::result() const {
  if (exchange_.held) return AttemptResult::no_answer;
  if (!failure_) return AttemptResult::answered;
  if (failure_->kind == FailureKind::client_left || exchange_.client.must_stop()) return AttemptResult::abandoned;
  const bool part_has_gone = stream_.opened() || (exchange_.client.begun() && !exchange_.events_begun);
  return part_has_gone ? AttemptResult::broken : AttemptResult::no_answer;
}

AttemptEnd Attempt::end() const {
  const bool too_slow = timeout_ != policy::Timeout::none && diagnosis_.blame != policy::Blame::none;
  AttemptEnd end{diagnosis_, timeout_, too_slow, retry_after_, had_content_, status_, {}};
  if (const auto& held = exchange_.held) {
    end.overload = held->status == 429 || held->status == 503 || held->status == 529;
    const std::string& words = held->said.empty() ? held->body : held->said;
    const auto said = protocol::openai::read_error(words).value_or(protocol::openai::ErrorInfo{});
    end.diagnosis = policy::diagnose(held->status, said.type, said.code, said.message);
    if (effort_of(exchange_).asks_others_of_refused_content &&
        policy::refuses_content(held->status, said.type, said.code))
      end.diagnosis = {policy::Remedy::another_target, policy::Blame::none};
    end.status = held->status;
    if (is_plain_id(said.code)) end.code = loggable(exchange_, said.code);
  } else if (failure_ && failure_->source == Source::gateway) {
    end.diagnosis = {policy::Remedy::another_target, policy::Blame::none};  // a full pool of ours
  }
  return end;
}

Result<void> Attempt::settle(StreamRelay::State state) {
  if (stream_.opened()) {
    note_content();
    clock_.content();
    // Nothing may be sent a second time now, and a stream may last for minutes.
    exchange_.body.release();
    exchange_.inbound.fields.release();
    adapted_.reset();
  }
  switch (state) {
    case StreamRelay::State::open:
      if (stream_.finished()) finished_at_ = std::min(finished_at_, exchange_.alarm.now());
      return {};
    case StreamRelay::State::complete:
      over_ = true;
      call_->finish();
      return {};
    case StreamRelay::State::refused: refuse(stream_.refusal()); return {};
    case StreamRelay::State::broken: break;
  }
  return fail(stream_.failure().kind, stream_.failure().message);
}

void Attempt::refuse(const std::string& body) {
  over_ = true;
  exchange_.held = std::make_unique<HeldAnswer>(HeldAnswer{
      status_of(body), "Content-Type: application/json\r\n", without_secrets(exchange_, body).value_or(body), {}});
}

SteadyTime Attempt::before_wait() {
  wait_began_ = exchange_.alarm.now();
  const Phase phase = call_->phase();
  record().phase = phase;
  if (phase != Phase::queue && phase != Phase::connect) clock_.connected(wait_began_);

  SteadyTime until = std::min(clock_.next(phase).when, sign_of_life());
  if (finished_at_ != never) until = std::min(until, finished_at_ + finish_grace);
  return until;
}

SteadyTime Attempt::sign_of_life() const {
  const auto& settings = exchange_.world->snapshot->server.stream;
  if (exchange_.events_begun) return stream_.in_event() ? never : exchange_.client.last_taken() + settings.heartbeat;
  const bool may_begin = exchange_.scan.stream && !plain_ && !exchange_.client.begun();
  return may_begin ? exchange_.began + settings.commit_after : never;
}

void Attempt::after_wait(Woke woke) {
  // What was processed between two wake-ups is the gateway's time, not the upstream's.
  const SteadyTime now = std::max(wait_began_, exchange_.alarm.woken_at());
  record().waited_for_upstream += std::chrono::duration_cast<Micros>(now - wait_began_);
  goes_on(woken(woke));
}

Result<void> Attempt::woken(Woke woke) {
  if (woke == Woke::progress) return {};
  if (woke == Woke::timer) return on_time(std::max(wait_began_, exchange_.alarm.woken_at()));
  return stop_for(woke);
}

Result<void> Attempt::after_client_wait(Woke woke) {
  if (woke == Woke::progress) return {};
  if (woke != Woke::timer) return stop_for(woke);
  record().phase = Phase::relay;
  return Failure{FailureKind::client_left, Source::client, "the client took nothing for too long"};
}

Result<void> Attempt::on_time(SteadyTime now) {
  const AttemptClock::Due due = clock_.next(call_->phase());
  if (finished_at_ != never && now >= std::min(due.when, finished_at_ + finish_grace)) {
    over_ = true;
    return settle(stream_.finished_silently());
  }
  if (now >= due.when) {
    record().phase = due.phase;
    const bool unsent = due.phase == Phase::queue || due.phase == Phase::connect;
    timeout_ = unsent ? policy::Timeout::connecting : policy::Timeout::answering;
    // How long a client wants to wait says nothing of the target.
    if (due.deadline) diagnosis_.blame = policy::Blame::none;
    const std::string what = due.deadline ? "the request's deadline passed" : "it did not go on in time";
    return fail(FailureKind::upstream_timeout, what + " (phase: " + std::string(name_of(due.phase)) + ")");
  }
  if (now < sign_of_life()) return {};
  if (exchange_.events_begun) {
    stream_.heartbeat();
  } else {
    stream_.commit_head();
    exchange_.client.write({});  // the head has nothing to wait for
  }
  return {};
}

Result<void> Attempt::stop_for(Woke woke) {
  if (woke == Woke::client_left) return Failure{FailureKind::client_left, Source::client, "the client left"};
  stream_.close_event();
  return shutting_down();
}

Failure Attempt::fail(FailureKind kind, std::string what, std::string code) {
  stream_.close_event();
  return {kind, Source::upstream, "provider '" + provider_.name + "': " + std::move(what), std::move(code)};
}

}  // namespace tollgate::pipeline
