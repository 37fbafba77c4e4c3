#include "stages.hpp"

namespace tollgate::pipeline {

Result<void> parse(Exchange& exchange) {
  exchange.record.bytes_in = exchange.body.size();
  if (!exchange.inbound.json)
    return Failure{FailureKind::unsupported_media, Source::client,
                   "send the request body as Content-Type: application/json"};
  if (auto scanned = protocol::openai::scan_request(exchange.body.view(), exchange.scan); !scanned) return scanned;
  if (exchange.inbound.surface == protocol::Surface::anthropic && exchange.scan.end_user.empty())
    exchange.scan.end_user = exchange.scan.user_id;
  exchange.record.stream = exchange.scan.stream;
  if (exchange.scan.model.empty())
    return Failure{FailureKind::bad_request, Source::client, "you must provide a model parameter",
                   "missing_required_parameter", "model"};
  return {};
}

}  // namespace tollgate::pipeline
