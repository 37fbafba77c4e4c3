// Wiring and life cycle: the only file that names the concrete parts together. Reads like a parts list, then start,
// reload, drain, end.
#include "gateway.hpp"

#include "tollgate/config/schema.hpp"
#include "tollgate/io/diagnostics.hpp"
#include "tollgate/io/files.hpp"
#include "tollgate/io/idempotency.hpp"
#include "tollgate/io/ledger_store.hpp"
#include "tollgate/io/usage_desk.hpp"
#include "tollgate/pipeline/budget_scopes.hpp"
#include "tollgate/pipeline/live_state.hpp"
#include "tollgate/server/admin_api.hpp"
#include "tollgate/server/listener.hpp"

#include "budget_alerts.hpp"
#include "configuration.hpp"
#include "health_log.hpp"
#include "ledger.hpp"
#include "outgoing.hpp"
#include "stored_keys.hpp"
#include "threads.hpp"
#include "version.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

namespace tollgate::app {

using server::Generation;
using server::Listener;
using server::Plane;
using server::Worker;

namespace {

constexpr Millis watch_interval{1000};
constexpr Millis forget_interval = std::chrono::hours(1);
constexpr std::size_t told_faults = 100;  ///< of a refused configuration, in log and answer; `tollgate check` tells all
constexpr Millis drain_look{20};
constexpr Millis last_words{1000};  ///< for what was cut to send its error event

}  // namespace

class Gateway::Impl {
 public:
  explicit Impl(GatewayOptions options)
      : options_(std::move(options)),
        configuration_(options_.config_file),
        diagnostics_("info"),
        metrics_({.version = version,
                  .revision = revision,
                  .access_log_dropped = [this] { return access_log_ ? access_log_->dropped() : 0; },
                  .health = [this] { return live_.health.figures(std::chrono::steady_clock::now()); },
                  .budgets =
                      [this] {
                        return pipeline::budget_figures(*configuration_.current(), live_,
                                                        std::chrono::system_clock::now());
                      },
                  .ledger = [this] { return ledger_ ? ledger_->figures() : pipeline::LedgerFigures{}; },
                  .alerts = [this] { return outgoing_.alerts().counts(); },
                  .spans = [this] { return outgoing_.spans(); }}),
        resolver_({options_.lookup}),
        outgoing_(diagnostics_, options_.seed, options_.lookup) {}

  /// A look-up that ends now has no loop left to tell.
  ~Impl() {
    resolver_.stop();
    live_.budgets.connect(nullptr);
  }

  Result<void> open();
  int run();
  void request_stop() {
    control_->loop().post([this] { stop(); });
  }
  void request_reload() {
    control_->loop().post([this] { reload_on_request(); });
  }

  const std::vector<std::unique_ptr<Listener>>& data() const { return data_; }
  const Listener& admin() const { return *admin_; }
  const Listener& metrics() const { return *metrics_listener_; }

 private:
  Result<void> make_workers(const config::Snapshot& snapshot);
  Result<void> open_store(const config::Snapshot& snapshot);
  Result<void> open_ledger(const config::Snapshot& snapshot);
  void make_admin_api();
  void make_ready(Generation& generation);
  void tell_certificates(const Generation& generation);
  void on_every_worker(const std::function<void(Worker&)>& action);
  Result<void> open_listeners(const config::Snapshot& snapshot);
  server::ReloadReport reload();
  void reload_on_request();
  void watch_files();
  void forget_old_answers();
  void announce();
  void stop();
  void begin_drain();
  void await_drained(SteadyTime cut_at);
  void finish();
  Worker& first() { return *workers_.front(); }

  GatewayOptions options_;
  Configuration configuration_;
  io::Diagnostics diagnostics_;
  std::unique_ptr<io::AccessLog> access_log_;
  io::Metrics metrics_;
  io::Resolver resolver_;
  Outgoing outgoing_;
  BudgetAlerts budget_alerts_{outgoing_.alerts()};
  server::Services services_{.diagnostics = diagnostics_,
                             .metrics_text = [this] { return metrics_.text(); },
                             .keys_current = [this] { return stored_keys_->current(); },
                             .keys_stale = [this] { return stored_keys_->stale(); }};
  pipeline::LiveState live_;
  // Its requests are the workers', and its last news come from the store.
  std::unique_ptr<io::IdempotencyHub> idempotency_;
  // The workers' requests are put down there, up to their last.
  std::unique_ptr<LedgerBook> ledger_;
  std::unique_ptr<Worker> control_;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Their last answers are posted to the control worker's loop.
  std::unique_ptr<server::AdminApi> admin_api_;
  std::unique_ptr<StoredKeys> stored_keys_;
  std::unique_ptr<io::UsageDesk> usage_;
  std::vector<std::thread> threads_;
  // On the workers' loops, and so gone before them.
  std::vector<std::unique_ptr<Listener>> data_;
  std::unique_ptr<Listener> admin_, metrics_listener_;
  std::unique_ptr<io::Delay> timer_, watch_timer_;
  SteadyTime forget_at_{};
  int stops_ = 0;
  bool cut_ = false;
};

// --- start ---

Result<void> Gateway::Impl::open() {
  std::vector<std::string> faults;
  auto generation = configuration_.load(faults);
  if (!generation) {
    std::string text;
    for (const std::string& fault : faults) text += (text.empty() ? "" : "\n") + fault;
    return Failure{FailureKind::bad_request, Source::gateway, text};
  }
  const config::Snapshot& snapshot = *generation->snapshot;
  diagnostics_.set_level(snapshot.log.level);
  auto log = io::AccessLog::open(snapshot.log.access);
  if (!log) return log.error();
  access_log_ = std::move(*log);
  outgoing_.begin_tracing(io::environment);
  outgoing_.adopt(snapshot);
  live_.budgets.connect(&budget_alerts_);

  if (auto made = make_workers(snapshot); !made) return made;
  if (auto opened = open_store(snapshot); !opened) return opened;
  if (auto opened = open_ledger(snapshot); !opened) return opened;
  io::Store* const store = stored_keys_->store();
  idempotency_ = std::make_unique<io::IdempotencyHub>(store ? io::answers_in(*store) : nullptr);
  services_.idempotency = idempotency_.get();
  make_admin_api();
  make_ready(*generation);
  control_->adopt(*generation);
  for (const auto& worker : workers_) worker->adopt(*generation);
  metrics_.config_loaded(snapshot.generation, std::chrono::system_clock::now());
  return open_listeners(snapshot);
}

Result<void> Gateway::Impl::make_workers(const config::Snapshot& snapshot) {
  const std::size_t count = snapshot.server.threads > 0 ? snapshot.server.threads : usable_cpus();
  std::uint64_t seed = options_.seed;
  if (seed == 0) seed = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  Random seeds(seed);
  const auto make = [&](std::size_t shares) {
    return std::make_unique<Worker>(seeds(), shares, services_, resolver_, metrics_.add_worker(),
                                    access_log_->add_worker());
  };
  control_ = make(0);
  for (std::size_t i = 0; i < count; ++i) {
    workers_.push_back(make(count));
    if (auto* tracer = outgoing_.add_tracer()) workers_.back()->trace_with(*tracer);
    workers_.back()->loop().spin_for(snapshot.server.spin);
  }
  return {};
}

// --- keys and grants ---

Result<void> Gateway::Impl::open_store(const config::Snapshot& snapshot) {
  const auto replace = [this](const KnownKeys& keys) {
    on_every_worker([keys](Worker& worker) { worker.replace_keys(keys); });
  };
  const auto save_answers = [this] { idempotency_->save_again(); };
  stored_keys_ =
      std::make_unique<StoredKeys>(StoredKeys::Parts{control_->loop(), live_, diagnostics_, replace, save_answers});
  if (snapshot.storage.path.empty()) return {};
  usage_ = std::make_unique<io::UsageDesk>(io::ledger_folder(snapshot.storage.path));
  const auto keys = stored_keys_->open(snapshot.storage.path);
  if (!keys) return keys.error();
  for (const auto& key : *keys)
    for (const auto& worker : workers_) worker->add_key(key);
  const SystemTime now = std::chrono::system_clock::now();
  const auto grants = stored_keys_->store()->load_grants(now);
  if (!grants) return grants.error();
  for (const io::GrantRow& row : *grants)
    live_.budgets.grant(policy::budget_id(row.budget), {row.amount, row.until, row.reason}, now);
  return {};
}

Result<void> Gateway::Impl::open_ledger(const config::Snapshot& snapshot) {
  if (snapshot.storage.path.empty()) return {};
  auto opened = LedgerBook::open(snapshot, live_.budgets, diagnostics_);
  if (!opened) return opened.error();
  ledger_ = std::move(*opened);
  for (const auto& worker : workers_) worker->keep_books(ledger_->add_worker());
  return {};
}

void Gateway::Impl::on_every_worker(const std::function<void(Worker&)>& action) {
  for (const auto& worker : workers_) worker->loop().post([&worker = *worker, action] { action(worker); });
}

/// Whom the configuration lets in, and how much of what. Amounts are in force from here on.
void Gateway::Impl::make_ready(Generation& generation) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const SystemTime wall = std::chrono::system_clock::now();
  generation.limits = pipeline::limit_scopes(*generation.snapshot, live_, now);
  generation.budgets = pipeline::budget_scopes(*generation.snapshot, live_, wall);
  generation.health = live_.health.health_of(*generation.snapshot, now);
  for (const config::Tenant& tenant : generation.snapshot->tenants)
    for (const policy::Key& key : tenant.keys) generation.keys.push_back(pipeline::known_key(key, live_, now, wall));
  tell_certificates(generation);
}

void Gateway::Impl::tell_certificates(const Generation& generation) {
  const auto& tls = generation.snapshot->server.tls;
  std::map<std::string, SystemTime> ends;
  if (tls && generation.server_tls) {
    if (const auto end = io::end_of(generation.server_tls)) ends[tls->certificate] = *end;
  }
  metrics_.certificates_loaded(std::move(ends));
}

void Gateway::Impl::make_admin_api() {
  admin_api_ = server::make_admin_api(
      {.loop = control_->loop(),
       .store = stored_keys_->store(),
       .usage = usage_.get(),
       .configuration = [this] { return configuration_.current(); },
       .health = [this] { return control_->world()->health; },
       .budgets = &live_.budgets,
       .reload = [this] { return reload(); },
       .effective_config = [this] { return config::effective(*configuration_.current()); },
       .key_added =
           [this](policy::Key key) {
             const auto known = pipeline::known_key(std::move(key), live_, std::chrono::steady_clock::now(),
                                                    std::chrono::system_clock::now());
             on_every_worker([known](Worker& worker) { worker.add_key(known); });
           },
       .key_revoked =
           [this](const Digest& digest) { on_every_worker([digest](Worker& worker) { worker.remove_key(digest); }); }});
  services_.admin = admin_api_.get();
}

Result<void> Gateway::Impl::open_listeners(const config::Snapshot& snapshot) {
  std::vector<Worker*> data_workers;
  for (const auto& worker : workers_) data_workers.push_back(worker.get());
  for (const config::ListenAddress& address : snapshot.server.listen) {
    auto listener = Listener::open(address, Plane::data, data_workers);
    if (!listener) return listener.error();
    data_.push_back(std::move(*listener));
  }
  auto admin = Listener::open(snapshot.admin.listen, Plane::admin, {control_.get()});
  if (!admin) return admin.error();
  admin_ = std::move(*admin);
  auto metrics = Listener::open(snapshot.metrics.listen, Plane::metrics, {control_.get()});
  if (!metrics) return metrics.error();
  metrics_listener_ = std::move(*metrics);
  return {};
}

int Gateway::Impl::run() {
  services_.ready = true;
  for (const auto& listener : data_) listener->start();
  admin_->start();
  metrics_listener_->start();
  for (const auto& worker : workers_) {
    worker->start_housekeeping();
    threads_.emplace_back([&worker = *worker] { worker.loop().run(); });
  }
  timer_ = std::make_unique<io::Delay>(control_->loop().timers());
  watch_timer_ = std::make_unique<io::Delay>(control_->loop().timers());
  watch_files();
  announce();
  control_->loop().run();

  for (const auto& worker : workers_) worker->loop().stop();
  for (std::thread& thread : threads_) thread.join();
  for (const auto& worker : workers_) worker->end();
  control_->end();
  access_log_->flush();
  outgoing_.stop();
  diagnostics_.info("stopped");
  return 0;
}

void Gateway::Impl::announce() {
  for (const auto& listener : data_)
    diagnostics_.info("listening", {{"plane", "data"}, {"address", listener->address()}});
  diagnostics_.info("listening", {{"plane", "admin"}, {"address", admin_->address()}});
  diagnostics_.info("listening", {{"plane", "metrics"}, {"address", metrics_listener_->address()}});
  const auto snapshot = configuration_.current();
  diagnostics_.info("ready", {{"version", std::string(version)},
                              {"config", snapshot->file},
                              {"digest", snapshot->digest},
                              {"workers", std::to_string(workers_.size())},
                              {"providers", std::to_string(snapshot->providers.size())},
                              {"models", std::to_string(snapshot->models.size())},
                              {"routes", std::to_string(snapshot->routes.size())},
                              {"auth", !snapshot->tenants.empty()                    ? "keys"
                                       : snapshot->server.auth == config::Auth::open ? "open"
                                                                                     : "open, loopback only"}});
}

// --- reload ---

server::ReloadReport Gateway::Impl::reload() {
  server::ReloadReport report;
  auto generation = configuration_.load(report.faults);
  const auto current = configuration_.current();
  report.generation = current->generation;
  report.digest = current->digest;
  if (!generation) {
    metrics_.config_rejected();
    if (report.faults.size() > told_faults) report.faults.resize(told_faults);
    for (const std::string& fault : report.faults) diagnostics_.error("config_rejected", {{"fault", fault}});
    return report;
  }
  report.accepted = true;
  make_ready(*generation);
  report.needs_restart = configuration_.needs_restart();
  diagnostics_.set_level(current->log.level);
  outgoing_.adopt(*current);
  control_->adopt(*generation);
  const auto shared = std::make_shared<const Generation>(std::move(*generation));
  for (const auto& worker : workers_) worker->loop().post([&worker = *worker, shared] { worker.adopt(*shared); });
  metrics_.config_loaded(current->generation, std::chrono::system_clock::now());
  diagnostics_.info("config_loaded",
                    {{"generation", std::to_string(current->generation)}, {"digest", current->digest}});
  for (const std::string& key : report.needs_restart) diagnostics_.warning("restart_needed", {{"key", key}});
  return report;
}

void Gateway::Impl::reload_on_request() {
  reload();
  if (auto reopened = access_log_->reopen(); !reopened)
    diagnostics_.error("access_log_not_reopened", {{"why", reopened.error().message}});
}

void Gateway::Impl::watch_files() {
  watch_timer_->at(control_->loop().now() + watch_interval, [this] {
    if (configuration_.changed()) reload();
    live_.limits.sweep(control_->loop().now());
    live_.budgets.sweep(std::chrono::system_clock::now());
    tell_health(live_.health, diagnostics_);
    forget_old_answers();
    watch_files();
  });
}

void Gateway::Impl::forget_old_answers() {
  const SteadyTime now = control_->loop().now();
  if (now < forget_at_) return;
  forget_at_ = now + forget_interval;
  idempotency_->forget_old(std::chrono::system_clock::now());
}

// --- end ---

void Gateway::Impl::stop() {
  if (++stops_ > 1) return finish();
  services_.ready = false;
  diagnostics_.info("draining", {{"connections", std::to_string(services_.connections)}});
  // Whoever balances load over several of us must see that this one goes before it takes no more connections.
  timer_->at(control_->loop().now() + configuration_.current()->server.drain.delay, [this] { begin_drain(); });
}

void Gateway::Impl::begin_drain() {
  first().loop().post([this] {
    for (const auto& listener : data_) listener->close();
  });
  for (const auto& worker : workers_) worker->loop().post([&worker = *worker] { worker.drain(); });
  await_drained(std::chrono::steady_clock::now() + configuration_.current()->server.drain.limit);
}

void Gateway::Impl::await_drained(SteadyTime cut_at) {
  timer_->at(control_->loop().now() + drain_look, [this, cut_at] {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (services_.connections == 0) return finish();
    if (now < cut_at) return await_drained(cut_at);
    if (std::exchange(cut_, true)) return finish();
    diagnostics_.warning("drain_limit_reached", {{"connections", std::to_string(services_.connections)}});
    for (const auto& worker : workers_) worker->loop().post([&worker = *worker] { worker.cut(); });
    await_drained(now + last_words);
  });
}

void Gateway::Impl::finish() { control_->loop().stop(); }

// --- the public face ---

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::open(GatewayOptions options) {
  std::error_code ignored;
  const auto absolute = std::filesystem::absolute(options.config_file, ignored);
  if (!ignored) options.config_file = absolute.lexically_normal().string();
  auto impl = std::make_unique<Impl>(std::move(options));
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));
}

int Gateway::run() { return impl_->run(); }
void Gateway::request_stop() { impl_->request_stop(); }
void Gateway::request_reload() { impl_->request_reload(); }

std::vector<std::string> Gateway::data_addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : impl_->data()) addresses.push_back(listener->address());
  return addresses;
}
std::string Gateway::admin_address() const { return impl_->admin().address(); }
std::string Gateway::metrics_address() const { return impl_->metrics().address(); }

}  // namespace tollgate::app
