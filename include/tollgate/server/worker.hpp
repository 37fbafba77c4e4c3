#pragma once
// What lives and dies on one thread: a loop, its sessions, its share of the upstreams, and the configuration in force
// there. Nothing of it is locked, since nobody else touches it.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/io/access_log.hpp"
#include "tollgate/io/loop.hpp"
#include "tollgate/io/metrics.hpp"
#include "tollgate/io/tls_context.hpp"
#include "tollgate/io/tracer.hpp"
#include "tollgate/io/upstream.hpp"
#include "tollgate/pipeline/end_user_hashes.hpp"
#include "tollgate/pipeline/idempotency.hpp"
#include "tollgate/pipeline/live_state.hpp"
#include "tollgate/pipeline/ports.hpp"
#include "tollgate/policy/key_table.hpp"
#include "tollgate/server/services.hpp"

#include <boost/intrusive/list.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::server {

class Session;

/// Which listener a connection came in by: they offer different paths and ask for different credentials.
enum class Plane : std::uint8_t { data, admin, metrics };

/// What a worker needs to adopt a configuration; made off the loops, since files are read for it.
struct Generation {
  std::shared_ptr<const config::Snapshot> snapshot;
  std::vector<io::SslContext> upstream_tls;  ///< by provider
  io::SslContext server_tls;                 ///< null: the data listener speaks plain HTTP
  std::shared_ptr<const pipeline::LimitScopes> limits;
  std::shared_ptr<const pipeline::BudgetScopes> budgets;
  std::shared_ptr<const pipeline::Health> health;
  std::vector<std::shared_ptr<const policy::KnownKey>> keys;  ///< those of the file
};

/// One event loop with everything that lives on it. Its own thread, construction, post() and the destructor apart.
class Worker final {
 public:
  /// `upstreams`: what part of the connection limits is this worker's, one in so many; 0 for the control worker, which
  /// calls nobody.
  Worker(std::uint64_t seed, std::size_t upstreams, Services& services, io::Resolver& resolver,
         io::WorkerMetrics& metrics, io::AccessLog::Worker& log);
  ~Worker();

  /// Before the first configuration; outlives this object's requests.
  void trace_with(io::Tracer::Worker& tracer) { tracer_ = &tracer; }
  io::Loop& loop() { return loop_; }
  Services& services() { return services_; }
  /// Where its requests are put down; outlives it. Before adopt().
  void keep_books(pipeline::Ledger& ledger) { ledger_ = &ledger; }
  /// Before run(), or on the loop.
  void adopt(const Generation& generation);
  const std::shared_ptr<const pipeline::World>& world() const { return world_; }

  /// Takes an accepted, non-blocking descriptor over and serves it. On the loop.
  void serve(int descriptor, int family, Plane plane);
  /// Asks idle connections to close and all others to close after their answer. On the loop.
  void drain();
  /// Ends what is still going on: streams with an error event. On the loop.
  void cut();
  /// Ends every session now. Only once the loop has stopped, from the thread that takes the worker down.
  void end();
  bool draining() const { return draining_; }
  bool cutting() const { return cutting_; }
  std::size_t sessions() const;
  /// Once a second while the loop runs: ages idle upstream connections.
  void start_housekeeping();

  /// A key of the store has come or gone. On the loop.
  void add_key(std::shared_ptr<const policy::KnownKey> key);
  void replace_keys(const std::vector<std::shared_ptr<const policy::KnownKey>>& keys);
  void remove_key(const Digest& digest);
  /// Another one each time that find_key() may find something else, or tenants have changed.
  std::uint64_t keys_version() const { return keys_version_; }
  struct FoundKey {
    std::shared_ptr<const policy::KnownKey> key;  ///< null: there is none
    bool unsure = false;                          ///< there may be one, but the store cannot be read
  };
  FoundKey find_key(const Digest& digest) const;

  // For sessions:
  void add(Session& session);
  void remove(Session& session);
  protocol::http::RequestHead& head() { return *head_; }  ///< scratch: valid until the next wait
  /// A buffer for a small body, empty but mostly with room; and one to keep for the next.
  ByteBuffer spare_buffer() { return std::exchange(spare_buffer_, ByteBuffer()); }
  void count_request() { ++requests_; }
  void keep_spare(ByteBuffer buffer) {
    if (buffer.capacity() > largest_spare) return;
    buffer.clear();
    spare_buffer_ = std::move(buffer);
  }
  std::string_view date(SystemTime now);  ///< an IMF-fixdate, cached for a second

  io::WorkerMetrics& metrics() { return metrics_; }
  void log(const pipeline::RequestRecord& record) { log_.write(record); }
  /// Whether anybody asks which trace a request belongs to; and who records its spans, or null.
  bool traces() const { return traces_; }
  io::Tracer::Worker* tracer() const { return tracer_; }

 private:
  void trim_soon();
  void trim();

  struct State;
  io::Loop loop_;
  Services& services_;
  io::WorkerMetrics& metrics_;
  io::AccessLog::Worker& log_;
  io::Upstreams upstreams_;
  pipeline::Ledger* ledger_ = nullptr;
  bool calls_upstreams_;
  std::unique_ptr<State> state_;
  std::unique_ptr<pipeline::IdempotentAnswers> answers_;
  pipeline::EndUserHashes end_users_;
  std::shared_ptr<const pipeline::World> world_;
  policy::KeyTable configured_keys_, stored_keys_;
  std::uint64_t keys_version_ = 0;
  io::SslContext server_tls_;
  std::unique_ptr<protocol::http::RequestHead> head_;
  static constexpr std::size_t largest_spare = 64 * 1024;
  ByteBuffer spare_buffer_;
  std::string date_;
  SystemTime date_from_{}, date_until_{};
  io::Tracer::Worker* tracer_ = nullptr;
  std::uint64_t requests_ = 0;
  bool traces_ = false;
  bool draining_ = false;
  bool cutting_ = false;
};

}  // namespace tollgate::server
