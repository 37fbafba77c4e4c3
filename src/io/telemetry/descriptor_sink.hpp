#pragma once
#include "tollgate/base/result.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace tollgate::io::telemetry {

/// Writes to a file descriptor with plain write(2). The C library's streams would hold a lock while a full pipe blocks,
/// and exit() would then wait for it. One thread logs; reopen() and lost_lines() may come from any.
class DescriptorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  /// "stdout", "stderr" or a path.
  static Result<std::shared_ptr<DescriptorSink>> open(const std::string& destination);
  ~DescriptorSink() override;
  DescriptorSink(const DescriptorSink&) = delete;
  DescriptorSink& operator=(const DescriptorSink&) = delete;

  /// From the next block on, writes to what the path names now.
  Result<void> reopen();
  /// Lines that the destination refused.
  std::uint64_t lost_lines() const { return lost_lines_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  DescriptorSink(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  void take_reopened();
  std::size_t write_all(std::string_view block);

  std::string path_;  // empty: a standard stream, which is neither closed nor opened again
  int descriptor_;
  bool in_mid_line_ = false;  // a refused write left a torn line behind
  std::mutex reopening_;
  int reopened_ = -1;  // waits for the writing thread
  std::atomic<std::uint64_t> lost_lines_{0};
};

}  // namespace tollgate::io::telemetry
