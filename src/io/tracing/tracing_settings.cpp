// The environment's words on traces. As the specification asks, what cannot be understood is ignored with a warning:
// tracing is no reason for a gateway not to start.
#include "tollgate/io/tracing_settings.hpp"

#include "tollgate/protocol/http/head.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace tollgate::io {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using protocol::http::equals_ignoring_case;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Percent-decoded; nothing where an escape is broken.
std::optional<std::string> decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      bytes += text[at];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(std::min(at + 1, text.size()), 2);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + 2) return std::nullopt;
    bytes += static_cast<char>(value);
    at += 2;
  }
  return bytes;
}

/// "key=value,key=value" with percent-encoding, as the W3C writes baggage; properties behind a ';' are no part of it.
std::optional<Pairs> pairs_of(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    if (equals == item.npos) return std::nullopt;
    const auto key = decoded(trimmed(item.substr(0, equals)));
    const auto value = decoded(trimmed(item.substr(equals + 1)));
    if (!key || !value || key->empty()) return std::nullopt;
    pairs.emplace_back(*key, *value);
  }
  return pairs;
}

bool is_field(const std::string& name, const std::string& value) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  const auto token = [&](char c) { return std::isalnum(static_cast<unsigned char>(c)) || marks.find(c) != marks.npos; };
  const auto visible = [](char c) { return c >= ' ' && c < 0x7F; };
  return std::all_of(name.begin(), name.end(), token) && std::all_of(value.begin(), value.end(), visible);
}

/// Framing and what the body is are ours to say.
bool is_reserved_field(const std::string& name) {
  constexpr std::string_view reserved[] = {
      "content-length", "content-type", "transfer-encoding", "connection", "host",
      "expect",         "te",           "upgrade",           "trailer",    "accept-encoding"};
  return std::any_of(std::begin(reserved), std::end(reserved),
                     [&](std::string_view other) { return equals_ignoring_case(name, other); });
}

/// Reads one variable after the other and remembers what it could not use.
class Environment {
 public:
  Environment(const std::function<std::string(const char*)>& variable, TracingSettings& settings)
      : variable_(variable), settings_(settings) {}

  std::string value(const char* name) const { return std::string(trimmed(variable_(name))); }
  /// The signal's own variable goes over the general one; the name that was found is returned.
  const char* either(const char* own, const char* general) const { return value(own).empty() ? general : own; }
  void ignore(const char* name, std::string why) { settings_.ignored.emplace_back(name, std::move(why)); }

  void read_endpoint();
  void read_protocol();
  void read_timeout();
  void read_headers();
  void read_resource();
  void read_sampler();

 private:
  double sampled_share();
  const std::function<std::string(const char*)>& variable_;
  TracingSettings& settings_;
};

void Environment::read_endpoint() {
  const char* name = either("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
  std::string url = value(name);
  if (url.empty()) return;
  // The general one is a base to which each signal adds its path; the signal's own is taken as it is.
  if (std::string_view(name) == "OTEL_EXPORTER_OTLP_ENDPOINT") url += url.ends_with('/') ? "v1/traces" : "/v1/traces";
  auto address = config::parse_web_address(url);
  if (!address) return ignore(name, address.error().message);
  settings_.endpoint = std::move(*address);
  settings_.tls.ca_file = value(either("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"));
}

void Environment::read_protocol() {
  const char* name = either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
  const std::string protocol = value(name);
  if (!protocol.empty() && protocol != "http/json") ignore(name, "traces are sent by http/json only");
}

void Environment::read_timeout() {
  const char* name = either("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT");
  const std::string text = value(name);
  if (text.empty()) return;
  std::uint32_t millis = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), millis);
  constexpr std::uint32_t most = 3'600'000;
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || millis == 0 || millis > most)
    return ignore(name, "expected a number of milliseconds from 1 to 3600000");
  settings_.timeout = Millis(millis);
}

void Environment::read_headers() {
  const char* name = either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
  const auto pairs = pairs_of(value(name));
  if (!pairs) return ignore(name, "expected key=value,key=value with percent-encoding");
  for (const auto& [key, content] : *pairs) {
    if (!is_field(key, content) || is_reserved_field(key))
      ignore(name, "one of them is no header field, or is the gateway's own");
    else
      settings_.headers.emplace_back(key, content);
  }
}

void Environment::read_resource() {
  constexpr std::string_view service = "service.name";
  const auto pairs = pairs_of(value("OTEL_RESOURCE_ATTRIBUTES"));
  if (!pairs) ignore("OTEL_RESOURCE_ATTRIBUTES", "expected key=value,key=value with percent-encoding");
  std::string service_name = value("OTEL_SERVICE_NAME");
  Pairs attributes;
  for (const auto& [key, content] : pairs.value_or(Pairs{})) {
    if (key != service)
      attributes.emplace_back(key, content);
    else if (service_name.empty())
      service_name = content;
  }
  settings_.resource.emplace_back(service, service_name.empty() ? "tollgate" : service_name);
  settings_.resource.insert(settings_.resource.end(), attributes.begin(), attributes.end());
}

double Environment::sampled_share() {
  constexpr const char* name = "OTEL_TRACES_SAMPLER_ARG";
  const std::string text = value(name);
  if (text.empty()) return 1;
  double share = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), share);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || !(share >= 0 && share <= 1)) {
    ignore(name, "expected a number from 0 to 1; every trace is sampled");
    return 1;
  }
  return share;
}

void Environment::read_sampler() {
  constexpr std::string_view parent = "parentbased_";
  const std::string text = value("OTEL_TRACES_SAMPLER");
  if (text.empty()) return;
  std::string_view kind = text;
  Sampler sampler;
  sampler.follows_caller = kind.starts_with(parent);
  if (sampler.follows_caller) kind.remove_prefix(parent.size());
  if (kind == "always_off")
    sampler.share = 0;
  else if (kind == "traceidratio")
    sampler.share = sampled_share();
  else if (kind != "always_on")
    return ignore("OTEL_TRACES_SAMPLER",
                  "expected always_on, always_off or traceidratio, or one of them behind parentbased_");
  settings_.sampler = sampler;
}

/// The number that a trace's last 56 bits are.
std::uint64_t randomness_of(const protocol::TraceId& trace) {
  constexpr std::size_t digits = 14;
  std::uint64_t value = 0;
  const char* end = trace.data() + trace.size();
  std::from_chars(end - digits, end, value, 16);
  return value;
}

}  // namespace

bool Sampler::decides_for(const protocol::TraceId& trace) const {
  if (share >= 1) return true;
  const auto rejected = static_cast<std::uint64_t>(std::ldexp(1 - share, 56));  // OTEP 235, "Sampling threshold"
  return randomness_of(trace) >= rejected;
}

TracingSettings tracing_settings(const std::function<std::string(const char* name)>& variable) {
  TracingSettings settings;
  Environment environment(variable, settings);
  if (equals_ignoring_case(environment.value("OTEL_SDK_DISABLED"), "true")) return settings;
  if (environment.value("OTEL_TRACES_EXPORTER") == "none") return settings;
  environment.read_endpoint();
  if (!settings.endpoint) return settings;
  environment.read_protocol();
  environment.read_timeout();
  environment.read_headers();
  environment.read_resource();
  environment.read_sampler();
  return settings;
}

}  // namespace tollgate::io
