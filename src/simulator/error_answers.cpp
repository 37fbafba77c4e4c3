// Errors in OpenAI's envelope, and the faults that are nothing but an HTTP answer. Together here, because a gateway's
// classification is tested against exactly this list.
#include "simulator/answers.hpp"
#include "simulator/date_text.hpp"
#include "simulator/json.hpp"
#include "simulator/messages_errors.hpp"

namespace tollgate::simulator {

namespace {

OrderedJson text_or_null(std::string_view text) { return text.empty() ? OrderedJson(nullptr) : OrderedJson(text); }

Answer rate_limited(const Plan& plan) {
  return error_answer(
      429,
      "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in " +
          in_seconds(plan.retry_after) + "s.",
      "requests", "", "rate_limit_exceeded");
}

}  // namespace

Answer edge_page_answer() {
  Answer answer;
  answer.status = 502;
  answer.content_type = "text/html";
  answer.body =
      "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
      "</body>\r\n</html>\r\n";
  return answer;
}

Answer error_answer(unsigned status, std::string_view message, std::string_view type, std::string_view param,
                    std::string_view code) {
  OrderedJson error;
  error["message"] = message;
  error["type"] = type;
  error["param"] = text_or_null(param);
  error["code"] = text_or_null(code);
  OrderedJson body;
  body["error"] = std::move(error);
  Answer answer;
  answer.status = status;
  answer.body = text_of_json(body);
  return answer;
}

Answer refusal_answer(const Voice& voice, const Failure& failure) {
  if (voice.dialect == Dialect::anthropic) {
    return messages_error(voice, failure.status == 0 ? 400 : failure.status,
                          failure.type.empty() ? "invalid_request_error" : failure.type, failure.message);
  }
  return error_answer(400, failure.message, "invalid_request_error", failure.param, failure.code);
}

Answer unknown_url_answer(const Voice& voice, const std::string& method, const std::string& path) {
  if (voice.dialect == Dialect::anthropic) return messages_error(voice, 404, "not_found_error", "Not Found");
  return error_answer(404, "Invalid URL (" + method + " " + path + ")", "invalid_request_error", "", "unknown_url");
}

Answer wrong_method_answer(const Voice& voice, const std::string& method, const std::string& path) {
  if (voice.dialect == Dialect::anthropic) {
    return messages_error(voice, 405, "invalid_request_error", "Method Not Allowed");
  }
  return error_answer(405, "Not allowed to " + method + " on " + path + ".", "invalid_request_error", "",
                      "method_not_supported");
}

Answer late_error_answer(const Voice& voice) {
  if (voice.dialect == Dialect::anthropic) return messages_error(voice, 200, "overloaded_error", "Overloaded");
  return error_answer(200, "The server had an error while processing your request.", "server_error", "",
                      "server_error");
}

bool is_status_fault(Fault fault) { return fault <= Fault::bad_request; }

// size: exempt, a table of answers
Answer fault_answer(const Voice& voice, Fault fault, const Plan& plan, SystemTime now) {
  if (voice.dialect == Dialect::anthropic) return messages_fault_answer(voice, fault, plan, now);
  const auto with_field = [](Answer answer, std::string name, std::string value) {
    answer.fields.emplace_back(std::move(name), std::move(value));
    return answer;
  };
  switch (fault) {
    case Fault::rate_limit: return with_field(rate_limited(plan), "retry-after", in_seconds(plan.retry_after));
    case Fault::rate_limit_date: {
      // A date has whole seconds; rounded up, or a wait under one second would lie in the past.
      const SystemTime until = now + plan.retry_after + Millis{999};
      return with_field(rate_limited(plan), "retry-after", http_date(until));
    }
    case Fault::rate_limit_ms:
      return with_field(rate_limited(plan), "retry-after-ms", std::to_string(plan.retry_after.count()));
    case Fault::rate_limit_plain: return rate_limited(plan);
    case Fault::quota:
      return error_answer(429, "You exceeded your current quota, please check your plan and billing details.",
                          "insufficient_quota", "", "insufficient_quota");
    case Fault::error_502: return edge_page_answer();
    case Fault::error_503:
      return error_answer(503, "The engine is currently overloaded, please try again later.",
                          "service_unavailable_error", "", "server_is_overloaded");
    case Fault::error_529: return error_answer(529, "The service is overloaded.", "overloaded_error", "", "overloaded");
    case Fault::unauthorized:
      return error_answer(401, "Incorrect API key provided.", "invalid_request_error", "", "invalid_api_key");
    case Fault::payment_required:
      return error_answer(402, "Billing hard limit has been reached.", "invalid_request_error", "",
                          "billing_hard_limit_reached");
    case Fault::forbidden:
      return error_answer(403, "You are not allowed to use this model.", "permission_error", "", "permission_denied");
    case Fault::bad_request:
      return error_answer(
          400, "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
          "invalid_request_error", "messages", "context_length_exceeded");
    default: return error_answer(500, "The server had an error while processing your request.", "server_error", "", "");
  }
}

}  // namespace tollgate::simulator
