#pragma once
// What the OpenTelemetry specification's environment variables say of traces ("OpenTelemetry Environment Variable
// Specification" and "OpenTelemetry Protocol Exporter", 1.40). docs/operations.md lists those that count here.
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/config/web_address.hpp"
#include "tollgate/protocol/trace_context.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::io {

/// Whether a request's spans are recorded. By its trace's id alone, so that everybody in a trace who samples a share
/// comes to the same decision.
struct Sampler {
  double share = 1;            ///< of traces, 0..1: those whose last 56 bits reach (1 - share) * 2^56
  bool follows_caller = true;  ///< where the caller has decided, it stays with that
  bool decides_for(const protocol::TraceId& trace) const;
};

struct TracingSettings {
  std::optional<config::WebAddress> endpoint;  ///< nothing: no traces
  config::UpstreamTls tls;
  std::vector<std::pair<std::string, std::string>> headers;   ///< checked: names are tokens, values visible ASCII
  std::vector<std::pair<std::string, std::string>> resource;  ///< attributes; service.name is one of them
  Millis timeout = seconds(10);
  Sampler sampler;
  /// Variables that mean nothing here, each with why; no value is quoted, since it may be a secret.
  std::vector<std::pair<std::string, std::string>> ignored;
};

/// `variable`: an environment variable's value; an empty one counts as not set.
TracingSettings tracing_settings(const std::function<std::string(const char* name)>& variable);

}  // namespace tollgate::io
