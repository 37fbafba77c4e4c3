// A request with an Idempotency-Key between being allowed and being admitted: it leads, waits for the one that leads,
// or is answered from what was kept. One call of the upstream is the promise; where it cannot be held, nothing is sent.
#include "tollgate/pipeline/idempotency.hpp"

#include "tollgate/base/decimal.hpp"
#include "tollgate/base/reuse.hpp"
#include "tollgate/pipeline/serve.hpp"
#include "tollgate/protocol/http/crossing.hpp"

#include "stages.hpp"

#include <algorithm>
#include <array>

namespace tollgate::pipeline {

using protocol::http::equals_ignoring_case;

namespace {

constexpr std::string_view header_name = "Idempotency-Key";

/// Of all that the key stands for. Lengths first, so that no two requests look alike.
Digest digest_of(const Exchange& exchange) {
  const std::string_view path = exchange.inbound.path;
  const Digest body = sha256(exchange.body.view());
  std::string text;
  text.append(Decimal(path.size()).text()).append(" ").append(path).append(" ");
  text.append(Decimal(exchange.inbound.query.size()).text()).append(" ").append(exchange.inbound.query).append(" ");
  text.append(reinterpret_cast<const char*>(body.data()), body.size());
  return sha256(text);
}

/// Of an answer's header lines those that are the provider's own or tell what the body is. What was left of a limit was
/// true then; ids and times are each request's own.
std::string lasting_fields(std::string_view fields) {
  constexpr std::string_view limits = "x-ratelimit-";
  std::string kept;
  while (!fields.empty()) {
    const std::string_view line = fields.substr(0, fields.find("\r\n") + 2);
    fields.remove_prefix(line.size());
    const std::string_view name = line.substr(0, line.find(':'));
    if (equals_ignoring_case(name.substr(0, limits.size()), limits)) continue;
    const bool of_stream =
        equals_ignoring_case(name, "cache-control") || equals_ignoring_case(name, "x-accel-buffering");
    if (of_stream || protocol::http::crosses_to_client(name)) kept += line;
  }
  return kept;
}

/// Whether the provider has judged the request itself, for good. The rest speaks of a moment or of a credential: the
/// same request may do better.
bool lasts(const Exchange& exchange, const KeptAnswer& answer) {
  constexpr std::array<std::uint16_t, 6> passing{401, 402, 403, 408, 409, 429};
  const Outcome outcome = exchange.record.outcome;
  return (outcome == Outcome::ok || outcome == Outcome::client_error) && answer.status < 500 &&
         std::find(passing.begin(), passing.end(), answer.status) == passing.end();
}

void replay(Exchange& exchange, const KeptAnswer& answer) {
  RequestRecord& record = exchange.record;
  record.phase = Phase::done;
  record.status = answer.status;
  record.outcome = answer.status < 400 ? Outcome::ok : Outcome::client_error;
  record.bytes_out = answer.body.size();
  const std::string more = answer.fields + "X-Tollgate-Idempotent-Replayed: true\r\n";
  const std::string_view body = answer.body;
  // All of it is there, a stream too: its length is known.
  exchange.client.begin(answer.status, answer_fields(exchange, more).view(), {.length = body.size()});
  exchange.client.write({&body, 1});
  exchange.client.end();
}

Failure refusal(std::string message, std::string code) {
  Failure failure{FailureKind::conflict, Source::client, std::move(message), std::move(code), std::string(header_name)};
  // SDKs try again after a 409.
  failure.final = true;
  return failure;
}

Result<void> obey(Exchange& exchange, const Verdict& verdict) {
  IdempotentClient& client = *exchange.inbound.idempotent;
  switch (verdict.turn) {
    case Turn::lead: client.record(); return {};
    case Turn::replay:
      client.set_replayed();
      replay(exchange, *verdict.answer);
      return {};
    case Turn::not_kept:
      return refusal(
          "a request with this Idempotency-Key was answered before, and its answer was not kept; use a new key to send "
          "it again",
          "idempotency_answer_not_kept");
    case Turn::conflict:
      return refusal(
          "this Idempotency-Key was sent with another path, query or body within the last 24 hours; use a new key",
          "idempotency_key_reused");
    case Turn::interrupted:
      return refusal(
          "the gateway ended while it served a request with this Idempotency-Key, and nobody knows whether that "
          "reached the provider; use a new key to send it again",
          "idempotency_interrupted");
    case Turn::unavailable: break;
  }
  Failure failure{FailureKind::overloaded, Source::gateway,
                  "the gateway cannot look up Idempotency-Keys at the moment; try again shortly"};
  failure.retry_after = seconds(1);
  return failure;
}

Failure not_waited_for(Woke woke) {
  if (woke == Woke::client_left) return {FailureKind::client_left, Source::client, "the client left"};
  if (woke == Woke::must_stop) return shutting_down();
  return {FailureKind::upstream_timeout, Source::gateway,
          "the request's deadline passed while another one with the same Idempotency-Key was under way"};
}

}  // namespace

Task<Result<void>> take_turn(Exchange& exchange) {
  IdempotentClient& client = *exchange.inbound.idempotent;
  if (!exchange.world->answers) co_return Result<void>();
  exchange.record.phase = Phase::queue;
  IdempotentRequest request;
  if (exchange.caller.tenant) request.scope = exchange.caller.tenant->name;
  request.key = client.key();
  request.body = digest_of(exchange);
  request.at = exchange.began_at;
  const SteadyTime began = exchange.alarm.now();
  client.take_place(exchange.world->answers->claim(std::move(request), exchange.point));
  while (!client.claim()->verdict()) {
    const Woke woke = co_await exchange.pause(exchange.deadline);
    if (woke == Woke::progress) continue;
    client.give_up();
    co_return not_waited_for(woke);
  }
  const Verdict& verdict = *client.claim()->verdict();
  // The upstream of another request is still an upstream that was waited for.
  if (verdict.waited) {
    const SteadyTime now = std::max(began, exchange.alarm.woken_at());
    exchange.record.waited_for_upstream += std::chrono::duration_cast<Micros>(now - began);
  }
  co_return obey(exchange, verdict);
}

void share_answer(Exchange& exchange, bool failed) {
  IdempotentClient& client = *exchange.inbound.idempotent;
  AnswerClaim* claim = client.claim();
  const bool led = claim && claim->verdict() && claim->verdict()->turn == Turn::lead;
  if (led && !failed && client.ended() && lasts(exchange, client.recorded())) {
    std::shared_ptr<KeptAnswer> answer;
    if (!client.too_long()) {
      answer = std::make_shared<KeptAnswer>(client.take_recorded());
      answer->fields = lasting_fields(answer->fields);
    }
    claim->finish(std::move(answer));
  }
  client.give_up();
}

void IdempotentClient::begin(std::uint16_t status, std::string_view fields, BodyForm form) {
  if (recording_) {
    answer_.status = status;
    answer_.fields = fields;
  }
  client_.begin(status, fields, form);
}

void IdempotentClient::write(std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) {
    if (!recording_ || too_long_) break;
    too_long_ = piece.size() > longest_answer - answer_.body.size();
    if (too_long_)
      release(answer_.body);
    else
      answer_.body += piece;
  }
  client_.write(pieces);
}

void IdempotentClient::end() {
  ended_ = recording_;
  client_.end();
}

}  // namespace tollgate::pipeline
