#pragma once
#include <cstdint>

namespace tollgate::io::telemetry {

/// This process as the kernel sees it; 0 where /proc does not say.
struct ProcessStatus {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  ///< since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_descriptors = 0;
  std::uint64_t threads = 0;
};
ProcessStatus read_process_status();

}  // namespace tollgate::io::telemetry
