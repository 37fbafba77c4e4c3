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
  total.sum_micros += cells.sum_micros();
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
  for (std::size_t kind = 0; kind < token_kinds.size(); ++kind) {
    add_count(totals.tokens, {tenant, task, model, std::string(token_kinds[kind])}, cells.tokens[kind].read());
  }
  add_histogram(totals.first_tokens, {route, model}, cells.first_token);
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
  worker.connections.each([this](const auto& labels, const auto& cells) {
    connections[{labels[0], "active"}] += cells.active.read();
    connections[{labels[0], "idle"}] += cells.idle.read();
  });
}

}  // namespace tollgate::io::telemetry
