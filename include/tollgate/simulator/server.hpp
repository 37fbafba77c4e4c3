#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/simulator/script.hpp"
#include "tollgate/simulator/truth.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::simulator {

struct Options {
  std::optional<Millis>
      idle_close{};             ///< silently closes a connection that waited so long for a request; default never
  Millis idle_close_spread{0};  ///< the wait is drawn from idle_close +- this
  std::size_t close_after_requests = 0;  ///< silently closes after so many answers on a connection; 0 never
  std::string certificate_pem{};         ///< with the key set too: TLS 1.2 and 1.3 only
  std::string private_key_pem{};
  std::string truth_file{};                                   ///< JSON lines are appended here, one write per entry
  std::size_t truth_kept = 10'000;                            ///< entries truth() still knows; older ones are dropped
  std::size_t requests_kept = 0;                              ///< requests that requests() still knows, bodies included
  std::vector<std::string> models{"sim-small", "sim-large"};  ///< what GET /v1/models lists; any name is served
};

struct Gauges {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t requests_received = 0;  ///< read in full
  std::uint64_t requests_active = 0;    ///< of these, not over yet
  std::uint64_t tokens_sent = 0;
};

/// A provider on loopback that speaks OpenAI's wire format and fails on demand. Deterministic by seed and order of
/// requests. It shares no protocol code with the gateway it tests.
///
/// Runs on one thread of its own between start() and stop(). Every member function may be called from any thread.
/// Broken settings or options throw std::invalid_argument from the constructor; an address that cannot be bound throws
/// boost::system::system_error from start().
class Server {
 public:
  explicit Server(const config::SimulatorSettings& settings, Options options = {});
  ~Server();  ///< stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens and serves. `host` must be a loopback address; port 0 lets the system choose. Returns the port. Once only.
  std::uint16_t start(const std::string& host = "127.0.0.1", std::uint16_t port = 0);
  /// Closes everything and joins the thread. Requests under way end as "stopped". Harmless when repeated.
  void stop();
  std::uint16_t port() const;

  /// Queues a script; the next request that matches takes the first one that does.
  void script(Script next);
  std::size_t scripts_left() const;

  std::vector<TruthEntry> truth() const;
  Stats stats() const;
  std::vector<ReceivedRequest> requests() const;
  Gauges gauges() const;
  std::size_t open_connections() const { return gauges().connections_open; }

  /// Waits until `predicate` holds, looking again whenever a gauge, the truth log or the scripts have changed. False:
  /// it did not within `timeout`. The predicate may call this object.
  bool wait_until(const std::function<bool()>& predicate, Millis timeout = seconds(10)) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tollgate::simulator
