#pragma once
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/surface.hpp"
#include "tollgate/server/worker.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::server {

/// What answers a request.
enum class Endpoint : std::uint8_t {
  forward,  ///< the pipeline
  models,   ///< the list, or one by its id
  live,
  ready,  ///< health
  metrics,
  admin  ///< what is below /admin/v1/, whatever the method
};

struct RouteMatch {
  Endpoint endpoint = Endpoint::forward;
  std::string_view name;   ///< the table's own path: a literal, for log and metrics
  std::string_view allow;  ///< the methods that the path has, for a 405 and OPTIONS
  bool method_fits = false;
  protocol::Surface surface = protocol::Surface::openai;
  bool in_both_apis = false;  ///< whose it is here tells a field of the head
  protocol::openai::StreamKind stream_kind = protocol::openai::StreamKind::opaque;
  bool knows_usage_option = false;
  bool only_counts = false;
  std::string_view upstream_path;  ///< forward: below the provider's base path; a literal, or in the path asked for
  std::string model_id;            ///< models: the one asked for, or empty
};

/// The row of the table for a target that is one of its paths to the letter, as nearly all are: such a target needs no
/// parsing.
std::optional<RouteMatch> match_exact(Plane plane, std::string_view method, std::string_view target);

/// What a path means on a plane, whatever the method; nothing where there is no such path. The path is the one of
/// parse_target(), and must outlive the answer. On the data plane a missing /v1 is forgiven, since SDKs differ in how
/// they join base_url.
std::optional<RouteMatch> match_route(Plane plane, std::string_view method, std::string_view path);

}  // namespace tollgate::server
