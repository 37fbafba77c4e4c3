#include "tollgate/base/digest.hpp"
#include "tollgate/base/instant.hpp"
#include "tollgate/io/alerts.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace tollgate::io {
namespace {

using Json = nlohmann::ordered_json;

std::string dollars(const std::optional<Money>& amount) {
  return amount ? std::string(MoneyText(*amount).text()) : std::string();
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Amounts are texts, since a number in JSON need not keep nine places.
std::string as_json(const AlertEvent& event, SystemTime when) {
  Json json = {{"id", event.id}, {"time", show_instant(when)}, {"kind", name_of(event.kind)}};
  const auto add = [&json](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  add("tenant", event.tenant);
  add("budget", event.budget);
  if (event.window_start) add("window_start", show_instant(*event.window_start));
  add("threshold", event.threshold);
  add("spent_usd", dollars(event.spent));
  add("limit_usd", dollars(event.limit));
  add("message", event.message);
  return text_of(json);
}

/// Slack reads these three as its own marks (api.slack.com, "Formatting text for app surfaces").
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else
      safe += c;
  }
  return safe;
}

std::string as_slack(const AlertEvent& event, SystemTime when) {
  std::string text = "*tollgate: " + std::string(name_of(event.kind)) + "*\n" + escaped(event.message);
  std::string facts;
  const auto add = [&facts](std::string_view name, const std::string& value) {
    if (!value.empty()) facts.append(facts.empty() ? "\n" : " · ").append(name).append(" ").append(escaped(value));
  };
  add("tenant", event.tenant);
  add("budget", event.budget);
  if (event.window_start) add("since", show_instant(*event.window_start));
  add("threshold", event.threshold);
  if (event.spent) add("spent", dollars(event.spent) + (event.limit ? " of " + dollars(event.limit) : "") + " USD");
  add("at", show_instant(when));
  return text_of({{"text", text + facts}});
}

}  // namespace

std::string_view name_of(AlertKind kind) {
  switch (kind) {
    case AlertKind::budget_threshold: return "budget_threshold";
    case AlertKind::budget_forecast: return "budget_forecast";
    case AlertKind::budget_spent: return "budget_spent";
    case AlertKind::budget_overshoot: return "budget_overshoot";
    case AlertKind::ledger_unwritable: return "ledger_unwritable";
  }
  return "other";  // GCOVR_EXCL_LINE: every kind has returned
}

std::string alert_body(config::AlertFormat format, const AlertEvent& event, SystemTime when) {
  return format == config::AlertFormat::slack ? as_slack(event, when) : as_json(event, when);
}

std::string alert_signature(std::string_view secret, std::string_view body, SystemTime when) {
  const auto unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
  const std::string time = std::to_string(unix_seconds);
  const std::string signed_text = time + "." + std::string(body);
  Digest digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), digest.data(), &size);
  return "t=" + time + ",v1=" + to_hex(digest);
}

}  // namespace tollgate::io
