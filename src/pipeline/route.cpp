// From the requested name to whom is asked first, and what is cut out of or put into the body for the target that is
// asked now: the one is done once for a request, the other for each attempt.
#include "tollgate/protocol/anthropic/foreign.hpp"
#include "tollgate/protocol/openai/prompt.hpp"

#include "account.hpp"
#include "candidates.hpp"
#include "stages.hpp"

#include <algorithm>
#include <iterator>

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

Result<void> find_task(Exchange& exchange) {
  const std::string_view named = named_task(exchange).name;
  const config::Route* route = exchange.resolution.route;
  if (!route) return {};
  if (named.empty()) {
    if (route->classifies && !route->tasks.empty()) exchange.task = route->task(classify(exchange).task);
    return {};
  }
  exchange.task = route->task(named);
  if (exchange.task) return {};
  if (!route->refuses_unknown_tasks) {
    exchange.warning = "unknown_task";
    return {};
  }
  std::string names;
  for (const config::Task& task : route->tasks) names += (names.empty() ? "" : ", ") + task.name;
  return Failure{FailureKind::bad_request, Source::client,
                 "the route '" + route->name + "' has no task of this name; it has: " + names, "unknown_task", "task"};
}

/// Where something limits the cost and the client has set no limit of its own.
std::optional<std::uint64_t> max_output_to_give(const Exchange& exchange) {
  if (exchange.scan.max_output || exchange.inbound.stream_kind == protocol::openai::StreamKind::opaque) return {};
  return exchange.choice.model->default_max_output;
}

/// Both are sorted, and none overlaps another.
void add_splices(std::vector<protocol::openai::Splice>& to, std::vector<protocol::openai::Splice> more) {
  if (more.empty()) return;
  const auto middle = static_cast<std::ptrdiff_t>(to.size());
  std::ranges::move(more, std::back_inserter(to));
  std::ranges::inplace_merge(to, to.begin() + middle, {}, [](const auto& splice) { return splice.where.begin; });
}

std::string_view max_output_name(protocol::openai::StreamKind kind) {
  switch (kind) {
    case protocol::openai::StreamKind::chat: return "max_completion_tokens";
    case protocol::openai::StreamKind::responses: return "max_output_tokens";
    default: return "max_tokens";
  }
}

}  // namespace

NamedTask named_task(const Exchange& exchange) {
  if (!exchange.inbound.task.empty()) return {exchange.inbound.task, TaskSource::header};
  if (exchange.resolution.task) return {exchange.resolution.task->name, TaskSource::model_name};
  if (!exchange.scan.task_type.empty()) return {exchange.scan.task_type, TaskSource::metadata};
  return {};
}

policy::Classification classify(const Exchange& exchange) {
  const auto text = protocol::openai::read_prompt(exchange.body.view());
  return exchange.world->snapshot->classifier->classify({text.system, text.user, text.tool_names, text.user_length});
}

Result<void> route(Exchange& exchange) {
  const config::Snapshot& snapshot = *exchange.world->snapshot;
  exchange.resolution = snapshot.resolve(exchange.scan.model);
  if (!exchange.resolution.model) return unknown_model(exchange);
  if (auto found = find_task(exchange); !found) return found;
  if (exchange.task) {
    const config::ModelName& primary = exchange.task->dispatch.primary;
    exchange.resolution.model = &snapshot.models[primary.model];
    exchange.resolution.wildcard_part = primary.part;
    exchange.record.task = exchange.task->name;
  }
  if (exchange.resolution.route) exchange.record.route = exchange.resolution.route->name;

  Millis limit = effort_of(exchange).deadline;
  // A client may ask for less time, never for more.
  if (exchange.inbound.timeout) limit = std::min(limit, *exchange.inbound.timeout);
  if (exchange.caller.key) limit = std::min(limit, exchange.caller.key->key.settings.max_timeout.value_or(limit));
  exchange.deadline = exchange.began + limit;

  const config::Model& model = *exchange.resolution.model;
  exchange.choice = {&model,  &model.targets.front(),  exchange.resolution.wildcard_part,
                     nullptr, policy::Reason::primary, nullptr};
  exchange.record.model = model.name;
  exchange.record.target = exchange.choice.target->label;
  return {};
}

void aim(Exchange& exchange, const Choice& choice) {
  const config::Target& target = *choice.target;
  RequestRecord& record = exchange.record;
  exchange.choice = choice;
  exchange.held.reset();
  record.model = choice.model->name;
  record.target = target.label;
  record.outcome = Outcome::ok;
  record.ended_by = EndedBy::nobody;
  record.usage.reset();
  record.upstream_request_id.clear();
  if (!exchange.client.begun()) record.bytes_out = 0;

  protocol::openai::SpliceWishes wishes;
  const std::string_view upstream_name = target.is_wildcard() ? choice.part : target.upstream_model;
  if (upstream_name != exchange.scan.model) wishes.model = upstream_name;
  const bool metered = exchange.scan.stream && exchange.inbound.knows_usage_option &&
                       exchange.world->snapshot->providers[target.provider].inject_stream_usage;
  const bool tells_cost = exchange.inbound.money && exchange.inbound.money->include_cost;
  exchange.given_max_output = is_bounded(exchange) ? max_output_to_give(exchange) : std::nullopt;
  if (exchange.given_max_output)
    wishes.max_output = {max_output_name(exchange.inbound.stream_kind), *exchange.given_max_output};
  wishes.inject_usage = metered && !exchange.scan.include_usage.value_or(false);
  wishes.remove_task_type = !exchange.scan.task_type.empty() && !exchange.scan.store;
  exchange.dropped.clear();
  exchange.splices = protocol::openai::plan_splices(exchange.scan, wishes);
  if (exchange.inbound.stream_kind == protocol::openai::StreamKind::messages) {
    add_splices(exchange.splices, protocol::anthropic::cut_foreign_thinking(exchange.body.view()));
    add_splices(exchange.splices, protocol::anthropic::end_thinking_of_foreign_loop(exchange.body.view()));
  }
  exchange.strip_usage = wishes.inject_usage && !tells_cost;
}

}  // namespace tollgate::pipeline
