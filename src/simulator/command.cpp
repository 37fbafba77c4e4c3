// The simulate subcommand: options in people's units, a server, and a wait for a signal. What an option means is
// checked while the command line is parsed, so that a wrong one never starts a server.
#include "tollgate/simulator/command.hpp"

#include "tollgate/simulator/server.hpp"

#include "simulator/phase_text.hpp"
#include "simulator/plan.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>

#include <charconv>
#include <csignal>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <utility>

namespace tollgate::simulator {

namespace {

double number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw CLI::ValidationError("'" + text + "' is no number");
  return value;
}

double share_of(const std::string& text) {
  const std::optional<double> share = parse_share(text);
  if (!share) throw CLI::ValidationError("'" + text + "' is not between 0% and 100%");
  return *share;
}

Millis duration_of(const std::string& text) {
  const std::optional<Millis> duration = parse_duration(text);
  if (!duration) throw CLI::ValidationError("'" + text + "' is no duration such as 200ms or 1.5s");
  return *duration;
}

/// "127.0.0.1:9000" or "[::1]:9000".
void set_listen(CommandOptions& options, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw CLI::ValidationError("'" + text + "' is no address such as 127.0.0.1:9000");
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error || !address.is_loopback()) throw CLI::ValidationError("'" + host + "' is not a loopback address");
  const double port = number_of(text.substr(colon + 1));
  if (!(port >= 0 && port <= 65535)) throw CLI::ValidationError("'" + text + "' has no usable port");
  options.host = host;
  options.port = static_cast<std::uint16_t>(port);
}

/// "name" or "name=weight".
void add_fault(CommandOptions& options, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (!fault_named(name)) throw CLI::ValidationError("there is no fault '" + name + "'");
  options.settings.faults[name] = equals == std::string::npos ? 1 : number_of(text.substr(equals + 1));
}

config::SimulatorPhase phase_of(const std::string& text) {
  Result<config::SimulatorPhase> phase = parse_phase(text);
  if (!phase) throw CLI::ValidationError(phase.error().message);
  return *phase;
}

/// What no single option can know: whether they make sense together.
void check_together(const config::SimulatorSettings& settings) {
  try {
    static_cast<void>(Planner(settings));
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError(error.what());
  }
}

std::string base_url(const CommandOptions& options, std::uint16_t port) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return "http://" + (ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(port) + "/v1";
}

}  // namespace

int run(const CommandOptions& options) {
  // Before the server's line is printed: whoever reads it may send a signal.
  boost::asio::io_context signals_context(1);
  boost::asio::signal_set signals(signals_context, SIGINT, SIGTERM);
  signals.async_wait([](const boost::system::error_code&, int) {});

  Options server_options;
  server_options.truth_file = options.truth_file;
  server_options.truth_kept = 0;
  Server server(options.settings, std::move(server_options));
  const std::uint16_t port = server.start(options.host, options.port);
  std::cout << "simulator: " << base_url(options, port) << std::endl;
  signals_context.run();
  server.stop();
  return 0;
}

void add_simulate_command(CLI::App& app, std::function<int()>& chosen) { add_simulate_command(app, chosen, run); }

void add_simulate_command(CLI::App& app, std::function<int()>& chosen,
                          std::function<int(const CommandOptions&)> action) {
  const auto options = std::make_shared<CommandOptions>();
  CLI::App& command = *app.add_subcommand("simulate", "Run the provider simulator on its own");
  const auto option = [&](const char* name, const char* help, const std::function<void(const std::string&)>& apply) {
    return command.add_option_function<std::string>(name, apply, help);
  };
  config::SimulatorSettings& settings = options->settings;
  option("--listen", "Loopback address and port [127.0.0.1:9000]",
         [options](auto& text) { set_listen(*options, text); });
  option("--failure-rate", "Share of requests that fail, e.g. 25% [0%]",
         [&settings, options](auto& text) { settings.failure_rate = share_of(text); });
  option("--first-token", "Wait before the first token, e.g. 200ms [200ms]",
         [&settings, options](auto& text) { settings.first_token = duration_of(text); });
  option("--jitter", "Share of each wait that is random, e.g. 20% [0%]",
         [&settings, options](auto& text) { settings.jitter = share_of(text); });
  command.add_option("--tokens-per-second", settings.tokens_per_second, "Pace of an answer; 0: no pauses [80]")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--answer-tokens", settings.answer_tokens, "Mean length of an answer [64]");
  command.add_option("--slow", settings.slow, "Factor on every wait for a token, 1 or more [1]");
  command
      .add_option("--requests-per-minute", settings.limits.requests_per_minute,
                  "What each credential may use before it gets a 429 [no limit]")
      ->check(CLI::Range(1u, 1'000'000'000u));
  command.add_option("--tokens-per-minute", settings.limits.tokens_per_minute, "The same in tokens [no limit]")
      ->check(CLI::Range(1u, 1'000'000'000u));
  command.add_option("--seed", settings.seed, "What all chance is drawn from [1]");
  command.add_option("--truth", options->truth_file, "Append one JSON line per request to this file");
  command
      .add_option_function<std::vector<std::string>>(
          "--fault",
          [options](const std::vector<std::string>& faults) {
            for (const std::string& text : faults) add_fault(*options, text);
          },
          "A fault that failing requests are drawn from, name or name=weight; may be repeated")
      ->take_all();
  command
      .add_option_function<std::vector<std::string>>(
          "--phase",
          [&settings, options](const std::vector<std::string>& phases) {
            for (const std::string& text : phases) settings.schedule.push_back(phase_of(text));
          },
          "A phase of the schedule, e.g. from=10s,to=70s,failure_rate=100%,faults=error_503:1; may be repeated")
      ->take_all();
  command.callback([options, &chosen, action = std::move(action)] {
    check_together(options->settings);
    chosen = [options, action] { return action(*options); };
  });
}

}  // namespace tollgate::simulator
