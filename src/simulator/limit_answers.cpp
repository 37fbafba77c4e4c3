// How a provider speaks of its limits: the fields on every answer, and the 429 when one is reached. Wording and forms
// follow OpenAI's guide on rate limits, since clients read waits out of both.
#include "simulator/allowance.hpp"
#include "simulator/answers.hpp"
#include "simulator/messages_errors.hpp"

#include <string>

namespace tollgate::simulator {

namespace {

std::int64_t millis_rounded_up(Micros time) { return std::chrono::ceil<Millis>(time).count(); }

/// "20ms", "1s", "8.64s", "6m0s": rounded up to a millisecond.
std::string short_time(Micros time) {
  const std::int64_t millis = millis_rounded_up(time);
  if (millis == 0) return "0s";
  if (millis < 1000) return std::to_string(millis) + "ms";
  std::string text = millis >= 60'000 ? std::to_string(millis / 60'000) + "m" : "";
  text += std::to_string(millis % 60'000 / 1000);
  std::string fraction = std::to_string(1000 + millis % 1000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) text += "." + fraction;
  return text + "s";
}

void add_fields(Answer& answer, const std::optional<Standing>& standing, const std::string& what) {
  if (!standing) return;
  answer.fields.emplace_back("x-ratelimit-limit-" + what, std::to_string(standing->limit));
  answer.fields.emplace_back("x-ratelimit-remaining-" + what, std::to_string(standing->remaining));
  answer.fields.emplace_back("x-ratelimit-reset-" + what, short_time(standing->reset));
}

}  // namespace

void add_limit_fields(Answer& answer, const Voice& voice, const Grant& grant, SystemTime now) {
  if (voice.dialect == Dialect::anthropic) return add_messages_limit_fields(answer, grant, now);
  add_fields(answer, grant.requests, "requests");
  add_fields(answer, grant.tokens, "tokens");
}

Answer over_limit_answer(const Voice& voice, const std::string& model, const Grant& grant, SystemTime now) {
  if (voice.dialect == Dialect::anthropic) return messages_over_limit(voice, grant, now);
  const Standing& refusal = *grant.refusal();
  const bool by_requests = grant.requests && grant.requests->refused;
  const std::string where = " for " + model + " in organization org-simulator on " +
                            (by_requests ? "requests per min (RPM)" : "tokens per min (TPM)") + ": Limit " +
                            std::to_string(refusal.limit);
  const std::string requested = ", Requested " + std::to_string(refusal.requested) + ". ";
  const std::string message =
      refusal.wait ? "Rate limit reached" + where + ", Used " + std::to_string(refusal.used) + requested +
                         "Please try again in " + short_time(*refusal.wait) + "."
                   : "Request too large" + where + requested + "The input or output tokens must be reduced.";
  Answer answer = error_answer(429, message, by_requests ? "requests" : "tokens", "", "rate_limit_exceeded");
  if (refusal.wait) {
    answer.fields.emplace_back("retry-after", std::to_string(std::chrono::ceil<seconds>(*refusal.wait).count()));
    answer.fields.emplace_back("retry-after-ms", std::to_string(millis_rounded_up(*refusal.wait)));
  }
  add_limit_fields(answer, voice, grant, now);
  return answer;
}

Answer wrong_credential_answer(const Voice& voice, bool given) {
  if (voice.dialect == Dialect::anthropic) {
    return messages_error(voice, 401, "authentication_error",
                          given ? "invalid x-api-key" : "x-api-key header is required");
  }
  if (!given) return error_answer(401, "You didn't provide an API key.", "invalid_request_error", "", "");
  return error_answer(401, "Incorrect API key provided.", "invalid_request_error", "", "invalid_api_key");
}

}  // namespace tollgate::simulator
