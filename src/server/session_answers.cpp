// What a session judges by the head alone and what it answers by itself: refusals, preflights, health, metrics,
// administration.
#include "tollgate/protocol/http/crossing.hpp"
#include "tollgate/protocol/http/target.hpp"
#include "tollgate/protocol/openai/error.hpp"

#include "session.hpp"
#include "status.hpp"

#include <sys/socket.h>

#include <algorithm>

namespace tollgate::server {

using protocol::Surface;
using protocol::http::equals_ignoring_case;

namespace {

constexpr std::string_view json = "application/json";
// What the fields of an SDK's request take that cross; more only costs a growth.
constexpr std::size_t usual_crossing_bytes = 160;

constexpr std::string_view idempotency_key = "idempotency-key";
constexpr std::size_t longest_idempotency_key = 255;

/// A loopback name or address in a Host field: what a page from elsewhere cannot have made the browser send.
bool is_loopback_host(std::string_view host) {
  const std::size_t bracket = host.starts_with('[') ? host.find(']') : std::string_view::npos;
  const std::string_view name =
      bracket != std::string_view::npos ? host.substr(0, bracket + 1) : host.substr(0, host.find(':'));
  if (equals_ignoring_case(name, "localhost") || name == "[::1]") return true;
  return name.starts_with("127.") &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool is_json(std::string_view content_type) {
  if (content_type == json) return true;
  const std::string_view type = content_type.substr(0, content_type.find_first_of("; \t"));
  return type.empty() || equals_ignoring_case(type, json) ||
         (type.size() > 5 && equals_ignoring_case(type.substr(type.size() - 5), "+json"));
}

std::string without_escaped_slashes(std::string_view target) {
  std::string text;
  for (std::size_t at = 0; at < target.size(); ++at) {
    const bool escaped = target[at] == '%' && equals_ignoring_case(target.substr(at, 3), "%2f");
    text += escaped ? '/' : target[at];
    if (escaped) at += 2;
  }
  return text;
}

bool speaks_anthropic(const protocol::http::RequestHead& head) { return head.fields.find("anthropic-version"); }

}  // namespace

bool Session::judge_host_and_origin(const Head& head) {
  const protocol::http::Field* origin = head.fields.find("origin");
  if (origin) {
    const auto& allowed = settings().cors_origins;
    const bool any = std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
    if (plane_ == Plane::data && (any || std::find(allowed.begin(), allowed.end(), origin->value) != allowed.end())) {
      request_->cors = "Access-Control-Allow-Origin: " + std::string(origin->value) +
                       "\r\nAccess-Control-Expose-Headers: *\r\nVary: Origin\r\n";
    } else {
      refuse({FailureKind::not_allowed, Source::client,
              "requests from web pages are refused; list the page's origin in server.cors.origins",
              "origin_not_allowed"});
      return false;
    }
  }
  // Without keys, whoever reaches the port spends the money: a name that a foreign page made resolve to us does not
  // count as local.
  const bool keyless = world().snapshot->tenants.empty() && settings().auth != config::Auth::open;
  if (plane_ == Plane::data && !keyless) return true;
  if (family_ == AF_UNIX || is_loopback_host(head.host) || (head.http_1_0 && head.host.empty())) return true;
  if (plane_ == Plane::metrics) return true;
  if (plane_ == Plane::admin && world().snapshot->admin.needs_token()) return true;
  refuse({FailureKind::not_allowed, Source::client, "the Host of this request is not a loopback name or address",
          "host_not_allowed"});
  return false;
}

bool Session::judge_route(const Head& head) {
  Request& request = *request_;
  if (head.method == "OPTIONS" && head.target == "*") {
    reply(204, {}, {}, "Allow: GET, HEAD, POST, OPTIONS\r\n");
    return false;
  }
  auto route = match_exact(plane_, head.method, head.target);
  if (!route && !find_route(head, route)) return false;
  request.route = std::move(*route);
  if (request.route.in_both_apis && speaks_anthropic(head)) request.route.surface = Surface::anthropic;
  // The admin API knows the methods of its paths.
  if (head.method == "OPTIONS" && request.route.endpoint != Endpoint::admin) {
    answer_preflight(head);
    return false;
  }
  if (!request.route.method_fits) {
    refuse({FailureKind::method_not_allowed, Source::client, "this path does not have that method"},
           "Allow: " + std::string(request.route.allow) + "\r\n");
    return false;
  }
  const std::string_view encoding = head.content_encoding;
  if (!encoding.empty() && !equals_ignoring_case(encoding, "identity")) {
    refuse({FailureKind::unsupported_media, Source::client, "send the request body without Content-Encoding"});
    return false;
  }
  return true;
}

/// For a target that is not to the letter in the table. A refusal has been answered.
bool Session::find_route(const Head& head, std::optional<RouteMatch>& route) {
  // Clients escape the slash of an id in a path; it is looked up here and goes nowhere.
  std::string unescaped;
  for (const std::string_view before_id : {"/v1/models/", "/admin/v1/keys/", "/admin/v1/tenants/"})
    if (head.target.starts_with(before_id)) unescaped = without_escaped_slashes(head.target);
  auto target = protocol::http::parse_target(unescaped.empty() ? head.target : unescaped);
  if (!target) {
    refuse(target.error());
    return false;
  }
  request_->inbound.query = target->query;
  request_->path = std::move(target->path);
  route = match_route(plane_, head.method, request_->path);
  if (!route && speaks_anthropic(head)) request_->route.surface = Surface::anthropic;
  if (!route) refuse({FailureKind::not_found, Source::client, "unknown path; base_url ends in /v1"});
  return route.has_value();
}

void Session::answer_preflight(const Head& head) {
  std::string fields = "Allow: " + std::string(request_->route.allow) + "\r\n";
  if (!request_->cors.empty()) {
    fields +=
        "Access-Control-Allow-Methods: " + std::string(request_->route.allow) + "\r\nAccess-Control-Max-Age: 600\r\n";
    // SDKs send a dozen fields of their own: the list is given back as it was asked for.
    const std::string_view wanted = head.fields.value("access-control-request-headers");
    if (!wanted.empty() && wanted.size() <= 4096)
      fields += "Access-Control-Allow-Headers: " + std::string(wanted) + "\r\n";
  }
  reply(204, {}, {}, fields);
}

bool Session::read_inbound(const Head& head) {
  Request& request = *request_;
  pipeline::Inbound& inbound = request.inbound;
  inbound.surface = request.route.surface;
  inbound.only_counts = request.route.only_counts;
  inbound.stream_kind = request.route.stream_kind;
  inbound.knows_usage_option = request.route.knows_usage_option;
  inbound.path = request.route.upstream_path;
  inbound.json = is_json(head.content_type);
  if (is_plain_id(head.x_request_id)) request.client_id = head.x_request_id;
  if (head.speaks_to_us && !read_own_fields(head)) return false;
  inbound.fields.reserve(usual_crossing_bytes);
  bool good = true;
  for (const auto& field : head.fields) {
    if (!protocol::http::crosses_to_upstream(field.name)) continue;
    inbound.fields.append_all(field.name, ": ", field.value, "\r\n");
    // Of those that cross it is the only one of its size.
    if (field.name.size() == idempotency_key.size()) good = good && take_idempotency_key(field.value);
  }
  return good;
}

/// From here on the request's client is one that writes the answer down. A refusal has been answered.
bool Session::take_idempotency_key(std::string_view key) {
  if (request_->route.endpoint != Endpoint::forward) return true;
  const bool visible = std::all_of(key.begin(), key.end(), [](unsigned char c) { return c > ' ' && c < 0x7F; });
  if (visible && !key.empty() && key.size() <= longest_idempotency_key) {
    request_->inbound.idempotent = std::make_unique<pipeline::IdempotentClient>(*this, sha256(key));
    return true;
  }
  refuse({FailureKind::bad_request,
          Source::client,
          "Idempotency-Key must be 1 to 255 visible ASCII characters",
          {},
          "Idempotency-Key"});
  return false;
}

void Session::answer() {
  Services& services = worker_.services();
  switch (request_->route.endpoint) {
    case Endpoint::models: return answer_models();
    case Endpoint::live: return reply(200, json, "{\"status\":\"live\"}");
    case Endpoint::ready:
      if (services.ready) return reply(200, json, "{\"status\":\"ready\"}");
      return reply(503, json, "{\"status\":\"draining\"}", "Retry-After: 1\r\n");
    case Endpoint::metrics: return reply(200, io::Metrics::content_type, services.metrics_text());
    case Endpoint::forward:
    case Endpoint::admin: break;
  }
}

void Session::reply(std::uint16_t status, std::string_view content_type, std::string_view body,
                    std::string_view more_fields) {
  std::string fields(more_fields);
  if (!content_type.empty()) fields.append("Content-Type: ").append(content_type).append("\r\n");
  begin(status, fields, {.length = body.size()});
  write({&body, 1});
}

void Session::refuse(const Failure& failure, std::string_view more_fields) {
  const auto form = protocol::openai::error_form(failure.kind);
  refuse_with(form.status, protocol::error_body(request_->route.surface, failure, form.status, request_id().text()),
              failure.code.empty() ? form.code : std::string_view(failure.code), more_fields);
}

void Session::refuse_head(const protocol::http::Refusal& refusal) {
  // Nothing that follows on this connection can be trusted to be a request.
  request_->keep_alive = false;
  inbox_.clear();
  rest_ = {};
  const std::string_view type = refusal.status >= 500 ? "server_error" : "invalid_request_error";
  refuse_with(refusal.status, protocol::openai::error_body(refusal.reason, type, {}, "bad_http_request"),
              "bad_http_request", {});
}

void Session::refuse_with(std::uint16_t status, std::string_view body, std::string_view code,
                          std::string_view more_fields) {
  pipeline::RequestRecord record;
  begin_record(record);
  record.status = status;
  record.outcome = pipeline::Outcome::client_error;
  record.ended_by = pipeline::EndedBy::gateway;
  record.error_code = code;
  reply(status, json, body, std::string(more_fields) + id_fields());
  close_record(record);
}

const Uuid& Session::request_id() const {
  Request& request = *request_;
  if (!request.id) request.id = Uuid::v7(request.began_at, worker_.loop().random());
  return *request.id;
}

std::string Session::id_fields() const {
  const std::string_view id = request_id().text();
  std::string fields = "X-Request-Id: " + std::string(id) + "\r\n";
  if (request_->route.surface == Surface::anthropic) fields.append("Request-Id: ").append(id).append("\r\n");
  return fields;
}

void Session::begin_record(pipeline::RequestRecord& record) const {
  Request& request = *request_;
  record.request_id = request_id().text();
  record.client_request_id = request.client_id;
  record.method = request.method;
  record.endpoint = request.route.name.empty() ? std::string_view("other") : request.route.name;
  record.began_at = request.began_at;
  if (request.inbound.priority) record.priority = policy::name_of(*request.inbound.priority);
  const bool open = world().snapshot->tenants.empty();
  if (open) record.tenant = "default";
  if (request.caller.key) {
    record.tenant = request.caller.tenant->name;
    record.key = request.caller.key->key.name;
  }
  if (worker_.traces() && plane_ == Plane::data) begin_trace(record);
}

void Session::close_record(pipeline::RequestRecord& record) {
  record.duration = std::chrono::duration_cast<Micros>(worker_.loop().now() - request_->began);
  // Administration and scrapes are not the product's traffic.
  if (plane_ != Plane::data) return;
  if (!request_->counted) worker_.metrics().request_started();
  worker_.metrics().finished(record);
  worker_.log(record);
  if (auto* tracer = worker_.tracer()) tracer->finished(record);
}

}  // namespace tollgate::server
