// Errors in Anthropic's envelope. Its clients go by status and type; some look for words of Anthropic's in the message,
// so that one of a prompt that is too long begins with them.
#include "tollgate/protocol/anthropic/to_chat.hpp"
#include "tollgate/protocol/openai/reply.hpp"

#include "protocol/json_write.hpp"

#include <algorithm>
#include <array>

namespace tollgate::protocol::anthropic {
namespace {

using openai::ErrorInfo;

std::string_view type_of(std::uint16_t status) {
  switch (status) {
    case 401: return "authentication_error";
    case 402: return "billing_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 408:
    case 504: return "timeout_error";
    case 409: return "conflict_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503:
    case 529: return "overloaded_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
  }
}

bool names(const ErrorInfo& error, std::string_view word) {
  return error.type.find(word) != std::string::npos || error.code.find(word) != std::string::npos;
}

bool is_without_money(const ErrorInfo& error) {
  constexpr std::array<std::string_view, 5> words{"insufficient_quota", "credit_balance", "spend_limit", "usage_limit",
                                                  "billing_not_active"};
  return std::ranges::any_of(words, [&](std::string_view word) { return names(error, word); });
}

bool is_too_long(const ErrorInfo& error) {
  if (names(error, "context_length") || names(error, "exceed_context")) return true;
  constexpr std::array<std::string_view, 5> texts{"maximum context length", "context window", "context length",
                                                  "context size", "input is too long"};
  return std::ranges::any_of(texts,
                             [&](std::string_view text) { return error.message.find(text) != std::string::npos; });
}

/// Anthropic's status for what a chat provider says. 502 is no status of a provider's own: in a stream there is none.
std::uint16_t message_status(std::uint16_t status, const ErrorInfo& error) {
  if (is_without_money(error) && (status == 429 || status == 502)) return 402;
  if (status == 503) return 529;
  if (status == 422) return 400;
  if (status != 502) return status;
  if (names(error, "rate_limit")) return 429;
  if (names(error, "overloaded") || names(error, "service_unavailable")) return 529;
  if (names(error, "invalid_request") || names(error, "context_length")) return 400;
  return status;
}

std::string write_error(std::string_view type, std::string_view message, std::string_view code,
                        std::string_view request_id) {
  std::string body;
  json::Writer out(body);
  out.open_object().key("type").raw("\"error\"").key("error").open_object();
  out.key("type").text(type).key("message").text(message);
  if (!code.empty()) out.key("details").open_object().key("error_code").text(code).close_object();
  out.close_object();
  if (!request_id.empty()) out.key("request_id").text(request_id);
  out.close_object();
  return body;
}

/// A body that is no JSON: its words, where they are short ones and no page.
std::string plain_message(std::uint16_t status, std::string_view body) {
  constexpr std::size_t longest = 500;
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = std::min(body.find_first_not_of(blanks), body.size());
  body.remove_prefix(begin);
  body = body.substr(0, body.find_last_not_of(blanks) + 1);
  const bool markup = !body.empty() && std::string_view("<{[\"").find(body.front()) != std::string_view::npos;
  if (body.empty() || body.size() > longest || markup)
    return "the provider answered with status " + std::to_string(status);
  return std::string(body);
}

}  // namespace

std::string error_body(std::uint16_t status, std::string_view message, std::string_view request_id,
                       std::string_view code) {
  return write_error(type_of(status), message, code, request_id);
}

TranslatedError to_message_error(std::uint16_t status, std::string_view body, std::string_view request_id) {
  const auto error = openai::read_error(body);
  if (!error) {
    const std::uint16_t known = message_status(status, {});
    return {.status = known, .body = error_body(known, plain_message(status, body), request_id)};
  }
  const std::uint16_t known = message_status(status, *error);
  std::string message = error->message.empty() ? plain_message(status, {}) : error->message;
  constexpr std::string_view too_long = "prompt is too long";
  if (known == 400 && is_too_long(*error) && !message.starts_with(too_long))
    message.insert(0, std::string(too_long) + ": ");
  const std::string code = error->status ? std::string() : error->code;
  return {.status = known, .body = write_error(type_of(known), message, code, request_id)};
}

}  // namespace tollgate::protocol::anthropic
