#pragma once
// One JSON line per finished request; the fields are an allow-list, printed in docs/metrics.md. Workers append to
// memory and one thread writes: a slow destination costs lines, which are counted, and never a request's time.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/pipeline/record.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace tollgate::io {

class AccessLog {
  struct State;

 public:
  /// The buffer of one worker; only that worker's thread writes. Never waits for the destination.
  class Worker {
   public:
    explicit Worker(State& log);
    ~Worker();
    void write(const pipeline::RequestRecord& record);

   private:
    friend struct State;
    struct Buffer;
    State& log_;
    std::unique_ptr<Buffer> buffer_;
  };

  /// `destination`: "stdout", "stderr", "off", or the path of a file, to which lines are appended. Starts the writing
  /// thread.
  static Result<std::unique_ptr<AccessLog>> open(const std::string& destination);
  /// Writes what is left, for at most a second: a destination that takes nothing is left behind with its thread.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// Lives as long as this object. Any thread.
  Worker& add_worker();
  /// Lines lost so far: their worker's buffer was full, or the destination refused them. Any thread.
  std::uint64_t dropped() const;
  /// Waits until all that was written before this call has been handed to the destination; false where `limit` ran out.
  bool flush(Millis limit = seconds(2));
  /// Opens a file's path again, after it was renamed away. On failure the old file stays in use.
  Result<void> reopen();

 private:
  explicit AccessLog(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// The line of one request, with its newline.
std::string format_access_line(const pipeline::RequestRecord& record);
/// Appends the same to `out`, which keeps its capacity from line to line.
void append_access_line(std::string& out, const pipeline::RequestRecord& record);

}  // namespace tollgate::io
