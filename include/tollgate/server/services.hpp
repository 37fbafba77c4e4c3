#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace tollgate::io {
class Diagnostics;
}

namespace tollgate::server {

/// What a reload came to, for the admin endpoint's answer.
struct ReloadReport {
  bool accepted = false;
  std::uint64_t generation = 0;
  std::string digest;
  std::vector<std::string> faults;         ///< why not, one line each
  std::vector<std::string> needs_restart;  ///< keys that changed and only take effect after a restart
};

/// Memory that all request bodies in flight hold, bounded. Bodies below 64 KiB are not counted. Any thread.
class BodyBudget {
 public:
  bool take(std::size_t bytes, std::size_t limit) {
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit) return true;
    give_back(bytes);
    return false;
  }
  void give_back(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> used_{0};
};

/// What sessions share beyond their worker. Owned by the process's wiring, which outlives them all.
struct Services {
  io::Diagnostics& diagnostics;
  std::function<ReloadReport()> reload;           ///< control thread only
  std::function<std::string()> effective_config;  ///< control thread only; secrets masked
  std::function<std::string()> metrics_text;
  std::atomic<bool> ready{false};
  std::atomic<std::size_t> connections{0};  ///< on the data plane, open now
  BodyBudget bodies{};
};

}  // namespace tollgate::server
