#pragma once
// Usage queries off the event loops: a thread of its own that reads the ledger's files.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/io/usage.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace tollgate::io {

struct UsageDeskOptions {
  Millis limit = std::chrono::seconds(10);  ///< of one query, from its begin on
  std::size_t most_waiting = 8;
};

/// One query at a time, in the order in which they came.
class UsageDesk {
 public:
  using Done = std::function<void(Result<UsageReport>)>;

  explicit UsageDesk(std::string folder, UsageDeskOptions options = {});
  /// Ends the query under way; none is answered any more.
  ~UsageDesk();
  UsageDesk(const UsageDesk&) = delete;
  UsageDesk& operator=(const UsageDesk&) = delete;

  /// Any thread. `done` is called once, on the desk's thread. Failures that a caller can do something about have a
  /// code: `query_too_long`, `too_many_queries` (called before this returns, and on the caller's thread); those of
  /// files have none.
  void ask(UsageQuery query, Done done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::io
