#include "tollgate/base/ascii.hpp"
#include "tollgate/base/instant.hpp"
#include "tollgate/protocol/anthropic/chat_answer.hpp"

#include <algorithm>
#include <array>

namespace tollgate::protocol::anthropic {
namespace {

bool is_count(std::string_view text) {
  constexpr std::size_t most_digits = 18;
  return !text.empty() && text.size() <= most_digits && std::ranges::all_of(text, is_digit);
}

/// As Go writes durations, and so OpenAI: "250ms", "7s", "6m0s", "1h0m3s"; rounded up, so that who waits for it has
/// waited long enough.
std::string show_duration(std::chrono::nanoseconds wait) {
  const auto millis = std::chrono::ceil<Millis>(std::max(wait, std::chrono::nanoseconds(0)));
  if (millis < seconds(1)) return std::to_string(millis.count()) + "ms";
  const auto whole = std::chrono::ceil<seconds>(millis).count();
  std::string text;
  if (whole >= 3600) text += std::to_string(whole / 3600) + "h";
  if (whole >= 60) text += std::to_string(whole / 60 % 60) + "m";
  return text + std::to_string(whole % 60) + "s";
}

void append_field(std::string& out, std::string_view what, std::string_view of, std::string_view value) {
  out.append("x-ratelimit-").append(what).append("-").append(of).append(": ").append(value).append("\r\n");
}

/// The three fields of one kind of limit.
void append_limit(std::string& out, const http::Fields& fields, const std::string& kind, std::string_view of,
                  SystemTime now) {
  const std::string prefix = "anthropic-ratelimit-" + kind + "-";
  for (const std::string what : {"limit", "remaining"}) {
    const std::string_view value = fields.value(prefix + what);
    if (is_count(value)) append_field(out, what, of, value);
  }
  const auto reset = parse_instant(fields.value(prefix + "reset"));
  if (reset) append_field(out, "reset", of, show_duration(*reset - now));
}

}  // namespace

std::string to_chat_rate_fields(const http::Fields& fields, SystemTime now) {
  std::string out;
  append_limit(out, fields, "requests", "requests", now);
  // Of all limits of tokens this one is the closest to being reached; where it is not told, the prompt's is.
  const bool all_tokens = fields.find("anthropic-ratelimit-tokens-remaining") != nullptr;
  append_limit(out, fields, all_tokens ? "tokens" : "input-tokens", "tokens", now);
  return out;
}

}  // namespace tollgate::protocol::anthropic
