// Steering read from text (a model name or a header) and canned replies built from bodies. Neither touches a socket, so
// both can be tested by value.
#include "tollgate/simulator/script.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace tollgate::simulator {

namespace {

template <class T>
void take_over(std::optional<T>& value, const std::optional<T>& above) {
  if (above) value = above;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

std::optional<std::size_t> parse_count(std::string_view text) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

template <class T>
bool set(std::optional<T>& where, std::optional<T> value) {
  where = value;
  return where.has_value();
}

bool set_fault(Steering& steering, std::string_view value) {
  steering.no_fault = value == "none";
  if (!steering.no_fault) steering.fault = fault_named(value);
  return steering.no_fault || steering.fault.has_value();
}

bool set_head(Steering& steering, std::string_view value) {
  if (value == "early" || value == "late") steering.early_head = value == "early";
  return steering.early_head.has_value();
}

/// False: no such key, or a value that does not fit it.
bool set_pair(Steering& steering, std::string_view key, std::string_view value) {
  if (key == "fault") return set_fault(steering, value);
  if (key == "first_token") return set(steering.first_token, parse_duration(value));
  if (key == "rate") return set(steering.tokens_per_second, parse_number(value));
  if (key == "jitter") return set(steering.jitter, parse_number(value)) && *steering.jitter <= 1;
  if (key == "tokens") return set(steering.answer_tokens, parse_count(value));
  if (key == "after") return set(steering.fault_after, parse_count(value));
  if (key == "retry_after") return set(steering.retry_after, parse_duration(value));
  if (key == "head") return set_head(steering, value);
  return false;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

void Steering::override_with(const Steering& above) {
  if (above.fault || above.no_fault) {
    fault = above.fault;
    no_fault = above.no_fault;
  }
  take_over(first_token, above.first_token);
  take_over(tokens_per_second, above.tokens_per_second);
  take_over(jitter, above.jitter);
  take_over(answer_tokens, above.answer_tokens);
  take_over(fault_after, above.fault_after);
  take_over(retry_after, above.retry_after);
  take_over(early_head, above.early_head);
}

Result<Steering> parse_steering(std::string_view text, char separator) {
  Steering steering;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view pair = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !set_pair(steering, pair.substr(0, equals), pair.substr(equals + 1))) {
      return Failure{FailureKind::bad_request, Source::client,
                     "The simulator does not understand '" + std::string(pair) + "'; see docs/simulator.md.",
                     "invalid_value"};
    }
  }
  return steering;
}

std::optional<Millis> parse_duration(std::string_view text) {
  if (text == "0") return Millis{0};
  double scale = 1;
  const auto ends_with = [&](std::string_view unit, double factor) {
    if (!text.ends_with(unit)) return false;
    text.remove_suffix(unit.size());
    scale = factor;
    return true;
  };
  if (!ends_with("ms", 1) && !ends_with("s", 1000) && !ends_with("m", 60'000)) return std::nullopt;
  const std::optional<double> value = parse_number(text);
  // A year is far beyond any use, and far from overflowing the clock.
  if (!value || *value * scale > 365.0 * 24 * 3600 * 1000) return std::nullopt;
  return Millis{std::llround(*value * scale)};
}

Replay json_replay(unsigned status, std::string_view body,
                   const std::vector<std::pair<std::string, std::string>>& fields, std::string_view content_type) {
  std::string wire = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\ncontent-type: ";
  wire.append(content_type).append("\r\ncontent-length: ").append(std::to_string(body.size())).append("\r\n");
  for (const auto& [name, value] : fields) wire.append(name).append(": ").append(value).append("\r\n");
  wire.append("\r\n").append(body);
  Replay replay;
  replay.pieces.push_back(std::move(wire));
  replay.status = status;
  return replay;
}

Replay sse_replay(const std::vector<std::string>& pieces) {
  Replay replay;
  replay.status = 200;
  replay.pieces.emplace_back(
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
  for (const std::string& piece : pieces) {
    char size[16];
    const auto [end, error] = std::to_chars(size, size + sizeof size, piece.size(), 16);
    static_cast<void>(error);  // 16 digits hold every 64-bit size
    replay.pieces.push_back(std::string(size, end).append("\r\n").append(piece).append("\r\n"));
  }
  replay.pieces.emplace_back("0\r\n\r\n");
  return replay;
}

}  // namespace tollgate::simulator
