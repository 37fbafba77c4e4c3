// Starts the real gateway on a thread of its own, with a configuration in a folder of its own, and looks at it from
// outside: log, metrics, answers.
#include "support/gateway_under_test.hpp"

#include "support/raw_client.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tollgate::test {

namespace {

std::string indented(const std::string& lines, const std::string& by) {
  std::istringstream in(lines);
  std::string out;
  for (std::string line; std::getline(in, line);) out += by + line + "\n";
  return out;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "tollgate-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name) << text;
}

GatewayUnderTest::GatewayUnderTest(const std::string& config, const std::string& server_keys, io::Lookup lookup)
    : server_keys_(server_keys) {
  rewrite_config(config);
  start(std::move(lookup));
}

GatewayUnderTest::GatewayUnderTest(const WholeConfig& whole) {
  folder_.write("routes.yaml", whole(folder_.path()));
  start(io::system_lookup);
}

void GatewayUnderTest::start(io::Lookup lookup) {
  std::signal(SIGPIPE, SIG_IGN);
  app::GatewayOptions options;
  options.config_file = (folder_.path() / "routes.yaml").string();
  options.lookup = std::move(lookup);
  options.seed = 1;
  auto opened = app::Gateway::open(std::move(options));
  if (!opened) throw std::runtime_error(opened.error().message);
  gateway_ = std::move(*opened);
  thread_ = std::thread([this] { exit_code_ = gateway_->run(); });
}

GatewayUnderTest::~GatewayUnderTest() {
  gateway_->request_stop();
  gateway_->request_stop();
  join();
}

constexpr std::string_view one_attempt = "defaults: {retry: {attempts: 1}}\n";

std::string framed_config(const std::string& config, const std::string& server_keys, const std::string& access_log,
                          const std::string& level) {
  return "version: 1\nserver:\n  listen: [\"127.0.0.1:0\"]\n  threads: 2\n" + indented(server_keys, "  ") +
         "admin: {listen: \"127.0.0.1:0\"}\nmetrics: {listen: \"127.0.0.1:0\"}\nlog: {access: " + access_log +
         ", level: " + level + "}\n" + std::string(config.find("defaults:") == config.npos ? one_attempt : "") + config;
}

std::string GatewayUnderTest::whole_config(const std::string& config) const {
  return framed_config(config, server_keys_, (folder_.path() / "access.log").string(), "error");
}

void GatewayUnderTest::rewrite_config(const std::string& config) const {
  folder_.write("routes.yaml", whole_config(config));
}

int GatewayUnderTest::join() {
  if (thread_.joinable()) thread_.join();
  return exit_code_;
}

std::string GatewayUnderTest::access_log() const {
  std::ifstream file(folder_.path() / "access.log");
  return {std::istreambuf_iterator<char>(file), {}};
}

bool GatewayUnderTest::wait_for_log(const std::string& text) const {
  return eventually([&] { return access_log().find(text) != std::string::npos; });
}

std::string GatewayUnderTest::metrics() const {
  RawClient client(metrics_address());
  client.send(get("/metrics", "Connection: close\r\n"));
  return client.read_answer().body;
}

double GatewayUnderTest::metric(const std::string& series) const {
  const std::string text = "\n" + metrics();
  const std::size_t at = text.find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
}

bool GatewayUnderTest::wait_for_metric(const std::string& series, double value) const {
  return eventually([&] { return metric(series) == value; });
}

/// A circuit that stays closed whatever a test makes its provider do.
constexpr std::string_view patient = "circuit: {failures: 1000, min_requests: 1000000}\n";

std::string config_for(std::uint16_t port, const std::string& provider_keys) {
  return "providers:\n  up:\n    protocol: openai\n    base_url: http://127.0.0.1:" + std::to_string(port) + "/v1\n" +
         (provider_keys.find("circuit:") == provider_keys.npos ? "    " + std::string(patient) : "") +
         indented(provider_keys, "    ") + "models:\n  m: {provider: up}\n  \"up/*\": {provider: up, name: \"*\"}\n";
}

}  // namespace tollgate::test
