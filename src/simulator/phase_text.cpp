#include "simulator/phase_text.hpp"

#include "tollgate/simulator/fault.hpp"
#include "tollgate/simulator/script.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tollgate::simulator {

namespace {

/// What stands before `separator`, which is taken off `text` too.
std::string_view cut_off(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view before = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return before;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

template <class T>
bool set(T& where, const std::optional<T>& value) {
  if (value) where = *value;
  return value.has_value();
}

template <class T>
bool set(std::optional<T>& where, const std::optional<T>& value) {
  where = value;
  return value.has_value();
}

bool set_ramp(config::SimulatorPhase& phase, std::string_view text) {
  config::SimulatorRamp& ramp = phase.ramp.emplace();
  const std::string_view from = cut_off(text, ':');
  return set(ramp.from, parse_share(from)) && set(ramp.to, parse_share(text));
}

bool set_faults(config::SimulatorPhase& phase, std::string_view text) {
  while (!text.empty()) {
    std::string_view weight = cut_off(text, '+');
    const std::string name(cut_off(weight, ':'));
    if (!fault_named(name) || !set(phase.faults[name], weight.empty() ? 1 : parse_number(weight))) return false;
  }
  return !phase.faults.empty();
}

/// False: no such key, or a value that does not fit it.
bool set_pair(config::SimulatorPhase& phase, std::string_view key, std::string_view value) {
  if (key == "from") return set(phase.from, parse_duration(value));
  if (key == "to") return set(phase.to, parse_duration(value));
  if (key == "every") return set(phase.every, parse_duration(value));
  if (key == "for") return set(phase.lasts, parse_duration(value));
  if (key == "failure_rate") return set(phase.failure_rate, parse_share(value));
  if (key == "ramp") return set_ramp(phase, value);
  if (key == "faults") return set_faults(phase, value);
  if (key == "slow") return set(phase.slow, parse_number(value));
  return false;
}

}  // namespace

std::optional<double> parse_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const std::optional<double> value = parse_number(text);
  if (!value) return std::nullopt;
  const double share = *value / (percent ? 100 : 1);
  if (!(share >= 0 && share <= 1)) return std::nullopt;
  return share;
}

Result<config::SimulatorPhase> parse_phase(std::string_view text) {
  config::SimulatorPhase phase;
  while (!text.empty()) {
    const std::string_view pair = cut_off(text, ',');
    std::string_view value = pair;
    const std::string_view key = cut_off(value, '=');
    if (!set_pair(phase, key, value))
      return Failure{FailureKind::bad_request, Source::client,
                     "'" + std::string(pair) + "' is no part of a phase; see docs/simulator.md", "invalid_value"};
  }
  return phase;
}

}  // namespace tollgate::simulator
