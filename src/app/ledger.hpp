#pragma once
// The gateway's ledger put together: the store, the journal in front of it, a writer for each worker.
#include "tollgate/base/result.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/pipeline/ledger.hpp"
#include "tollgate/pipeline/money_figures.hpp"

#include <memory>

namespace tollgate::io {
class Diagnostics;
class Journal;
class LedgerStore;
}  // namespace tollgate::io

namespace tollgate::policy {
class BudgetBook;
}  // namespace tollgate::policy

namespace tollgate::app {

/// Outlives the workers. Made and ended on the control thread; figures() on any.
class LedgerBook {
 public:
  /// Settles what an earlier process has left open, and tells the budgets what was spent before. Blocks.
  static Result<std::unique_ptr<LedgerBook>> open(const config::Snapshot& snapshot, policy::BudgetBook& budgets,
                                                  io::Diagnostics& diagnostics);
  /// Moves what is left into the store.
  ~LedgerBook();

  /// For one more worker, before it runs.
  pipeline::Ledger& add_worker();
  pipeline::LedgerFigures figures() const;

 private:
  LedgerBook(std::unique_ptr<io::LedgerStore> store, std::unique_ptr<io::Journal> journal);
  std::unique_ptr<io::LedgerStore> store_;
  std::unique_ptr<io::Journal> journal_;
};

}  // namespace tollgate::app
