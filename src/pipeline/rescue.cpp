#include "tollgate/pipeline/serve.hpp"
#include "tollgate/protocol/openai/error.hpp"
#include "tollgate/protocol/surface.hpp"

#include "account.hpp"
#include "error_status.hpp"

namespace tollgate::pipeline {

namespace {

EndedBy ended_by(Source source) {
  switch (source) {
    case Source::client: return EndedBy::client;
    case Source::upstream: return EndedBy::upstream;
    case Source::gateway: break;
  }
  return EndedBy::gateway;
}

std::string retry_fields(const Failure& failure) {
  std::string fields = failure.final ? "X-Should-Retry: false\r\n" : "";
  if (!failure.retry_after) return fields;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*failure.retry_after).count();
  return fields + "Retry-After: " + std::to_string(std::max<std::int64_t>(1, seconds)) + "\r\n";
}

}  // namespace

void rescue(Exchange& exchange, const Failure& failure) {
  RequestRecord& record = exchange.record;
  const auto form = protocol::openai::error_form(failure.kind);
  const std::uint16_t status = failure.status != 0 ? failure.status : form.status;
  record.outcome = outcome_of(failure, exchange.client.begun() && (record.first_token || !record.stream));
  record.ended_by = ended_by(failure.source);
  record.error_code = failure.code.empty() ? std::string(form.code) : failure.code;
  if (failure.kind == FailureKind::client_left || !exchange.client.begun()) record.status = status;
  close_account(exchange);
  if (failure.kind == FailureKind::client_left) {
    exchange.client.abort();
    return;
  }
  if (exchange.client.begun() && !exchange.events_begun) {
    // Half an answer that is no stream has no place for words: it must look broken.
    exchange.client.abort();
    return;
  }
  const protocol::Surface surface = exchange.inbound.surface;
  const std::string body = protocol::error_body(surface, failure, status, record.request_id);
  if (exchange.client.begun()) {
    const std::string frame = protocol::error_event(surface, body);
    const std::string_view piece = frame;
    record.bytes_out += piece.size();
    exchange.client.write({&piece, 1});
    exchange.client.end();
    return;
  }
  const std::string_view piece = body;
  record.bytes_out += piece.size();
  const std::string more = retry_fields(failure) + "Content-Type: application/json\r\n";
  exchange.client.begin(status, answer_fields(exchange, more).view(), {.length = body.size()});
  exchange.client.write({&piece, 1});
  exchange.client.end();
}

}  // namespace tollgate::pipeline
