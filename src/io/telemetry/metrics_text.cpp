// The scrape: adds the workers up and writes every metric in Prometheus' text format. Names, labels and meanings stand
// here once in code and once in docs/metrics.md; a test holds the two together.
#include "tollgate/io/metrics.hpp"

#include "io/telemetry/cells.hpp"
#include "io/telemetry/money_text.hpp"
#include "io/telemetry/process.hpp"
#include "io/telemetry/totals.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <mutex>
#include <span>
#include <utility>

namespace tollgate::io {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using telemetry::HistogramTotal;
using telemetry::LabelValues;
using LabelNames = std::vector<std::string>;

std::vector<ClientMetric::Label> labels_of(const LabelNames& names, const LabelValues& values) {
  std::vector<ClientMetric::Label> labels(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    labels[i].name = names[i];
    labels[i].value = values[i];
  }
  return labels;
}

/// `unit`: how many of what is counted make one of what is printed.
ClientMetric::Histogram histogram_of(const HistogramTotal& total, std::span<const std::int64_t> bounds, double unit) {
  ClientMetric::Histogram histogram;
  for (std::size_t i = 0; i < total.buckets.size(); ++i) {
    histogram.sample_count += total.buckets[i];
    const bool last = i == bounds.size();
    histogram.bucket.push_back({histogram.sample_count, last ? std::numeric_limits<double>::infinity()
                                                             : static_cast<double>(bounds[i]) / unit});
  }
  histogram.sample_sum = static_cast<double>(total.sum) / unit;
  return histogram;
}

/// Collects families in the order in which they are printed.
class Page {
 public:
  template <class Number>
  void counters(const char* name, const char* help, const LabelNames& names,
                const std::map<LabelValues, Number>& values) {
    start(name, help, MetricType::Counter);
    for (const auto& [labels, value] : values) add(names, labels).counter.value = static_cast<double>(value);
  }
  template <class Number>
  void gauges(const char* name, const char* help, const LabelNames& names,
              const std::map<LabelValues, Number>& values) {
    start(name, help, MetricType::Gauge);
    for (const auto& [labels, value] : values) add(names, labels).gauge.value = static_cast<double>(value);
  }
  void histograms(const char* name, const char* help, const LabelNames& names,
                  const std::map<LabelValues, HistogramTotal>& values, std::span<const std::int64_t> bounds,
                  double unit = 1e6) {
    start(name, help, MetricType::Histogram);
    for (const auto& [labels, value] : values) add(names, labels).histogram = histogram_of(value, bounds, unit);
  }
  template <class Number>
  void counter(const char* name, const char* help, Number value) {
    counters(name, help, {}, std::map<LabelValues, Number>{{{}, value}});
  }
  template <class Number>
  void gauge(const char* name, const char* help, Number value) {
    gauges(name, help, {}, std::map<LabelValues, Number>{{{}, value}});
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void start(const char* name, const char* help, MetricType type) {
    auto& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
  }
  ClientMetric& add(const LabelNames& names, const LabelValues& values) {
    auto& metric = families_.back().metric.emplace_back();
    metric.label = labels_of(names, values);
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
};

void write_requests(Page& page, const telemetry::Totals& totals) {
  page.counters("tollgate_requests_total", "Finished requests.",
                {"tenant", "route", "task", "model", "outcome", "stream"}, totals.requests);
  page.counters("tollgate_attempts_total", "Attempts made at upstreams.", {"target", "credential", "outcome"},
                totals.attempts);
  page.counters("tollgate_retries_total", "Attempts that asked the target once more that had just failed.",
                {"target", "reason"}, totals.retries);
  page.counters("tollgate_fallbacks_total", "Attempts that asked another target than the one before.",
                {"from", "to", "reason"}, totals.fallbacks);
  page.counters("tollgate_tokens_total", "Tokens as upstreams reported them; the kinds are disjoint.",
                {"tenant", "task", "model", "kind"}, totals.tokens);
  page.counters("tollgate_rate_limited_requests_total", "Requests turned away by a limit, by whose and what it is.",
                {"tenant", "limit"}, totals.limited);
  page.histograms("tollgate_request_duration_seconds",
                  "From the first byte of a request's head to the last byte of its answer.",
                  {"route", "model", "stream"}, totals.durations, telemetry::request_bounds);
  page.histograms("tollgate_time_to_first_token_seconds",
                  "From the first byte of a request's head to the first content sent, for streams.", {"route", "model"},
                  totals.first_tokens, telemetry::request_bounds);
  page.histograms("tollgate_overhead_seconds", "Duration of a request less the time spent waiting for the upstream.",
                  {}, {{{}, totals.overhead}}, telemetry::overhead_bounds);
  page.gauge("tollgate_in_flight_requests", "Requests that have begun and not ended.", totals.in_flight);
  page.gauge("tollgate_streams_active", "Streams being relayed.", totals.streams);
  page.gauges("tollgate_upstream_connections", "Connections to upstreams, by what they do.", {"provider", "state"},
              totals.connections);
}

void write_money(Page& page, const telemetry::Totals& totals) {
  page.counters("tollgate_unpriced_requests_total", "Requests with an attempt at the model whose price is not known.",
                {"model"}, totals.unpriced);
  page.counters("tollgate_estimated_requests_total",
                "Requests with an attempt at the model whose usage its provider did not tell.", {"model"},
                totals.estimated);
}

/// The same by label values, of which none is empty.
template <class Value, class Show>
auto labelled(const std::map<LabelValues, Value>& figures, Show show) {
  std::map<LabelValues, decltype(show(std::declval<Value>()))> values;
  for (const auto& [names, figure] : figures) {
    LabelValues labels = names;
    std::replace(labels.begin(), labels.end(), std::string(), std::string("none"));
    values.emplace(std::move(labels), show(figure));
  }
  return values;
}

void write_ledger(Page& page, const MetricsOptions& options) {
  std::map<LabelValues, pipeline::LedgerFigures> ledger;
  if (options.ledger) ledger[{}] = options.ledger();
  using Figures = pipeline::LedgerFigures;
  const auto lag = [](const Figures& figures) { return std::chrono::duration<double>(figures.lag).count(); };
  page.gauges("tollgate_ledger_lag_seconds", "Age of the oldest record that is not in the ledger's store yet.", {},
              labelled(ledger, lag));
  page.gauges("tollgate_ledger_journal_bytes", "What the journal holds on disk.", {},
              labelled(ledger, [](const Figures& figures) { return figures.journal_bytes; }));
  page.gauges("tollgate_ledger_writable", "1 while the journal takes reservations.", {},
              labelled(ledger, [](const Figures& figures) { return figures.writable ? 1 : 0; }));
}

/// Names and buckets as OpenTelemetry's semantic conventions for generative AI have them (version 1.41).
void write_operations(Page& page, const telemetry::Totals& totals) {
  const LabelNames names{"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"};
  LabelNames by_type = names;
  by_type.emplace_back("gen_ai_token_type");
  page.histograms("gen_ai_client_token_usage", "Tokens of one request, as its provider reported them.", by_type,
                  totals.operation_tokens, telemetry::token_bounds, 1);
  page.histograms("gen_ai_client_operation_duration_seconds", "Duration of one request that a provider was asked.",
                  names, totals.operation_durations, telemetry::operation_bounds);
  page.histograms("gen_ai_server_time_to_first_token_seconds", "Time to the first content of a stream.", names,
                  totals.operation_first_tokens, telemetry::server_first_token_bounds);
}

int level_of(policy::CircuitState state) {
  switch (state) {
    case policy::CircuitState::closed: return 0;
    case policy::CircuitState::half_open: return 1;
    case policy::CircuitState::open: return 2;
  }
  return 0;  // GCOVR_EXCL_LINE: every state has returned
}

void write_health(Page& page, const pipeline::HealthFigures& health) {
  using OfCircuit = pipeline::HealthFigures::OfCircuit;
  const auto same = [](auto value) { return value; };
  page.gauges("tollgate_circuit_state", "0 closed, 1 half-open, 2 open.", {"target", "credential"},
              labelled(health.circuits, [](const OfCircuit& circuit) { return level_of(circuit.state); }));
  page.gauges("tollgate_circuit_forced", "1 while an operator holds the circuit open or closed.",
              {"target", "credential"},
              labelled(health.circuits, [](const OfCircuit& circuit) { return circuit.forced ? 1 : 0; }));
  page.counters("tollgate_circuit_transitions_total", "Changes of a circuit, by the state that it changed to.",
                {"target", "credential", "to"}, labelled(health.transitions, same));
  page.counters("tollgate_retry_denied_total", "Repeats that were not made since the target's retry budget was spent.",
                {"target"}, labelled(health.repeats_denied, same));
  page.gauges("tollgate_credentials_set_aside", "1 while a credential is not used since its provider refuses it.",
              {"provider", "credential"}, labelled(health.set_aside, [](bool aside) { return aside ? 1 : 0; }));
}

using Results = std::map<LabelValues, std::uint64_t>;

Results results_of(const OutboundCounts& counts) {
  return {{{"sent"}, counts.sent}, {{"failed"}, counts.failed}, {{"dropped"}, counts.dropped}};
}

/// What the gateway sends on its own account.
void write_outgoing(Page& page, const AlertCounts& alerts, const OutboundCounts& spans) {
  Results alert_results = results_of(alerts.posts);
  alert_results[{"logged"}] = alerts.logged;
  page.counters("tollgate_alerts_total", "Alerts, by what became of them.", {"result"}, alert_results);
  page.counters("tollgate_spans_total", "Spans of sampled requests, by what became of them.", {"result"},
                results_of(spans));
}

void write_process(Page& page) {
  const auto process = telemetry::read_process_status();
  page.counter("process_cpu_seconds_total", "User and system CPU time spent.", process.cpu_seconds);
  page.gauge("process_resident_memory_bytes", "Memory in RAM.", process.resident_bytes);
  page.gauge("process_virtual_memory_bytes", "Address space in use.", process.virtual_bytes);
  page.gauge("process_open_fds", "Open file descriptors.", process.open_descriptors);
  page.gauge("process_max_fds", "Most file descriptors that may be open.", process.max_descriptors);
  page.gauge("process_threads", "Threads.", process.threads);
  page.gauge("process_start_time_seconds", "Start of the process, seconds since the epoch.",
             process.start_time_seconds);
}

const char* compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

}  // namespace

struct Metrics::State {
  MetricsOptions options;
  mutable std::mutex mutex;  // over everything below; the workers' cells look after themselves
  std::deque<WorkerMetrics> workers;
  std::uint64_t generation = 0;
  std::uint64_t reloads_done = 0;
  std::uint64_t reloads_refused = 0;
  bool last_reload_successful = false;
  SystemTime last_success{};
  std::map<LabelValues, double> certificates;  // file to the second at which it ends
};

Metrics::Metrics(MetricsOptions options) : state_(std::make_unique<State>()) { state_->options = std::move(options); }
Metrics::~Metrics() = default;

WorkerMetrics& Metrics::add_worker() {
  const std::lock_guard lock(state_->mutex);
  return state_->workers.emplace_back(state_->options.series_limit);
}

void Metrics::config_loaded(std::uint64_t generation, SystemTime when) {
  const std::lock_guard lock(state_->mutex);
  if (state_->generation != 0) ++state_->reloads_done;
  state_->generation = generation;
  state_->last_reload_successful = true;
  state_->last_success = when;
}

void Metrics::certificates_loaded(std::map<std::string, SystemTime> ends) {
  const std::lock_guard lock(state_->mutex);
  state_->certificates.clear();
  for (const auto& [file, end] : ends)
    state_->certificates[{file}] = std::chrono::duration<double>(end.time_since_epoch()).count();
}

void Metrics::config_rejected() {
  const std::lock_guard lock(state_->mutex);
  ++state_->reloads_refused;
  state_->last_reload_successful = false;
}

std::string Metrics::text() const {
  const State& state = *state_;
  Page page;
  telemetry::Totals totals;
  {
    const std::lock_guard lock(state.mutex);
    totals.overhead.buckets.resize(telemetry::overhead_bounds.size() + 1);
    for (const auto& worker : state.workers) totals.add(*worker.cells_);
    write_requests(page, totals);
    write_money(page, totals);
    write_operations(page, totals);
    page.gauge("tollgate_config_generation", "Number of the configuration in force.", state.generation);
    page.counters(
        "tollgate_config_reloads_total", "Reloads of the configuration.", {"result"},
        std::map<LabelValues, std::uint64_t>{{{"success"}, state.reloads_done}, {{"failure"}, state.reloads_refused}});
    page.gauge("tollgate_config_last_reload_successful", "1 if the last configuration read was accepted.",
               state.last_reload_successful ? 1 : 0);
    page.gauge("tollgate_config_last_reload_success_timestamp_seconds",
               "When the configuration in force was accepted, seconds since the epoch.",
               std::chrono::duration<double>(state.last_success.time_since_epoch()).count());
    page.gauges("tollgate_certificate_expiry_timestamp_seconds",
                "When a certificate that listeners show ends, seconds since the epoch.", {"file"}, state.certificates);
  }
  const auto& options = state.options;
  write_health(page, options.health ? options.health() : pipeline::HealthFigures{});
  page.counter("tollgate_access_log_dropped_total",
               "Access log lines lost because the destination was too slow or failed.",
               options.access_log_dropped ? options.access_log_dropped() : 0);
  write_outgoing(page, options.alerts ? options.alerts() : AlertCounts{},
                 options.spans ? options.spans() : OutboundCounts{});
  page.gauges("tollgate_build_info", "Always 1; the labels say what is running.", {"version", "revision", "compiler"},
              std::map<LabelValues, int>{{{options.version, options.revision, compiler()}, 1}});
  write_ledger(page, options);
  write_process(page);
  std::string text = page.text();
  telemetry::append_money(text, totals, options.budgets ? options.budgets() : std::vector<pipeline::BudgetFigures>());
  return text;
}

}  // namespace tollgate::io
