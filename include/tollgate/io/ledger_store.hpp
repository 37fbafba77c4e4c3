#pragma once
// The ledger's store: what every attempt and request was and has cost, for good. docs/usage-report.md.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/io/ledger_rows.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tollgate::io {

/// What is spent of one window of a budget.
struct BudgetBalance {
  std::uint64_t budget = 0;  ///< policy::Budget::id()
  std::int64_t window = 0;   ///< its begin, Unix seconds
  Money spent;
  bool operator==(const BudgetBalance&) const = default;
};

struct LedgerStoreOptions {
  enum class Sync : std::uint8_t {
    normal,  ///< what is written survives the end of the process, however it ends; a power cut may take the last of it
    full     ///< and a power cut too
  };
  Sync sync = Sync::normal;
  Millis busy_timeout{5000};        ///< how long a write waits for a stranger who holds the file
  std::chrono::hours retention{0};  ///< a month that ended longer ago is deleted; 0: none is
  std::function<SystemTime()> now = [] { return std::chrono::system_clock::now(); };  ///< for the retention
  /// What went wrong beside a write that went well, and so is no failure of it: a month that could not be deleted.
  std::function<void(const Failure&)> on_trouble;
};

/// A folder of SQLite files, one for each UTC month: ledger-2026-11.db. A row lies in the month in which its request
/// began, which the request's id tells (a UUID of version 7), else the row itself. With the rows go, in the same
/// transaction, sums by hour and day and what they add to the budgets' windows; only a row that is inserted adds.
/// Sums saturate at +-(2^63 - 1) and stay there.
///
/// One process has a folder at a time (an flock(2) on carried.db.lock); others may read. One thread at a time. Memory
/// does not grow with the files.
class LedgerStore : public LedgerSink {
 public:
  /// Makes the folder (0700) where there is none. A file in it that is damaged or none of ours is refused where it is
  /// needed, and left as it is.
  static Result<std::unique_ptr<LedgerStore>> open(const std::string& folder, LedgerStoreOptions options = {});
  ~LedgerStore() override;
  LedgerStore(const LedgerStore&) = delete;
  LedgerStore& operator=(const LedgerStore&) = delete;

  /// One transaction for each month that the batch has rows of, the oldest first. After a failure the file it happened
  /// to is closed, and opened anew by the next write: nothing is tried again on a connection that has failed. Once a
  /// day it also deletes what the retention lets go.
  Result<void> write(const LedgerBatch& batch) override;

  /// What is spent of each window that began at `since` (Unix seconds) or later, and of those that began at 0, which
  /// are those of budgets without an end. In the order of budget and window. For the start: it opens every file.
  Result<std::vector<BudgetBalance>> balances(std::int64_t since);

  /// Deletes the months that ended before now() - retention, and says how many. What they hold of windows that began
  /// before them is kept in carried.db first.
  Result<std::size_t> drop_old();

 private:
  struct State;
  explicit LedgerStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Where the ledger lies when the configuration names a store: the folder "ledger" beside `storage.path`.
std::string ledger_folder(const std::string& storage_path);

}  // namespace tollgate::io
