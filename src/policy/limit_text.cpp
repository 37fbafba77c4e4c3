#include "tollgate/policy/limit_text.hpp"

#include <algorithm>

namespace tollgate::policy {

std::string reset_text(Millis wait) {
  wait = std::max(wait, Millis(0));
  if (wait > Millis(0) && wait < std::chrono::seconds(1)) return std::to_string(wait.count()) + "ms";
  const std::chrono::hh_mm_ss parts(wait);
  std::string text;
  if (parts.hours().count() > 0) text += std::to_string(parts.hours().count()) + "h";
  if (!text.empty() || parts.minutes().count() > 0) text += std::to_string(parts.minutes().count()) + "m";
  text += std::to_string(parts.seconds().count());
  if (const auto millis = parts.subseconds().count(); millis > 0) {
    const std::string padded = std::to_string(1000 + millis);
    text += "." + padded.substr(1, padded.find_last_not_of('0'));
  }
  return text + "s";
}

std::uint64_t retry_seconds(Millis wait) {
  const auto whole = wait.count() / 1000 + (wait.count() % 1000 > 0 ? 1 : 0);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(whole, 1));
}

}  // namespace tollgate::policy
