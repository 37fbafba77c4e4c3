// Latencies in bounded memory: 64 linear steps in each power of two, so a quantile is at most 1.6 % off.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace bench {

class Histogram {
 public:
  void add(int64_t v) {
    if (v < 0) v = 0;
    ++bins_[index(static_cast<uint64_t>(v))];
    ++count_;
    sum_ += static_cast<double>(v);
    max_ = std::max(max_, v);
    min_ = count_ == 1 ? v : std::min(min_, v);
  }
  int64_t quantile(double q) const {
    if (!count_) return 0;
    auto rank = static_cast<uint64_t>(q * static_cast<double>(count_ - 1)) + 1;
    uint64_t seen = 0;
    for (size_t i = 0; i < bins_.size(); ++i)
      if ((seen += bins_[i]) >= rank) return std::min(max_, value(i));
    return max_;
  }
  uint64_t count() const { return count_; }
  double mean() const { return count_ ? sum_ / static_cast<double>(count_) : 0; }
  int64_t max() const { return max_; }
  int64_t min() const { return min_; }

 private:
  static size_t index(uint64_t v) {
    if (v < 64) return v;
    int shift = 63 - __builtin_clzll(v) - 6;
    return static_cast<size_t>(shift + 1) * 64 + (v >> shift) - 64;
  }
  static int64_t value(size_t i) {
    if (i < 64) return static_cast<int64_t>(i);
    size_t shift = i / 64 - 1;
    uint64_t low = (i % 64 + 64) << shift;
    return static_cast<int64_t>(low + ((1ULL << shift) >> 1));
  }
  std::array<uint64_t, 64 * 60> bins_{};
  uint64_t count_ = 0;
  double sum_ = 0;
  int64_t max_ = 0, min_ = 0;
};

}  // namespace bench
