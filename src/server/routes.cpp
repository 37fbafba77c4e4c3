// The paths that there are on each plane, in one table, and what is forgiven in how they are written. What is in no
// table passes through on the data plane, and nowhere else.
#include "routes.hpp"

#include <array>

namespace tollgate::server {

using protocol::Surface;
using protocol::openai::StreamKind;

namespace {

struct Row {
  Plane plane;
  std::string_view path;
  std::string_view allow;
  Endpoint endpoint;
  StreamKind stream_kind = StreamKind::opaque;
  bool knows_usage_option = false;
  protocol::Surface surface = protocol::Surface::openai;
  bool only_counts = false;
};

constexpr std::string_view other_name = "/v1/*";
constexpr std::string_view post = "POST, OPTIONS";
constexpr std::string_view get = "GET, HEAD, OPTIONS";

constexpr std::array rows{
    Row{Plane::data, "/v1/chat/completions", post, Endpoint::forward, StreamKind::chat, true},
    Row{Plane::data, "/v1/completions", post, Endpoint::forward, StreamKind::completions, true},
    Row{Plane::data, "/v1/embeddings", post, Endpoint::forward},
    Row{Plane::data, "/v1/responses", post, Endpoint::forward, StreamKind::responses},
    Row{Plane::data, "/v1/messages", post, Endpoint::forward, StreamKind::messages, false, Surface::anthropic},
    Row{Plane::data, "/v1/messages/count_tokens", post, Endpoint::forward, StreamKind::opaque, false,
        Surface::anthropic, true},
    Row{Plane::data, "/v1/models", get, Endpoint::models},
    Row{Plane::data, "/", get, Endpoint::live},  // Anthropic's clients look whether anybody is there
    Row{Plane::data, "/health/live", get, Endpoint::live},
    Row{Plane::data, "/health/ready", get, Endpoint::ready},
    Row{Plane::admin, "/metrics", get, Endpoint::metrics},
    Row{Plane::admin, "/health/live", get, Endpoint::live},
    Row{Plane::admin, "/health/ready", get, Endpoint::ready},
    Row{Plane::metrics, "/metrics", get, Endpoint::metrics},
    Row{Plane::metrics, "/health/live", get, Endpoint::live},
    Row{Plane::metrics, "/health/ready", get, Endpoint::ready},
};

constexpr std::string_view version_prefix = "/v1";
constexpr std::string_view admin_prefix = "/admin/v1/";
constexpr std::string_view any = "GET, POST, DELETE, OPTIONS";
constexpr std::string_view models_prefix = "/v1/models/";

bool allows(std::string_view allow, std::string_view method) {
  for (std::size_t at = 0; at < allow.size();) {
    const std::size_t comma = std::min(allow.find(", ", at), allow.size());
    if (allow.substr(at, comma - at) == method) return true;
    at = comma + 2;
  }
  return false;
}

RouteMatch to_match(const Row& row, std::string_view method) {
  RouteMatch match;
  match.endpoint = row.endpoint;
  match.name = row.path;
  match.allow = row.allow;
  match.method_fits = allows(row.allow, method);
  match.stream_kind = row.stream_kind;
  match.knows_usage_option = row.knows_usage_option;
  match.surface = row.surface;
  match.only_counts = row.only_counts;
  match.in_both_apis = row.endpoint == Endpoint::models || row.path == other_name;
  if (row.endpoint == Endpoint::forward) match.upstream_path = row.path.substr(version_prefix.size());
  return match;
}

}  // namespace

std::optional<RouteMatch> match_exact(Plane plane, std::string_view method, std::string_view target) {
  for (const Row& row : rows)
    if (row.plane == plane && row.path == target) return to_match(row, method);
  return std::nullopt;
}

std::optional<RouteMatch> match_route(Plane plane, std::string_view method, std::string_view path) {
  if (auto found = match_exact(plane, method, path)) return found;
  if (plane == Plane::admin && path.starts_with(admin_prefix)) {
    RouteMatch match = to_match({Plane::admin, "/admin/v1/*", any, Endpoint::admin}, method);
    match.method_fits = true;  // the admin API knows
    return match;
  }
  if (plane != Plane::data) return std::nullopt;
  const bool versioned = path.starts_with("/v1/");
  const std::string full = versioned ? std::string(path) : std::string(version_prefix).append(path);
  if (!versioned)
    if (auto found = match_exact(plane, method, full)) return found;
  if (full.starts_with(models_prefix) && full.size() > models_prefix.size()) {
    RouteMatch match = to_match({Plane::data, "/v1/models/{id}", get, Endpoint::models}, method);
    match.model_id = full.substr(models_prefix.size());
    return match;
  }
  if (!versioned || path.size() == std::string_view("/v1/").size()) return std::nullopt;
  RouteMatch match = to_match({Plane::data, other_name, post, Endpoint::forward}, method);
  match.upstream_path = path.substr(version_prefix.size());
  return match;
}

}  // namespace tollgate::server
