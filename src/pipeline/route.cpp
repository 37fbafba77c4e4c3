#include "stages.hpp"

namespace tollgate::pipeline {

namespace {

Failure unknown_model(const Exchange& exchange) {
  std::string message = "the model '" + exchange.scan.model.substr(0, 128) + "' does not exist here";
  const config::Snapshot& snapshot = *exchange.world->snapshot;
  const auto near = snapshot.near_names(exchange.scan.model, [&](const config::Resolution& resolution) {
    return exchange.caller.may_call(snapshot, resolution);
  });
  for (std::size_t i = 0; i < near.size(); ++i) message += (i == 0 ? "; did you mean '" : "', '") + near[i];
  message += near.empty() ? "; GET /v1/models lists what does" : "'?";
  return {FailureKind::model_not_found, Source::client, std::move(message), "model_not_found", "model"};
}

}  // namespace

Result<void> route(Exchange& exchange) {
  const config::Snapshot& snapshot = *exchange.world->snapshot;
  exchange.resolution = snapshot.resolve(exchange.scan.model);
  if (!exchange.resolution.model) return unknown_model(exchange);

  const config::Model& model = *exchange.resolution.model;
  const config::Target& target = model.targets.front();
  RequestRecord& record = exchange.record;
  record.model = model.name;
  record.target = target.label;
  Millis limit = snapshot.deadline;
  if (exchange.resolution.route) {
    record.route = exchange.resolution.route->name;
    limit = exchange.resolution.route->deadline.value_or(limit);
  }
  // A client may ask for less time, never for more.
  if (exchange.inbound.timeout) limit = std::min(limit, *exchange.inbound.timeout);
  if (exchange.caller.key) limit = std::min(limit, exchange.caller.key->key.settings.max_timeout.value_or(limit));
  exchange.deadline = exchange.began + limit;

  protocol::openai::SpliceWishes wishes;
  const std::string& upstream_name =
      target.upstream_model == "*" ? exchange.resolution.wildcard_part : target.upstream_model;
  if (upstream_name != exchange.scan.model) wishes.model = upstream_name;
  const bool metered = exchange.scan.stream && exchange.inbound.knows_usage_option &&
                       snapshot.providers[target.provider].inject_stream_usage;
  wishes.inject_usage = metered && !exchange.scan.include_usage.value_or(false);
  wishes.remove_task_type = !exchange.scan.task_type.empty() && !exchange.scan.store;
  exchange.splices = protocol::openai::plan_splices(exchange.scan, wishes);
  exchange.strip_usage = wishes.inject_usage;
  return {};
}

}  // namespace tollgate::pipeline
