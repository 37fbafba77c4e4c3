// What requests have used and cost, counted once they are over. Money stays whole nano-dollars from the record to the
// printed page, so that the counters and the ledger can be compared digit by digit.
#include "io/telemetry/spending.hpp"

#include <algorithm>

namespace tollgate::io::telemetry {
namespace {

using pipeline::AttemptRecord;
using pipeline::RequestRecord;

std::string_view named(std::string_view label) { return label.empty() ? std::string_view("none") : label; }
std::string_view configured(std::string_view model) { return model.empty() ? std::string_view("other") : model; }

std::uint64_t rest_of(std::uint64_t whole, std::uint64_t parts) { return whole > parts ? whole - parts : 0; }

/// The kinds are disjoint and add up to what was counted. Pictures have no kind of their own.
void count_tokens(SpendingCells& cells, const protocol::Usage& usage) {
  const std::uint64_t written = usage.cache_write + usage.cache_write_long;
  const std::uint64_t input_apart = usage.cached_input + written + usage.audio_input;
  const std::uint64_t output_apart = usage.reasoning + usage.audio_output;
  cells.tokens[0].add(std::max(rest_of(usage.input, input_apart), usage.image_input));
  cells.tokens[1].add(usage.cached_input);
  cells.tokens[2].add(written);
  cells.tokens[3].add(std::max(rest_of(usage.output, output_apart), usage.image_output));
  cells.tokens[4].add(usage.reasoning);
  cells.tokens[5].add(usage.audio_input);
  cells.tokens[6].add(usage.audio_output);
}

bool unpriced(const AttemptRecord& attempt) { return !attempt.cost; }
bool estimated(const AttemptRecord& attempt) { return attempt.estimated; }

/// Once for each model that some attempt of the request gives reason for.
template <class Cell>
void count_doubts(WorkerCells& cells, const RequestRecord& record, bool (*doubtful)(const AttemptRecord&), Cell cell) {
  const auto begin = record.attempts.begin();
  for (auto attempt = begin; attempt != record.attempts.end(); ++attempt) {
    const auto same = [&](const AttemptRecord& other) { return doubtful(other) && other.model == attempt->model; };
    if (doubtful(*attempt) && std::none_of(begin, attempt, same))
      (cells.doubts.at({configured(attempt->model)}).*cell).add(1);
  }
}

/// By index of operation_names.
std::size_t operation_of(std::string_view endpoint) {
  if (endpoint == "/v1/chat/completions" || endpoint == "/v1/responses" || endpoint == "/v1/messages") return 0;
  if (endpoint == "/v1/completions") return 1;
  if (endpoint == "/v1/embeddings") return 2;
  return 3;
}

bool is_shared(const RequestEntry& entry) { return entry.first.front() == "other"; }

SpendingCells& spending_of(WorkerCells& cells, RequestEntry& entry, const RequestRecord& record,
                           std::string_view model) {
  const auto look_up = [&]() -> SpendingCells& {
    return cells.spending.at({named(record.tenant), named(record.task), configured(model)});
  };
  if (model != record.model || is_shared(entry)) return look_up();
  if (!entry.second.spending) entry.second.spending = &look_up();
  return *entry.second.spending;
}

OperationCells& operation_cells(WorkerCells& cells, RequestEntry& entry, std::size_t operation,
                                std::string_view provider, std::string_view model) {
  auto& asked = entry.second.operations[operation];
  if (asked.provider && *asked.provider == provider) return *asked.cells;
  auto& found = cells.operations.entry({operation_names[operation], provider, model});
  // "other" stands for many providers: it is looked up each time.
  if (!is_shared(entry) && found.first[1] == provider) asked = {&found.first[1], &found.second};
  return found.second;
}

}  // namespace

void count_spending(WorkerCells& cells, RequestEntry& entry, const RequestRecord& record) {
  bool told = false;
  for (const AttemptRecord& attempt : record.attempts) {
    if (!attempt.usage && !attempt.cost) continue;
    SpendingCells& spent = spending_of(cells, entry, record, attempt.model);
    if (attempt.usage) {
      count_tokens(spent, *attempt.usage);
      told = true;
    }
    if (!attempt.cost) continue;
    spent.cost.add(attempt.cost->nanos);
    if (attempt.waste != pipeline::Waste::none)
      spent.wasted[static_cast<std::size_t>(attempt.waste)].add(attempt.cost->nanos);
  }
  // The answer's usage where it was not put down with the attempt that brought it.
  if (!told && record.usage) count_tokens(spending_of(cells, entry, record, record.model), *record.usage);
  if (record.unpriced) count_doubts(cells, record, unpriced, &DoubtCells::unpriced);
  if (record.estimated) count_doubts(cells, record, estimated, &DoubtCells::estimated);
}

void count_operation(WorkerCells& cells, RequestEntry& entry, const RequestRecord& record) {
  if (record.attempts.empty()) return;
  const std::string_view target = record.target.empty() ? record.attempts.back().target : record.target;
  const std::string_view provider = named(target.substr(0, target.find('/')));
  const std::size_t operation = operation_of(record.endpoint);
  OperationCells& counted = operation_cells(cells, entry, operation, provider, configured(record.model));
  counted.duration.observe(record.duration);
  if (record.first_token) counted.first_token.observe(*record.first_token);
  if (!record.usage || record.estimated) return;  // the conventions want no number where the provider gave none
  counted.tokens[0].observe(static_cast<std::int64_t>(record.usage->input));
  if (operation_names[operation] != "embeddings")
    counted.tokens[1].observe(static_cast<std::int64_t>(record.usage->output));
}

}  // namespace tollgate::io::telemetry
