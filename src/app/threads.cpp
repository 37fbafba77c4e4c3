#include "threads.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace tollgate::app {

namespace {

/// The path of our cgroup below its mount, from the "0::/path" line of /proc/self/cgroup.
std::string cgroup_path() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return "/";
}

std::size_t quota_of(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return SIZE_MAX;
  return static_cast<std::size_t>(std::max(1.0, std::stod(quota) / period + 0.5));
}

}  // namespace

std::size_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::size_t cpus = 1;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) cpus = static_cast<std::size_t>(CPU_COUNT(&set));
  // A quota may be set on any level above us.
  std::string path = cgroup_path();
  for (;;) {
    cpus = std::min(cpus, quota_of("/sys/fs/cgroup" + path));
    if (path.empty() || path == "/") break;
    path.resize(path.rfind('/'));
  }
  return std::max<std::size_t>(1, cpus);
}

}  // namespace tollgate::app
