// Errors of Anthropic's API in OpenAI's words. The type decides, since it is what the provider means by it; the status
// does where there is no type that is known.
#include "tollgate/protocol/anthropic/chat_answer.hpp"
#include "tollgate/protocol/openai/error.hpp"
#include "tollgate/protocol/openai/reply.hpp"

#include "protocol/anthropic/answer/chat_parts.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <array>

namespace tollgate::protocol::anthropic {

using namespace answer;
namespace {

using openai::ErrorForm;

struct Row {
  std::string_view type;
  std::uint16_t status;
  ErrorForm form;
};

constexpr std::string_view invalid_request = "invalid_request_error";
constexpr ErrorForm refused_credential{502, "upstream_error", "upstream_auth_failed"};
constexpr ErrorForm without_money{429, "insufficient_quota", "insufficient_quota"};
constexpr ErrorForm too_long{400, invalid_request, "context_length_exceeded"};
constexpr ErrorForm no_model{404, invalid_request, "model_not_found"};

constexpr std::array rows{
    Row{"invalid_request_error", 400, {400, invalid_request, ""}},
    Row{"authentication_error", 401, refused_credential},
    Row{"billing_error", 402, without_money},
    Row{"permission_error", 403, refused_credential},
    Row{"not_found_error", 404, {404, invalid_request, ""}},
    Row{"conflict_error", 409, {409, invalid_request, "conflict"}},
    Row{"request_too_large", 413, {413, invalid_request, "request_too_large"}},
    Row{"rate_limit_error", 429, {429, "rate_limit_error", "rate_limit_exceeded"}},
    Row{"api_error", 500, {500, "server_error", "internal_error"}},
    Row{"timeout_error", 504, {504, "server_error", "upstream_timeout"}},
    Row{"overloaded_error", 529, {503, "service_unavailable_error", "server_is_overloaded"}},
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// It is the account that is exhausted: trying again is of no use.
bool is_without_money(std::string_view detail, std::string_view message) {
  return contains(detail, "spend_limit_reached") || contains(message, "credit balance is too low");
}

bool is_too_long(std::string_view message) {
  return contains(message, "prompt is too long") || contains(message, "exceed context limit") ||
         contains(message, "exceeds the context window");
}

/// Of the statuses that are in no row.
ErrorForm form_of(std::uint16_t status) {
  if (status >= 400 && status < 500) return {status, invalid_request, ""};
  if (status >= 500 && status < 600) return {status, "server_error", ""};
  return {502, "server_error", "upstream_error"};
}

ErrorForm form_of(std::uint16_t status, std::string_view type) {
  auto row = std::ranges::find(rows, type, &Row::type);
  if (row == rows.end()) row = std::ranges::find(rows, status, &Row::status);
  if (row == rows.end()) return form_of(status);
  // It stands for all that goes wrong there.
  if (row->type == "api_error" && status > 500 && status < 529) return form_of(status);
  return row->form;
}

/// What a proxy on the way says in words; pages and broken JSON are no words.
std::string plain_text(std::string_view body) {
  constexpr std::size_t longest = 1000;
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = std::min(body.find_first_not_of(blanks), body.size());
  body = body.substr(begin, body.find_last_not_of(blanks) + 1 - begin);
  if (body.empty() || contains("<{[\"", body.substr(0, 1))) return {};
  std::size_t at = 0;
  while (at < std::min(body.size(), longest)) {
    const std::size_t length = json::utf8_length(body.substr(at));
    const auto byte = static_cast<unsigned char>(body[at]);
    if (length == 0 || byte == 0x7F || (byte < 0x20 && !contains(blanks, body.substr(at, 1)))) return {};
    at += length;
  }
  return std::string(body.substr(0, at));
}

std::string message_of(std::uint16_t status, std::string_view body, const openai::ErrorInfo& error) {
  if (!error.message.empty()) return error.message;
  const std::string text = plain_text(body);
  return text.empty() ? "the provider answered with status " + std::to_string(status) : text;
}

/// `error.details.error_code`, where it is a plain word.
std::string detail_of(std::string_view body) {
  const json::Value error = json::pick(body, "error");
  const json::Value details = json::pick(error.text, "details");
  return json::decode_lossy(inside_of(json::pick(details.text, "error_code")));
}

struct Meaning {
  ErrorForm form;
  std::string_view param = {};
};

Meaning meaning_of(const ErrorForm& form, std::string_view message, std::string_view detail) {
  if ((form.status == 400 || form.status == 429) && is_without_money(detail, message)) return {without_money};
  if (form.status == 400 && is_too_long(message)) return {too_long, "messages"};
  if (form.status == 404 && message.starts_with("model")) return {no_model, "model"};
  return {form};
}

}  // namespace

TranslatedError to_chat_error(std::uint16_t status, std::string_view body, bool own_credential) {
  const openai::ErrorInfo error = openai::read_error(body).value_or(openai::ErrorInfo{});
  const std::string message = message_of(status, body, error);
  const std::string detail = detail_of(body);
  const auto [form, param] = meaning_of(form_of(status, error.type), message, detail);
  if (form.code != refused_credential.code)
    return {form.status, openai::error_body(message, form.type, param, form.code.empty() ? detail : form.code)};
  if (!own_credential)
    return {form.status, openai::error_body("upstream rejected the gateway credentials", form.type, {}, form.code)};
  if (status == 403 || error.type == "permission_error")
    return {403, openai::error_body(message, "permission_error", {}, detail)};
  return {401, openai::error_body(message, invalid_request, {}, "invalid_api_key")};
}

}  // namespace tollgate::protocol::anthropic
