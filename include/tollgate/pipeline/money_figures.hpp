#pragma once
// How budgets and the ledger stand, in numbers, as those who watch ask for them.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"

#include <cstdint>
#include <string>

namespace tollgate::pipeline {

/// One budget in the window that is on. `overshoot` is ever and only grows; the others begin anew with each window.
struct BudgetFigures {
  std::string tenant;  ///< whose it is; empty where it is no tenant's
  std::string budget;  ///< its name, which tells it from every other of the same tenant
  Money limit;         ///< with what is granted on top now
  Money spent, reserved;
  Money overshoot;  ///< by how much calls have come to more than was reserved for them and there was room for
};

/// What of the journal is not in the ledger's store yet.
struct LedgerFigures {
  Micros lag{0};                    ///< age of the oldest such record; 0: there is none
  std::uint64_t journal_bytes = 0;  ///< of files on disk
  bool writable = true;             ///< false: no attempt can be reserved
};

}  // namespace tollgate::pipeline
