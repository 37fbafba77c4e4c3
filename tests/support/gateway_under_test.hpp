#pragma once
#include "app/gateway.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace tollgate::test {

/// A folder of its own below the system's temporary one, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// The real gateway in this process, on ports that the system chooses. Stops at the end of its life, at once.
class GatewayUnderTest {
 public:
  /// `config`: YAML without server.listen, admin and metrics, which are added (`server:` may hold other keys: use
  /// server_keys).
  explicit GatewayUnderTest(const std::string& config, const std::string& server_keys = {},
                            io::Lookup lookup = io::system_lookup);
  /// The whole file instead, for tests of what is added otherwise; told the folder that it stands in.
  using WholeConfig = std::function<std::string(const std::filesystem::path& folder)>;
  explicit GatewayUnderTest(const WholeConfig& whole);
  ~GatewayUnderTest();

  app::Gateway& gateway() { return *gateway_; }
  std::string address() const { return gateway_->data_addresses().front(); }
  std::string admin_address() const { return gateway_->admin_address(); }
  std::string metrics_address() const { return gateway_->metrics_address(); }
  /// The access log's text so far. Lines are written a moment after the answer; see wait_for_log().
  std::string access_log() const;
  /// Waits until the access log holds `text`, at most for the usual patience.
  bool wait_for_log(const std::string& text) const;
  /// The text of /metrics, and one value of it by its full series name ("tollgate_in_flight_requests").
  std::string metrics() const;
  double metric(const std::string& series) const;
  /// Asks until the series has that value, at most for the usual patience.
  bool wait_for_metric(const std::string& series, double value) const;

  /// Writes the configuration anew (the same additions are made); the gateway is not told.
  void rewrite_config(const std::string& config) const;
  /// What rewrite_config() would write, for a test that puts the file in place itself.
  std::string whole_config(const std::string& config) const;
  /// Waits for run() to return, after a stop was requested; its exit code.
  int join();
  const TemporaryFolder& folder() const { return folder_; }

 private:
  void start(io::Lookup lookup);
  TemporaryFolder folder_;
  std::string server_keys_;
  std::unique_ptr<app::Gateway> gateway_;
  std::thread thread_;
  int exit_code_ = -1;
};

/// `config` with the listeners on ports of the system's choice, two event loops, and `server_keys`, a line each, added
/// to `server`.
std::string framed_config(const std::string& config, const std::string& server_keys, const std::string& access_log,
                          const std::string& level);

/// A configuration with one provider `up` at 127.0.0.1:port (base path /v1), the model `m` on it, and the wildcard
/// model "up/*". `provider_keys` are further keys of the provider, a line each, without indentation. Its circuit stays
/// closed, whatever a test makes the provider do, unless they have one.
std::string config_for(std::uint16_t port, const std::string& provider_keys = {});

}  // namespace tollgate::test
