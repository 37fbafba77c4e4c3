#include "ready_command.hpp"

#include "admin_client.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace tollgate::app {

namespace {

constexpr int not_ready = 1;
constexpr AdminClient::Limits patience{.connect = std::chrono::seconds(2), .total = std::chrono::seconds(2)};

int ask(const std::string& url) {
  const auto client = AdminClient::make(url, {}, patience);
  if (client && client->ask("GET", "/health/ready")) return 0;
  std::fprintf(stderr, "tollgate: whoever is at %s is not ready\n", url.c_str());
  return not_ready;
}

}  // namespace

void add_ready_command(CLI::App& app, std::function<int()>& chosen) {
  const auto url = std::make_shared<std::string>("http://127.0.0.1:9464");
  CLI::App* command = app.add_subcommand("ready", "Say by the exit code whether a running gateway takes requests");
  command->add_option("--url", *url, "Any of its listeners that speaks plain HTTP")->capture_default_str();
  command->callback([url, &chosen] { chosen = [url] { return ask(*url); }; });
}

}  // namespace tollgate::app
