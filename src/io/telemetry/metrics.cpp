#include "tollgate/io/metrics.hpp"

#include "io/telemetry/cells.hpp"
#include "io/telemetry/spending.hpp"

namespace tollgate::io {
namespace {

std::string_view named(std::string_view label) { return label.empty() ? std::string_view("none") : label; }

/// Why another attempt followed: by what it was chosen, where that says more than how the one before ended.
std::string_view cause_of(const pipeline::AttemptRecord& failed, const pipeline::AttemptRecord& next) {
  switch (next.reason) {
    case policy::Reason::rate_limited:
    case policy::Reason::credential_refused:
    case policy::Reason::context_window:
    case policy::Reason::hedge: return policy::name_of(next.reason);
    default: return pipeline::name_of(failed.outcome);
  }
}

void count_further_attempts(telemetry::WorkerCells& cells, const std::vector<pipeline::AttemptRecord>& attempts) {
  for (std::size_t i = 1; i < attempts.size(); ++i) {
    const auto &failed = attempts[i - 1], &next = attempts[i];
    const std::string_view from = named(failed.target), to = named(next.target), cause = cause_of(failed, next);
    if (from == to)
      cells.retries.at({to, cause}).add(1);
    else
      cells.fallbacks.at({from, to, cause}).add(1);
  }
}

}  // namespace

WorkerMetrics::WorkerMetrics(std::size_t series_limit)
    : cells_(std::make_unique<telemetry::WorkerCells>(series_limit)) {}
WorkerMetrics::~WorkerMetrics() = default;

void WorkerMetrics::request_started() { cells_->in_flight.add(1); }
void WorkerMetrics::stream_opened() { cells_->streams.add(1); }
void WorkerMetrics::stream_closed() { cells_->streams.add(-1); }

void WorkerMetrics::finished(const pipeline::RequestRecord& record) {
  cells_->in_flight.add(-1);
  cells_->overhead.observe(record.overhead());
  auto& entry =
      cells_->requests.entry({named(record.tenant), named(record.route), named(record.task), named(record.model)});
  auto& cells = entry.second;
  cells.requests[static_cast<std::size_t>(record.outcome)][record.stream].add(1);
  cells.duration[record.stream].observe(record.duration);
  if (record.first_token) cells.first_token.observe(*record.first_token);
  if (!record.limit.empty()) cells_->limited.at({named(record.tenant), record.limit}).add(1);
  for (const auto& attempt : record.attempts) {
    auto& by_outcome = cells_->attempts.at({named(attempt.target), named(attempt.credential)});
    by_outcome[static_cast<std::size_t>(attempt.outcome)].add(1);
  }
  telemetry::count_spending(*cells_, entry, record);
  telemetry::count_operation(*cells_, entry, record);
  if (record.attempts.size() > 1) count_further_attempts(*cells_, record.attempts);
}

void WorkerMetrics::upstream_connections(std::string_view provider, int active_delta, int idle_delta) {
  auto& cells = cells_->connections.at({named(provider)});
  cells.active.add(active_delta);
  cells.idle.add(idle_delta);
}

}  // namespace tollgate::io
