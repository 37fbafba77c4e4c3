// What a process with all its descendants has cost so far (CPU in nanoseconds, memory as PSS), and what the whole
// machine has spent, so that a run that something else disturbed can be told and thrown out.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace bench {

struct ProcSample {
  int64_t cpu_ns = 0;              // nanosecond CPU time, from schedstat
  int64_t utime = 0, stime = 0;    // clock ticks, only good for the user/system split
  int64_t rss_kb = 0, pss_kb = 0;  // pss shares copied-on-write pages fairly among workers
  int64_t vol_cs = 0, invol_cs = 0;
  int procs = 0, threads = 0;
};

inline std::string slurp(const std::string& path) {
  std::string out;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  char buf[4096];
  for (ssize_t n; (n = ::read(fd, buf, sizeof buf)) > 0;) out.append(buf, static_cast<size_t>(n));
  ::close(fd);
  return out;
}

inline std::vector<int> numeric_entries(const std::string& dir) {
  std::vector<int> ids;
  if (DIR* d = ::opendir(dir.c_str())) {
    while (dirent* e = ::readdir(d))
      if (e->d_name[0] >= '0' && e->d_name[0] <= '9') ids.push_back(std::atoi(e->d_name));
    ::closedir(d);
  }
  return ids;
}

inline std::vector<int> process_tree(int root) {
  std::multimap<int, int> children;
  for (int pid : numeric_entries("/proc")) {
    std::string s = slurp("/proc/" + std::to_string(pid) + "/stat");
    size_t p = s.rfind(')');
    int ppid = 0;
    char state;
    if (p != std::string::npos && std::sscanf(s.c_str() + p + 1, " %c %d", &state, &ppid) == 2)
      children.emplace(ppid, pid);
  }
  std::vector<int> all{root};
  for (size_t i = 0; i < all.size(); ++i) {
    auto [a, b] = children.equal_range(all[i]);
    for (; a != b; ++a) all.push_back(a->second);
  }
  return all;
}

inline int64_t field_after(const std::string& text, const char* key) {
  size_t p = text.find(key);
  return p == std::string::npos ? 0 : std::atoll(text.c_str() + p + std::strlen(key));
}

inline ProcSample sample_process(int root) {
  ProcSample s;
  if (root <= 0) return s;
  for (int pid : process_tree(root)) {
    std::string base = "/proc/" + std::to_string(pid);
    std::string stat = slurp(base + "/stat");
    size_t p = stat.rfind(')');
    if (p == std::string::npos) continue;
    long long ut = 0, st = 0;
    std::sscanf(stat.c_str() + p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &ut, &st);
    s.utime += ut;
    s.stime += st;
    ++s.procs;
    for (int tid : numeric_entries(base + "/task")) {
      std::string t = base + "/task/" + std::to_string(tid);
      s.cpu_ns += std::atoll(slurp(t + "/schedstat").c_str());
      std::string status = slurp(t + "/status");
      s.vol_cs += field_after(status, "\nvoluntary_ctxt_switches:");
      s.invol_cs += field_after(status, "\nnonvoluntary_ctxt_switches:");
      ++s.threads;
    }
    std::string mem = slurp(base + "/smaps_rollup");
    s.rss_kb += field_after(mem, "\nRss:");
    s.pss_kb += field_after(mem, "\nPss:");
  }
  return s;
}

// ---- noise: CPU time, in seconds, that the whole machine spent and that was stolen from it ----
struct MachineSample {
  double busy = 0, steal = 0;
};

inline MachineSample sample_machine() {
  long long u = 0, n = 0, s = 0, idle = 0, io = 0, irq = 0, soft = 0, st = 0;
  std::sscanf(slurp("/proc/stat").c_str(), "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &u, &n, &s, &idle, &io, &irq,
              &soft, &st);
  auto hz = static_cast<double>(sysconf(_SC_CLK_TCK));
  return {static_cast<double>(u + n + s + irq + soft) / hz, static_cast<double>(st) / hz};
}

inline double self_cpu_seconds(int who = RUSAGE_SELF) {
  rusage r;
  getrusage(who, &r);
  return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

inline void raise_fd_limit() {
  rlimit r;
  if (::getrlimit(RLIMIT_NOFILE, &r) == 0) {
    r.rlim_cur = r.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &r);
  }
}

}  // namespace bench
