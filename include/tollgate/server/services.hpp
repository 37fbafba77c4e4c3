#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace tollgate::io {
class Diagnostics;
class IdempotencyHub;
}  // namespace tollgate::io

namespace tollgate::server {

class AdminApi;

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
  std::function<std::string()> metrics_text;
  /// Whether all keys are known: false while the store cannot be read. And whether its keys are too old to be believed.
  std::function<bool()> keys_current{[] { return true; }}, keys_stale{[] { return false; }};
  AdminApi* admin = nullptr;                  ///< control thread only; set before the first connection
  io::IdempotencyHub* idempotency = nullptr;  ///< set before the first configuration; null: keys mean nothing
  std::atomic<bool> ready{false};
  std::atomic<std::size_t> connections{0};  ///< on the data plane, open now
  BodyBudget bodies{};
};

}  // namespace tollgate::server
