// What the processes of an experiment and the machine have spent between two moments.
#pragma once

#include "arguments.hpp"
#include "clock.hpp"
#include "json.hpp"
#include "process.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace bench {

/// The process under test (--pid) and the others that belong to the experiment (--also P,P).
struct Scene {
  int pid = 0;
  std::vector<int> also;

  explicit Scene(const Args& args) : pid(static_cast<int>(args.num("pid", 0))) {
    const std::string list = args.str("also");
    for (std::size_t at = 0; at < list.size();) {
      also.push_back(std::atoi(list.c_str() + at));
      at = std::min(list.find(',', at), list.size() - 1) + 1;
    }
  }
};

struct Snapshot {
  ProcSample target;
  MachineSample machine;
  double ours = 0;
  std::int64_t when = 0;

  Snapshot() = default;
  explicit Snapshot(const Scene& scene) : target(sample_process(scene.pid)), machine(sample_machine()), when(now_ns()) {
    ours = self_cpu_seconds() + self_cpu_seconds(RUSAGE_CHILDREN) + static_cast<double>(target.cpu_ns) / 1e9;
    for (const int pid : scene.also)
      if (pid != scene.pid) ours += static_cast<double>(sample_process(pid).cpu_ns) / 1e9;
  }
};

struct Done {
  std::uint64_t requests = 0, events = 0;
};

/// `foreign_cores` is what the machine did besides, `steal_cores` what the hypervisor kept for itself.
inline void put_scene(Json& json, const Snapshot& before, const Snapshot& after, bool has_target, const Done& done) {
  const ProcSample &b = before.target, &a = after.target;
  const double seconds = static_cast<double>(after.when - before.when) / 1e9;
  const double cpu_us = static_cast<double>(a.cpu_ns - b.cpu_ns) / 1e3;
  const double foreign = after.machine.busy - before.machine.busy - (after.ours - before.ours);
  json.put("foreign_cores", std::max(0.0, foreign / seconds));
  json.put("steal_cores", (after.machine.steal - before.machine.steal) / seconds);
  if (!has_target) return;
  json.put("cpu_cores", cpu_us / 1e6 / seconds);
  if (done.requests > 0) {
    const auto requests = static_cast<double>(done.requests);
    const auto switches = static_cast<double>(a.vol_cs - b.vol_cs + a.invol_cs - b.invol_cs);
    json.put("cpu_us_per_req", cpu_us / requests).put("ctx_switches_per_req", switches / requests);
  }
  if (done.events > 0) json.put("cpu_us_per_event", cpu_us / static_cast<double>(done.events));
  const auto ticks = static_cast<double>(a.utime - b.utime + a.stime - b.stime);
  if (ticks > 0) json.put("user_share", static_cast<double>(a.utime - b.utime) / ticks);
  json.put("rss_kb", static_cast<double>(a.rss_kb)).put("pss_kb", static_cast<double>(a.pss_kb));
}

}  // namespace bench
