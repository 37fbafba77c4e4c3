#include "tollgate/base/decimal.hpp"
#include "tollgate/pipeline/serve.hpp"

namespace tollgate::pipeline {

namespace {

void add(ByteBuffer& fields, std::string_view name, std::string_view value) {
  if (!value.empty()) fields.append_all(name, value, "\r\n");
}

}  // namespace

ByteBuffer answer_fields(const Exchange& exchange, std::string_view more) {
  const RequestRecord& record = exchange.record;
  ByteBuffer fields;
  fields.reserve(512 + more.size());
  add(fields, "X-Request-Id: ", record.request_id);
  add(fields, "X-Client-Request-Id: ", record.client_request_id);
  if (exchange.world->snapshot->server.full_response_headers) {
    add(fields, "X-Tollgate-Upstream-Request-Id: ", record.upstream_request_id);
    add(fields, "X-Tollgate-Route: ", record.route);
    if (!record.target.empty()) {
      const auto spent = std::chrono::duration_cast<Micros>(exchange.alarm.now() - exchange.began);
      const Micros overhead = std::max(Micros{0}, spent - record.waited_for_upstream);
      const std::string_view provider = std::string_view(record.target).substr(0, record.target.find('/'));
      fields.append_all(
          "X-Tollgate-Provider: ", provider, "\r\nX-Tollgate-Model: ", record.model,
          "\r\nX-Tollgate-Reason: primary\r\nX-Tollgate-Attempts: ", Decimal(record.attempts.size()).text(),
          "\r\nX-Tollgate-Overhead-Us: ", Decimal(static_cast<std::uint64_t>(overhead.count())).text(), "\r\n");
    }
  }
  fields.append_all(exchange.limit_fields, more);
  return fields;
}

}  // namespace tollgate::pipeline
