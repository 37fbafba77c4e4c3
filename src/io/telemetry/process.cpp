#include "io/telemetry/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tollgate::io::telemetry {
namespace {

/// The fields of /proc/self/stat from the third on (proc(5)). The second is a name in brackets that may hold spaces.
std::vector<std::string> stat_fields_from_third() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(line.substr(end_of_name + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

std::uint64_t boot_time_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string key; file >> key;) {
    std::uint64_t value = 0;
    if (key == "btime") return file >> value ? value : 0;
    std::getline(file, key);
  }
  return 0;
}

std::uint64_t count_descriptors() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // the listing itself holds one
}

}  // namespace

ProcessStatus read_process_status() {
  ProcessStatus status;
  timespec cpu{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    status.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9;
  }
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) status.max_descriptors = descriptors.rlim_cur;
  status.open_descriptors = count_descriptors();

  constexpr std::size_t third = 3, threads = 20 - third, start = 22 - third, virtual_size = 23 - third,
                        resident = 24 - third;
  const auto fields = stat_fields_from_third();
  if (fields.size() <= resident) return status;
  status.threads = std::stoull(fields[threads]);
  status.virtual_bytes = std::stoull(fields[virtual_size]);
  status.resident_bytes = std::stoull(fields[resident]) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  status.start_time_seconds =
      static_cast<double>(boot_time_seconds()) + static_cast<double>(std::stoull(fields[start])) / ticks_per_second;
  return status;
}

}  // namespace tollgate::io::telemetry
