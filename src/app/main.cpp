// The command line: what each command does and how it ends. Exit codes: 0 good, 1 failed, 2 wrong usage. Signals are
// taken here, so that the gateway itself can run inside a test.
#include "tollgate/config/schema.hpp"
#include "tollgate/simulator/command.hpp"

#include "configuration.hpp"
#include "gateway.hpp"
#include "keys_command.hpp"
#include "prices_command.hpp"
#include "ready_command.hpp"
#include "usage_command.hpp"
#include "version.hpp"

#include <CLI/CLI.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

namespace tollgate::app {
namespace {

constexpr int failed = 1;
constexpr int wrong_usage = 2;

/// Signals are taken by one thread that waits for them, so that no handler runs in the middle of anything.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  void deliver_to(Gateway& gateway) {
    thread_ = std::thread([this, &gateway] {
      for (int signal = 0; sigwait(&set_, &signal) == 0 && signal != SIGUSR1;) {
        if (signal == SIGHUP)
          gateway.request_reload();
        else
          gateway.request_stop();
      }
    });
  }
  void end() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

 private:
  sigset_t set_{};
  std::thread thread_;
};

int serve(const std::string& file) {
  Signals signals;
  GatewayOptions options;
  options.config_file = file;
  auto gateway = Gateway::open(std::move(options));
  if (!gateway) {
    std::fprintf(stderr, "%s\n", gateway.error().message.c_str());
    return failed;
  }
  signals.deliver_to(**gateway);
  const int code = (*gateway)->run();
  signals.end();
  return code;
}

int check(const std::string& file, bool allow_unset) {
  config::LoadOptions options;
  options.allow_unset = allow_unset;
  const config::Loaded loaded =
      config::load(std::filesystem::absolute(file).lexically_normal().string(), real_sources(), options);
  for (const config::Fault& fault : loaded.faults) std::fprintf(stderr, "%s\n", config::to_text(fault).c_str());
  for (const std::string& note : loaded.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  if (!loaded.snapshot) {
    std::fprintf(stderr, "%zu fault%s\n", loaded.faults.size(), loaded.faults.size() == 1 ? "" : "s");
    return failed;
  }
  if (!loaded.snapshot->models.empty()) warn_of_unpriced(*loaded.snapshot);
  std::printf("%s is valid: %zu providers, %zu models, %zu routes\n", file.c_str(), loaded.snapshot->providers.size(),
              loaded.snapshot->models.size(), loaded.snapshot->routes.size());
  return 0;
}

int run(int argc, char** argv) {
  CLI::App cli("tollgate: an OpenAI-compatible gateway for LLM APIs", "tollgate");
  cli.require_subcommand(1);
  std::function<int()> chosen;

  std::string file;
  CLI::App* serve_command = cli.add_subcommand("serve", "Run the gateway");
  serve_command->add_option("--config", file, "The configuration (TOLLGATE_CONFIG, else config/routes.yaml)");
  serve_command->callback([&] { chosen = [&] { return serve(config_file(file)); }; });

  bool allow_unset = false;
  CLI::App* check_command = cli.add_subcommand("check", "Check a configuration and list all its faults");
  check_command->add_option("file", file, "The configuration")->required();
  check_command->add_flag("--allow-unset", allow_unset, "Accept references to variables and files that are not there");
  check_command->callback([&] { chosen = [&] { return check(file, allow_unset); }; });

  cli.add_subcommand("schema", "Print the JSON Schema of routes.yaml")->callback([&] {
    chosen = [] {
      std::printf("%s\n", config::schema().c_str());
      return 0;
    };
  });
  cli.add_subcommand("version", "Print the version")->callback([&] {
    chosen = [] {
      std::printf("tollgate %s (%s)\n", version, revision);
      return 0;
    };
  });
  simulator::add_simulate_command(cli, chosen);
  add_keys_command(cli, chosen);
  add_prices_command(cli, chosen);
  add_ready_command(cli, chosen);
  add_usage_command(cli, chosen);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : wrong_usage;
  }
  return chosen();
}

}  // namespace
}  // namespace tollgate::app

int main(int argc, char** argv) {
  try {
    return tollgate::app::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tollgate: %s\n", error.what());
    return 1;
  }
}
