#include "configuration.hpp"

#include "tollgate/io/files.hpp"
#include "tollgate/io/time_zones.hpp"

namespace tollgate::app {

config::Sources real_sources() {
  return {io::read_file, io::glob_files, io::environment, io::read_time_zone, io::time_zone_names};
}

std::string config_file(const std::string& given) {
  if (!given.empty()) return given;
  const std::string environment = io::environment("TOLLGATE_CONFIG").value_or("");
  return environment.empty() ? "config/routes.yaml" : environment;
}

Configuration::Configuration(std::string file) : file_(std::move(file)), watch_({file_}) {}

Configuration::~Configuration() = default;

Result<server::Generation> Configuration::load(std::vector<std::string>& faults) {
  const Failure refused{FailureKind::bad_request, Source::gateway, "the configuration is not valid"};
  const config::Loaded loaded = config::load(file_, real_sources());
  for (const config::Fault& fault : loaded.faults) faults.push_back(config::to_text(fault));
  if (!loaded.snapshot) return refused;

  auto snapshot = std::make_shared<config::Snapshot>(*loaded.snapshot);
  server::Generation generation;
  auto contexts = io::make_client_contexts(*snapshot);
  if (!contexts) {
    faults.push_back(contexts.error().message);
    return refused;
  }
  generation.upstream_tls = std::move(*contexts);
  if (snapshot->server.tls) {
    auto context = io::make_server_context(*snapshot->server.tls);
    if (!context) {
      faults.push_back("server.tls: " + context.error().message);
      return refused;
    }
    generation.server_tls = std::move(*context);
  }

  // Nothing can fail from here on.
  attach_simulators(*snapshot);
  const auto before = store_.current();
  generation.snapshot = store_.publish(snapshot);
  needs_restart_ = before ? config::restart_only_changes(*before, *generation.snapshot) : std::vector<std::string>{};
  watch_.watch(snapshot->files, snapshot->include_patterns);
  return generation;
}

void Configuration::attach_simulators(config::Snapshot& snapshot) {
  std::map<std::string, RunningSimulator> running;
  for (config::Provider& provider : snapshot.providers) {
    if (!provider.simulator) continue;
    auto known = simulators_.find(provider.name);
    RunningSimulator simulator;
    if (known != simulators_.end() && known->second.settings == *provider.simulator) {
      simulator = std::move(known->second);
    } else {
      simulator.settings = *provider.simulator;
      simulator.server = std::make_unique<simulator::Server>(*provider.simulator);
      simulator.server->start();
    }
    provider.host = "127.0.0.1";
    provider.port = simulator.server->port();
    provider.base_path = provider.protocol == config::Protocol::openai ? "/v1" : "";
    running.emplace(provider.name, std::move(simulator));
  }
  // One whose settings changed ends here, and with it what it was still answering.
  simulators_ = std::move(running);
}

}  // namespace tollgate::app
