#pragma once
#include "tollgate/simulator/server.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::simulator {

/// Everything that the server's thread and the tests' threads share: gauges, truth log, received requests, scripts.
/// Locked inside; every change wakes those who wait.
class Journal {
 public:
  /// Opens the truth file; std::invalid_argument if that fails.
  explicit Journal(const Options& options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void connection_opened();
  void connection_closed();
  /// Returns the request's ordinal, from 1. `request` is made only if requests are kept.
  std::uint64_t request_received(const std::function<ReceivedRequest()>& request);
  void tokens_sent(std::size_t count);
  void request_finished(TruthEntry entry);

  void queue(Script next);
  std::optional<Script> take_script(std::string_view path);
  std::size_t scripts_left() const;

  std::vector<TruthEntry> truth() const;
  Stats stats() const;
  std::vector<ReceivedRequest> requests() const;
  Gauges gauges() const;
  bool wait_until(const std::function<bool()>& predicate, Millis timeout) const;

 private:
  template <class Change>
  void change(Change&& apply);
  void write_line(const std::string& line);

  const std::size_t truth_kept_;
  const std::size_t requests_kept_;
  int file_ = -1;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::uint64_t version_ = 0;
  Gauges gauges_;
  Stats stats_;
  std::deque<TruthEntry> truth_;
  std::deque<ReceivedRequest> requests_;
  std::deque<Script> scripts_;
};

}  // namespace tollgate::simulator
