#include "tollgate/pipeline/serve.hpp"

namespace tollgate::pipeline {

namespace {

void add(std::string& fields, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  fields.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string answer_fields(const Exchange& exchange) {
  const RequestRecord& record = exchange.record;
  std::string fields;
  fields.reserve(512);
  add(fields, "X-Request-Id", record.request_id);
  add(fields, "X-Client-Request-Id", record.client_request_id);
  if (!exchange.world->snapshot->server.full_response_headers) return fields;

  add(fields, "X-Tollgate-Upstream-Request-Id", record.upstream_request_id);
  add(fields, "X-Tollgate-Route", record.route);
  if (record.target.empty()) return fields;
  add(fields, "X-Tollgate-Provider", std::string_view(record.target).substr(0, record.target.find('/')));
  add(fields, "X-Tollgate-Model", record.model);
  add(fields, "X-Tollgate-Reason", "primary");
  add(fields, "X-Tollgate-Attempts", std::to_string(record.attempts.size()));
  const auto spent = std::chrono::duration_cast<Micros>(exchange.alarm.now() - exchange.began);
  add(fields, "X-Tollgate-Overhead-Us",
      std::to_string(std::max(Micros{0}, spent - record.waited_for_upstream).count()));
  return fields;
}

}  // namespace tollgate::pipeline
