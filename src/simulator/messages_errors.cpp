// Errors, limits and the model list in Anthropic's shape. Status, type and texts are a contract with those who test how
// failures are classified.
#include "simulator/messages_errors.hpp"

#include "simulator/date_text.hpp"
#include "simulator/json.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tollgate::simulator {

namespace {

constexpr std::size_t default_page = 20;
constexpr std::size_t largest_page = 1000;
constexpr std::string_view rate_limit_text =
    "This request would exceed the rate limit for your organization of 50 requests per minute.";

Answer with_field(Answer answer, std::string name, std::string value) {
  answer.fields.emplace_back(std::move(name), std::move(value));
  return answer;
}

/// The fields of a limit that is used up, as far as they say when to come back.
Answer rate_limited(const Voice& voice, std::optional<SystemTime> until) {
  Answer answer = messages_error(voice, 429, "rate_limit_error", std::string(rate_limit_text));
  answer.fields.emplace_back("anthropic-ratelimit-requests-limit", "50");
  answer.fields.emplace_back("anthropic-ratelimit-requests-remaining", "0");
  if (until) answer.fields.emplace_back("anthropic-ratelimit-requests-reset", internet_date(*until));
  return answer;
}

void add_fields(Answer& answer, const std::optional<Standing>& standing, const std::string& what, SystemTime now) {
  if (!standing) return;
  const std::string prefix = "anthropic-ratelimit-" + what;
  const SystemTime reset = now + std::chrono::ceil<seconds>(standing->reset);
  answer.fields.emplace_back(prefix + "-limit", std::to_string(standing->limit));
  answer.fields.emplace_back(prefix + "-remaining", std::to_string(standing->remaining));
  answer.fields.emplace_back(prefix + "-reset", internet_date(reset));
}

OrderedJson model_json(const std::string& id) {
  OrderedJson model;
  model["type"] = "model";
  model["id"] = id;
  model["display_name"] = "Simulated " + id;
  model["created_at"] = "2023-11-14T22:13:20Z";
  model["lifecycle"] = "active";
  model["deprecated_at"] = nullptr;
  model["retires_at"] = nullptr;
  model["line"] = nullptr;
  model["max_input_tokens"] = 200'000;
  model["max_tokens"] = 64'000;
  model["capabilities"] = nullptr;
  return model;
}

/// One parameter of a query string; values of the list's parameters need no unescaping.
std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace

Answer messages_error(const Voice& voice, unsigned status, std::string_view type, const std::string& message,
                      std::string_view error_code) {
  OrderedJson body;
  body["type"] = "error";
  body["error"]["details"] = nullptr;
  if (!error_code.empty()) body["error"]["details"] = {{"error_code", error_code}};
  body["error"]["type"] = type;
  body["error"]["message"] = message;
  body["request_id"] = voice.request_id;
  Answer answer;
  answer.status = status;
  answer.body = text_of_json(body);
  return answer;
}

// size: exempt, a table of answers
Answer messages_fault_answer(const Voice& voice, Fault fault, const Plan& plan, SystemTime now) {
  // Dates have whole seconds; rounded up, or a wait under one second would lie in the past.
  const SystemTime until = now + plan.retry_after + Millis{999};
  switch (fault) {
    case Fault::rate_limit: return with_field(rate_limited(voice, until), "retry-after", in_seconds(plan.retry_after));
    case Fault::rate_limit_date: return with_field(rate_limited(voice, until), "retry-after", http_date(until));
    case Fault::rate_limit_ms:
      return with_field(rate_limited(voice, until), "retry-after-ms", std::to_string(plan.retry_after.count()));
    case Fault::rate_limit_plain: return rate_limited(voice, std::nullopt);
    case Fault::quota:
      return messages_error(voice, 429, "rate_limit_error",
                            "Your organization has reached its monthly spend limit. Raise the limit to continue.",
                            "enforced_spend_limit_reached");
    case Fault::error_502: return edge_page_answer();
    case Fault::error_503: return messages_error(voice, 503, "api_error", "Service temporarily unavailable");
    case Fault::error_529: return messages_error(voice, 529, "overloaded_error", "Overloaded");
    case Fault::unauthorized: return messages_error(voice, 401, "authentication_error", "invalid x-api-key");
    case Fault::payment_required:
      return messages_error(voice, 402, "billing_error",
                            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing "
                            "to upgrade or purchase credits.");
    case Fault::forbidden:
      return messages_error(voice, 403, "permission_error",
                            "Your API key does not have permission to use the specified resource.");
    case Fault::bad_request:
      return messages_error(voice, 400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum");
    default: return messages_error(voice, 500, "api_error", "Internal server error");
  }
}

void add_messages_limit_fields(Answer& answer, const Grant& grant, SystemTime now) {
  add_fields(answer, grant.requests, "requests", now);
  add_fields(answer, grant.tokens, "tokens", now);
}

Answer messages_over_limit(const Voice& voice, const Grant& grant, SystemTime now) {
  const Standing& refusal = *grant.refusal();
  const bool by_requests = grant.requests && grant.requests->refused;
  Answer answer =
      messages_error(voice, 429, "rate_limit_error",
                     "This request would exceed the rate limit for your organization (org-simulator) of " +
                         std::to_string(refusal.limit) + (by_requests ? " requests" : " tokens") + " per minute.");
  if (refusal.wait) {
    answer.fields.emplace_back("retry-after", std::to_string(std::chrono::ceil<seconds>(*refusal.wait).count()));
  }
  add_messages_limit_fields(answer, grant, now);
  return answer;
}

Answer messages_models(const Voice& voice, const std::vector<std::string>& models, std::string_view query) {
  std::size_t limit = default_page;
  if (const std::string_view text = parameter(query, "limit"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc{} || end != text.data() + text.size() || limit == 0 || limit > largest_page) {
      return messages_error(voice, 400, "invalid_request_error", "limit: Input should be between 1 and 1000");
    }
  }
  auto first = models.begin(), last = models.end();
  const auto at = [&](std::string_view id) { return std::find(models.begin(), models.end(), id); };
  if (const auto after = at(parameter(query, "after_id")); after != models.end()) first = after + 1;
  const auto before = at(parameter(query, "before_id"));
  if (before != models.end()) last = before;
  if (first > last) first = last;
  const auto wanted = static_cast<std::size_t>(last - first);
  const auto page = static_cast<std::ptrdiff_t>(std::min(wanted, limit));
  // The page next to where the reader came from.
  (before != models.end() ? first : last) = before != models.end() ? last - page : first + page;
  OrderedJson body;
  body["data"] = OrderedJson::array();
  for (auto id = first; id != last; ++id) body["data"].push_back(model_json(*id));
  body["has_more"] = wanted > limit;
  body["first_id"] = first == last ? OrderedJson(nullptr) : OrderedJson(*first);
  body["last_id"] = first == last ? OrderedJson(nullptr) : OrderedJson(*(last - 1));
  Answer answer;
  answer.body = text_of_json(body);
  return answer;
}

Answer messages_model(const std::string& id) {
  Answer answer;
  answer.body = text_of_json(model_json(id));
  return answer;
}

}  // namespace tollgate::simulator
