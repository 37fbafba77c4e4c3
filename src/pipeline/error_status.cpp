#include "error_status.hpp"

#include "tollgate/protocol/openai/reply.hpp"

namespace tollgate::pipeline {

std::uint16_t status_of(std::string_view error_json) {
  const auto error = protocol::openai::read_error(error_json);
  if (!error) return 502;
  // 401 and 403 speak of the gateway's credential, which is none of the client's business.
  if (error->status && *error->status >= 400 && *error->status < 600 && *error->status != 401 && *error->status != 403)
    return static_cast<std::uint16_t>(*error->status);
  const auto says = [&error](std::string_view word) {
    return error->type.find(word) != std::string::npos || error->code.find(word) != std::string::npos;
  };
  if (says("rate_limit") || says("insufficient_quota")) return 429;
  // The whole service is, not this credential alone: it need not cool.
  if (says("overloaded")) return error->type == "overloaded_error" ? 529 : 503;
  if (says("invalid_request") || says("context_length")) return 400;
  return 502;
}

Outcome outcome_of(const Failure& failure, bool content_sent) {
  if (failure.kind == FailureKind::client_left) return Outcome::cancelled;
  if (content_sent) return Outcome::truncated;
  switch (failure.kind) {
    case FailureKind::internal: return Outcome::internal;
    case FailureKind::upstream_timeout: return Outcome::timeout;
    case FailureKind::rate_limited:
    case FailureKind::overloaded:
    case FailureKind::no_upstream: return Outcome::limited;
    case FailureKind::upstream_error: return Outcome::upstream_error;
    default: return Outcome::client_error;
  }
}

Outcome outcome_of(std::uint16_t status) {
  return status < 500 && status != 429 ? Outcome::client_error : Outcome::upstream_error;
}

}  // namespace tollgate::pipeline
