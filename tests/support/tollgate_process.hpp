#pragma once
#include "support/gateway_under_test.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace tollgate::test {

/// The real program as a process of its own, for what only a process has: signals, an exit code, memory, a limit on
/// descriptors.
class TollgateProcess {
 public:
  /// `binary` is the program; config as for GatewayUnderTest. Fails the test where it does not come up.
  TollgateProcess(const std::string& binary, const std::string& config, const std::string& server_keys = {});
  /// The whole file instead; its log level is `info` at least.
  TollgateProcess(const std::string& binary, const GatewayUnderTest::WholeConfig& whole);
  ~TollgateProcess();  ///< kills it where it still runs
  TollgateProcess(const TollgateProcess&) = delete;
  TollgateProcess& operator=(const TollgateProcess&) = delete;

  const std::string& address() const { return address_; }
  const std::string& admin_address() const { return admin_address_; }
  const std::string& metrics_address() const { return metrics_address_; }

  void signal(int number) const;
  /// Waits for its end, at most for the usual patience. Nothing where it goes on or was killed by a signal.
  std::optional<int> exit_code();
  /// Its diagnostic log so far, and whether it comes to hold `text`.
  std::string log() const;
  bool wait_for_log(const std::string& text) const;

  /// A line of /proc/PID/status in bytes: "VmRSS" now, "VmHWM" the most since the last reset_peak().
  std::uint64_t memory(const std::string& line) const;
  /// Bytes of its own in RAM, counted page by page; memory() may be some hundred KiB off.
  std::uint64_t anonymous_memory() const;
  void reset_peak() const;
  double cpu_seconds() const;
  std::size_t open_descriptors() const;
  /// How many descriptors it may have from now on.
  void limit_descriptors(std::size_t most) const;

  void rewrite_config(const std::string& config) const;
  const TemporaryFolder& folder() const { return folder_; }

 private:
  void start(const std::string& binary);
  std::string announced_address(const std::string& plane) const;
  std::string proc_file(const std::string& name) const;

  TemporaryFolder folder_;
  std::string server_keys_;
  pid_t pid_ = -1;
  std::string address_, admin_address_, metrics_address_;
};

}  // namespace tollgate::test
