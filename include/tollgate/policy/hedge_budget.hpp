#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

namespace tollgate::policy {

/// Holds second attempts to a share of the requests: each request brings its share of one, a second attempt takes one.
/// Begins with none, and saves up ten at most, so that a quiet hour pays for no storm. Any thread.
class HedgeBudget {
 public:
  /// A request has come of whose kind `share` (0..1) may get a second attempt.
  void arrived(double share) {
    if (share <= 0) return;
    const auto brought = static_cast<std::int64_t>(std::min(share, 1.0) * whole);
    const std::int64_t before = parts_.fetch_add(brought, std::memory_order_relaxed);
    if (before + brought > most) parts_.fetch_sub(before + brought - most, std::memory_order_relaxed);
  }
  bool try_take() {
    std::int64_t known = parts_.load(std::memory_order_relaxed);
    while (known >= whole)
      if (parts_.compare_exchange_weak(known, known - whole, std::memory_order_relaxed)) return true;
    return false;
  }
  /// What was taken was of no use.
  void give_back() { parts_.fetch_add(whole, std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t whole = 1'000'000, most = 10 * whole;
  std::atomic<std::int64_t> parts_{0};
};

}  // namespace tollgate::policy
