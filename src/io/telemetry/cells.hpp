#pragma once
// What one worker counts in. A cell has one writer, so an increment is a plain load and store: no locked instruction.
// Only a new label set takes the table's mutex, which the scraper holds while it reads the table.
#include "tollgate/base/clock.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tollgate::io::telemetry {

/// A number with one writing thread and any number of readers.
template <class T>
class Cell {
 public:
  void add(T amount) { value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed); }
  T read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T> value_{0};
};
using Count = Cell<std::uint64_t>;
using Level = Cell<std::int64_t>;

/// Upper bounds of the buckets in microseconds. Language models take minutes: whole requests are told apart up to 600
/// s.
inline constexpr std::array<Micros::rep, 17> request_bounds{
    5'000,     10'000,     25'000,     50'000,     100'000,    250'000,     500'000,     1'000'000,  2'500'000,
    5'000'000, 10'000'000, 20'000'000, 40'000'000, 60'000'000, 120'000'000, 300'000'000, 600'000'000};
inline constexpr std::array<Micros::rep, 16> overhead_bounds{
    10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000};

/// Those that OpenTelemetry's conventions for generative AI give (version 1.41), in tokens and in microseconds.
inline constexpr std::array<std::int64_t, 14> token_bounds{
    1, 4, 16, 64, 256, 1'024, 4'096, 16'384, 65'536, 262'144, 1'048'576, 4'194'304, 16'777'216, 67'108'864};
inline constexpr std::array<Micros::rep, 14> operation_bounds{10'000,     20'000,     40'000,     80'000,    160'000,
                                                              320'000,    640'000,    1'280'000,  2'560'000, 5'120'000,
                                                              10'240'000, 20'480'000, 40'960'000, 81'920'000};
inline constexpr std::array<Micros::rep, 16> server_first_token_bounds{
    1'000,   5'000,   10'000,  20'000,    40'000,    60'000,    80'000,    100'000,
    250'000, 500'000, 750'000, 1'000'000, 2'500'000, 5'000'000, 7'500'000, 10'000'000};

/// The first bound that is not below the value, or one past the last.
template <const auto& Bounds>
constexpr std::size_t bucket_of(std::int64_t value) {
  return static_cast<std::size_t>(std::lower_bound(Bounds.begin(), Bounds.end(), value) - Bounds.begin());
}
/// These are powers of four, and doublings of 10 ms.
template <>
constexpr std::size_t bucket_of<token_bounds>(std::int64_t value) {
  const auto below = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 1) - 1);
  return std::min((static_cast<std::size_t>(std::bit_width(below)) + 1) / 2, token_bounds.size());
}
template <>
constexpr std::size_t bucket_of<operation_bounds>(std::int64_t value) {
  const auto below = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 1) - 1) / 10'000;
  return std::min(static_cast<std::size_t>(std::bit_width(below)), operation_bounds.size());
}

/// Not cumulative: each bucket holds its own share, the last one all above the highest bound.
template <const auto& Bounds>
class Histogram {
 public:
  static constexpr std::size_t bucket_count = std::tuple_size_v<std::remove_cvref_t<decltype(Bounds)>> + 1;

  void observe(Micros value) { observe(value.count()); }
  void observe(std::int64_t value) {
    buckets_[bucket_of<Bounds>(value)].add(1);
    sum_.add(value);
  }
  std::uint64_t bucket(std::size_t index) const { return buckets_[index].read(); }
  std::int64_t sum() const { return sum_.read(); }

 private:
  std::array<Count, bucket_count> buckets_;
  Level sum_;
};

template <std::size_t N>
using LabelViews = std::array<std::string_view, N>;

struct LabelHash {
  using is_transparent = void;
  template <class Labels>
  std::size_t operator()(const Labels& labels) const {
    std::size_t hash = 0;
    for (std::string_view label : labels) {
      hash = hash * 0x9E3779B97F4A7C15u + std::hash<std::string_view>{}(label);
    }
    return hash;
  }
};

struct LabelEqual {
  using is_transparent = void;
  template <class Left, class Right>
  bool operator()(const Left& left, const Right& right) const {
    return std::equal(left.begin(), left.end(), right.begin());
  }
};

/// Label values to counts. One thread calls at(); each() may run on another at the same time. Entries never go and
/// never move.
template <std::size_t N, class Value>
class Table {
 public:
  explicit Table(std::size_t limit) : limit_(limit) {}

  using Entry = std::pair<const std::array<std::string, N>, Value>;

  /// The entry of these labels, or the one of "other" once the table is full.
  Entry& entry(const LabelViews<N>& labels) {
    // Neighbours in time are often alike.
    if (last_ && LabelEqual{}(last_->first, labels)) return *last_;
    if (const auto known = entries_.find(labels); known != entries_.end()) {
      last_ = &*known;
      return *known;
    }
    if (entries_.size() >= limit_) return other();
    return insert(labels);
  }
  Value& at(const LabelViews<N>& labels) { return entry(labels).second; }
  template <class Visitor>
  void each(Visitor visit) const {
    const std::lock_guard lock(growing_);
    for (const auto& [labels, value] : entries_) visit(labels, value);
  }

 private:
  Entry& other() {
    LabelViews<N> labels;
    labels.fill("other");
    const auto known = entries_.find(labels);
    return known != entries_.end() ? *known : insert(labels);
  }
  Entry& insert(const LabelViews<N>& labels) {
    std::array<std::string, N> owned;
    std::copy(labels.begin(), labels.end(), owned.begin());
    const std::lock_guard lock(growing_);
    return *entries_.try_emplace(std::move(owned)).first;
  }

  std::unordered_map<std::array<std::string, N>, Value, LabelHash, LabelEqual> entries_;
  Entry* last_ = nullptr;  ///< the entry last asked for
  mutable std::mutex growing_;
  std::size_t limit_;
};

inline constexpr std::size_t outcome_count = 8;
inline constexpr std::array<std::string_view, 7> token_kinds{
    "input_uncached", "cache_read", "cache_write", "output_visible", "reasoning", "audio_input", "audio_output"};
inline constexpr std::size_t waste_count = 6;
inline constexpr std::array<std::string_view, 4> operation_names{"chat", "text_completion", "embeddings", "other"};

/// What tenant, task and model have used. Money is whole nano-dollars.
struct SpendingCells {
  std::array<Count, token_kinds.size()> tokens;
  Level cost;
  std::array<Level, waste_count> wasted;  ///< of that, by reason
};

/// Requests whose money is not as sure as it should be.
struct DoubtCells {
  Count unpriced, estimated;
};

/// OpenTelemetry's metrics, by operation, provider and model.
struct OperationCells {
  std::array<Histogram<token_bounds>, 2> tokens;  ///< input, output
  Histogram<operation_bounds> duration;
  Histogram<server_first_token_bounds> first_token;
};

/// All that is counted by tenant, route, task and model together: one look-up per request serves three metrics.
struct RequestCells {
  std::array<std::array<Count, 2>, outcome_count> requests;  ///< by outcome and stream
  std::array<Histogram<request_bounds>, 2> duration;         ///< by stream
  Histogram<request_bounds> first_token;

  // Where more is counted of the same requests, found once. Of the worker's thread alone, and not used where these
  // cells are "other", which many share.
  SpendingCells* spending = nullptr;
  struct Asked {
    const std::string* provider = nullptr;
    OperationCells* cells = nullptr;
  };
  std::array<Asked, operation_names.size()> operations{};  ///< the provider that was last asked for each
};

struct ConnectionCells {
  Level active, idle;
};

/// Aligned so that two workers never share a cache line.
struct alignas(64) WorkerCells {
  explicit WorkerCells(std::size_t limit)
      : requests(limit),
        attempts(limit),
        retries(limit),
        fallbacks(limit),
        limited(limit),
        spending(limit),
        doubts(limit),
        operations(limit),
        connections(limit) {}

  Level in_flight, streams;
  Histogram<overhead_bounds> overhead;
  Table<4, RequestCells> requests;                      ///< tenant, route, task, model
  Table<2, std::array<Count, outcome_count>> attempts;  ///< target, credential
  Table<2, Count> retries;                              ///< target, reason
  Table<3, Count> fallbacks;                            ///< from, to, reason
  Table<2, Count> limited;                              ///< tenant, limit
  Table<3, SpendingCells> spending;                     ///< tenant, task, model
  Table<1, DoubtCells> doubts;                          ///< model
  Table<3, OperationCells> operations;                  ///< operation, provider, model
  Table<1, ConnectionCells> connections;                ///< provider
};

}  // namespace tollgate::io::telemetry
