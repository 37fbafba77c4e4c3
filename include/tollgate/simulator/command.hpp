#pragma once
#include "tollgate/config/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace tollgate::simulator {

/// `tollgate simulate`: the simulator as a process of its own.
struct CommandOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9000;
  config::SimulatorSettings settings;
  std::string truth_file;
};

/// Serves until SIGINT or SIGTERM. Prints the base URL when it listens. Returns the exit code.
int run(const CommandOptions& options);

/// Registers the subcommand. When it is chosen, parsing sets `chosen` to what main has to run.
void add_simulate_command(CLI::App& app, std::function<int()>& chosen);

/// The same with another thing to do in place of run(), for tests.
void add_simulate_command(CLI::App& app, std::function<int()>& chosen,
                          std::function<int(const CommandOptions&)> action);

}  // namespace tollgate::simulator
