// Adds the workers' cells up at the scrape. What was counted by several labels together is split here into the metrics
// that have fewer of them, so that the request path looks a cell up once.
#include "io/telemetry/totals.hpp"

#include "tollgate/pipeline/record.hpp"

namespace tollgate::io::telemetry {
namespace {

const char* text_of(bool value) { return value ? "true" : "false"; }

std::string outcome_name(std::size_t index) {
  return std::string(pipeline::name_of(static_cast<pipeline::Outcome>(index)));
}

template <const auto& Bounds>
void add_histogram(HistogramTotal& total, const Histogram<Bounds>& cells) {
  total.buckets.resize(cells.bucket_count);
  for (std::size_t i = 0; i < cells.bucket_count; ++i) total.buckets[i] += cells.bucket(i);
  total.sum += cells.sum();
}

template <const auto& Bounds>
bool has_observations(const Histogram<Bounds>& cells) {
  for (std::size_t i = 0; i < cells.bucket_count; ++i) {
    if (cells.bucket(i) > 0) return true;
  }
  return false;
}

template <const auto& Bounds>
void add_histogram(std::map<LabelValues, HistogramTotal>& totals, LabelValues labels, const Histogram<Bounds>& cells) {
  if (has_observations(cells)) add_histogram(totals[std::move(labels)], cells);
}

void add_count(std::map<LabelValues, std::uint64_t>& totals, LabelValues labels, std::uint64_t count) {
  if (count > 0) totals[std::move(labels)] += count;
}

void add_requests(Totals& totals, const std::array<std::string, 4>& labels, const RequestCells& cells) {
  const auto& [tenant, route, task, model] = labels;
  for (const bool stream : {false, true}) {
    for (std::size_t outcome = 0; outcome < outcome_count; ++outcome) {
      add_count(totals.requests, {tenant, route, task, model, outcome_name(outcome), text_of(stream)},
                cells.requests[outcome][stream].read());
    }
    add_histogram(totals.durations, {route, model, text_of(stream)}, cells.duration[stream]);
  }
  add_histogram(totals.first_tokens, {route, model}, cells.first_token);
}

void add_money(std::map<LabelValues, Money>& totals, LabelValues labels, std::int64_t nanos) {
  if (nanos != 0) totals[std::move(labels)] += Money{nanos};
}

void add_spending(Totals& totals, const std::array<std::string, 3>& labels, const SpendingCells& cells) {
  const auto& [tenant, task, model] = labels;
  for (std::size_t kind = 0; kind < token_kinds.size(); ++kind) {
    add_count(totals.tokens, {tenant, task, model, std::string(token_kinds[kind])}, cells.tokens[kind].read());
  }
  add_money(totals.cost, {tenant, task, model}, cells.cost.read());
  for (std::size_t waste = 0; waste < waste_count; ++waste) {
    const std::string_view reason = pipeline::name_of(static_cast<pipeline::Waste>(waste));
    add_money(totals.wasted, {tenant, model, std::string(reason)}, cells.wasted[waste].read());
  }
}

void add_operations(Totals& totals, const std::array<std::string, 3>& labels, const OperationCells& cells) {
  const auto& [operation, provider, model] = labels;
  const LabelValues plain{operation, provider, model};
  add_histogram(totals.operation_tokens, {operation, provider, model, "input"}, cells.tokens[0]);
  add_histogram(totals.operation_tokens, {operation, provider, model, "output"}, cells.tokens[1]);
  add_histogram(totals.operation_durations, plain, cells.duration);
  add_histogram(totals.operation_first_tokens, plain, cells.first_token);
}

}  // namespace

void Totals::add(const WorkerCells& worker) {
  in_flight += worker.in_flight.read();
  streams += worker.streams.read();
  add_histogram(overhead, worker.overhead);
  worker.requests.each([this](const auto& labels, const auto& cells) { add_requests(*this, labels, cells); });
  worker.attempts.each([this](const auto& labels, const auto& cells) {
    for (std::size_t outcome = 0; outcome < outcome_count; ++outcome) {
      add_count(attempts, {labels[0], labels[1], outcome_name(outcome)}, cells[outcome].read());
    }
  });
  worker.retries.each([this](const auto& labels, const auto& count) {
    add_count(retries, {labels[0], labels[1]}, count.read());
  });
  worker.fallbacks.each([this](const auto& labels, const auto& count) {
    add_count(fallbacks, {labels[0], labels[1], labels[2]}, count.read());
  });
  worker.limited.each([this](const auto& labels, const auto& count) {
    add_count(limited, {labels[0], labels[1]}, count.read());
  });
  worker.spending.each([this](const auto& labels, const auto& cells) { add_spending(*this, labels, cells); });
  worker.doubts.each([this](const auto& labels, const auto& cells) {
    add_count(unpriced, {labels[0]}, cells.unpriced.read());
    add_count(estimated, {labels[0]}, cells.estimated.read());
  });
  worker.operations.each([this](const auto& labels, const auto& cells) { add_operations(*this, labels, cells); });
  worker.connections.each([this](const auto& labels, const auto& cells) {
    connections[{labels[0], "active"}] += cells.active.read();
    connections[{labels[0], "idle"}] += cells.idle.read();
  });
}

}  // namespace tollgate::io::telemetry
