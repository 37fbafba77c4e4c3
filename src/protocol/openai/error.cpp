#include "tollgate/protocol/openai/error.hpp"

#include "tollgate/protocol/openai/request.hpp"

namespace tollgate::protocol::openai {
namespace {

constexpr std::string_view invalid_request = "invalid_request_error";
constexpr std::string_view server_error = "server_error";

std::string quote_or_null(std::string_view text) { return text.empty() ? "null" : quote(text); }

}  // namespace

ErrorForm error_form(FailureKind kind) {
  switch (kind) {
    case FailureKind::bad_request: return {400, invalid_request, ""};
    case FailureKind::unauthorized: return {401, invalid_request, "invalid_api_key"};
    case FailureKind::not_allowed: return {403, invalid_request, "model_not_allowed"};
    case FailureKind::not_found: return {404, invalid_request, "unknown_url"};
    case FailureKind::model_not_found: return {404, invalid_request, "model_not_found"};
    case FailureKind::method_not_allowed: return {405, invalid_request, "method_not_allowed"};
    case FailureKind::request_timeout: return {408, invalid_request, "request_timeout"};
    case FailureKind::conflict: return {409, invalid_request, "conflict"};
    case FailureKind::too_large: return {413, invalid_request, "request_too_large"};
    case FailureKind::unsupported_media: return {415, invalid_request, "unsupported_media_type"};
    case FailureKind::rate_limited: return {429, "requests", "rate_limit_exceeded"};
    case FailureKind::client_left: return {499, invalid_request, "client_closed_request"};
    case FailureKind::internal: return {500, server_error, "internal_error"};
    case FailureKind::upstream_error: return {502, server_error, "upstream_error"};
    case FailureKind::no_upstream: return {503, server_error, "no_upstream_available"};
    case FailureKind::overloaded: return {503, server_error, "overloaded"};
    case FailureKind::upstream_timeout: return {504, server_error, "upstream_timeout"};
  }
  return {500, server_error, "internal_error"};  // GCOVR_EXCL_LINE: every kind has returned
}

std::string error_body(std::string_view message, std::string_view type, std::string_view param, std::string_view code) {
  return R"({"error":{"message":)" + quote(message) + R"(,"type":)" + quote(type) + R"(,"param":)" +
         quote_or_null(param) + R"(,"code":)" + quote_or_null(code) + "}}";
}

std::string error_body(const Failure& failure) {
  const ErrorForm form = error_form(failure.kind);
  return error_body(failure.message, failure.type.empty() ? form.type : failure.type, failure.param,
                    failure.code.empty() ? form.code : failure.code);
}

std::string error_frame(const Failure& failure) { return "data: " + error_body(failure) + "\n\n"; }

}  // namespace tollgate::protocol::openai
