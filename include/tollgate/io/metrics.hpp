#pragma once
// Prometheus metrics, listed in docs/metrics.md. Each worker counts in cells of its own and a scrape adds the workers
// up, so no request touches a cache line that another core writes. Series are keyed by names: a reload never moves a
// count.
#include "tollgate/base/clock.hpp"
#include "tollgate/io/alerts.hpp"
#include "tollgate/io/outbound.hpp"
#include "tollgate/pipeline/health_figures.hpp"
#include "tollgate/pipeline/money_figures.hpp"
#include "tollgate/pipeline/record.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::io {

namespace telemetry {
struct WorkerCells;
}

/// The counts of one worker. Only that worker's thread calls; a scrape reads at the same time from another thread.
class WorkerMetrics {
 public:
  explicit WorkerMetrics(std::size_t series_limit);
  ~WorkerMetrics();
  WorkerMetrics(const WorkerMetrics&) = delete;
  WorkerMetrics& operator=(const WorkerMetrics&) = delete;

  /// A request has begun; exactly one finished() ends it.
  void request_started();
  /// Counts a request that is over. No allocation, lock or clock for label values that were seen before.
  void finished(const pipeline::RequestRecord& record);
  void stream_opened();
  void stream_closed();
  /// By how much the connections to a provider changed that carry a request, and that wait in the pool.
  void upstream_connections(std::string_view provider, int active_delta, int idle_delta);

 private:
  friend class Metrics;
  std::unique_ptr<telemetry::WorkerCells> cells_;
};

struct MetricsOptions {
  std::string version = "unknown";   ///< for tollgate_build_info
  std::string revision = "unknown";  ///< the commit it was built from
  /// Asked at each scrape, from the scraping thread; empty means none were dropped.
  std::function<std::uint64_t()> access_log_dropped{};
  /// The same; empty means nothing is known of any target.
  std::function<pipeline::HealthFigures()> health{};
  /// The same; empty means there is no budget, and no ledger.
  std::function<std::vector<pipeline::BudgetFigures>()> budgets{};
  std::function<pipeline::LedgerFigures()> ledger{};
  /// What became of alerts and of spans; empty means that there are none.
  std::function<AlertCounts()> alerts{};
  std::function<OutboundCounts()> spans{};
  /// Most label sets per worker and table; what comes later is counted as "other". Labels are configured names, so this
  /// is a belt.
  std::size_t series_limit = 10'000;
};

/// All workers' counts plus those of the process. Any thread; workers are added before the first scrape or during it.
class Metrics {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4";

  explicit Metrics(MetricsOptions options = {});
  ~Metrics();

  /// Lives as long as this object.
  WorkerMetrics& add_worker();
  /// A configuration is in force since `when`. The first one is the start, each later one a successful reload.
  void config_loaded(std::uint64_t generation, SystemTime when);
  /// The certificates that listeners show to clients from now on, by file, and when each ends.
  void certificates_loaded(std::map<std::string, SystemTime> ends);
  /// A new configuration was refused; the one in force stays.
  void config_rejected();
  /// Everything in Prometheus' text format. Reads /proc/self.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::io
