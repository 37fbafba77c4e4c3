#pragma once
#include "tollgate/config/loader.hpp"
#include "tollgate/config/store.hpp"
#include "tollgate/io/file_watch.hpp"
#include "tollgate/server/worker.hpp"
#include "tollgate/simulator/server.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tollgate::app {

/// What the loader reads from in the real world.
config::Sources real_sources();

/// The file to read: `given`, else TOLLGATE_CONFIG, else config/routes.yaml.
std::string config_file(const std::string& given);

/// Keeps the configuration in force: loads it, starts the simulators it asks for, and makes each generation ready for
/// the workers. One thread, the control thread; it reads files and may take a moment.
class Configuration {
 public:
  explicit Configuration(std::string file);
  ~Configuration();

  /// Loads and publishes. On faults nothing has changed; they come back as lines.
  Result<server::Generation> load(std::vector<std::string>& faults);
  std::shared_ptr<const config::Snapshot> current() const { return store_.current(); }
  /// Keys that differ between the last two generations and take effect only with a restart.
  const std::vector<std::string>& needs_restart() const { return needs_restart_; }
  /// Whether a file has changed since the last load; see FileWatch.
  bool changed() { return watch_.changed(); }

 private:
  struct RunningSimulator {
    config::SimulatorSettings settings;
    std::unique_ptr<simulator::Server> server;
  };
  /// Puts the address of a running simulator where a provider has none of its own.
  void attach_simulators(config::Snapshot& snapshot);

  std::string file_;
  config::Store store_;
  io::FileWatch watch_;
  std::vector<std::string> needs_restart_;
  std::map<std::string, RunningSimulator> simulators_;  ///< by provider name
};

}  // namespace tollgate::app
