#pragma once
// The whole gateway in one object: made from a configuration file, run until it is told to stop. main() and the
// integration tests use it.
#include "tollgate/base/result.hpp"
#include "tollgate/io/resolver.hpp"
#include "tollgate/server/services.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::app {

struct GatewayOptions {
  std::string config_file;                ///< made absolute by open()
  io::Lookup lookup = io::system_lookup;  ///< name resolution, for tests
  std::uint64_t seed = 0;                 ///< of ids; 0: from the system
};

class Gateway {
 public:
  /// Reads the configuration and binds every address; nothing is served yet. A failure's message holds all faults, a
  /// line each.
  static Result<std::unique_ptr<Gateway>> open(GatewayOptions options);
  ~Gateway();

  /// Serves on this thread and the workers' until a stop is over. Returns the exit code.
  int run();

  // From any thread, while run() runs:
  /// The first call ends it gracefully (server.drain), the second at once.
  void request_stop();
  /// Reads the configuration again, and opens the access log's file again.
  void request_reload();

  /// As bound: "127.0.0.1:43121". In the order of server.listen.
  std::vector<std::string> data_addresses() const;
  std::string admin_address() const;
  std::string metrics_address() const;

 private:
  class Impl;
  explicit Gateway(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tollgate::app
