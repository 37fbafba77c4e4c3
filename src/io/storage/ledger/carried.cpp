#include "io/storage/ledger/carried.hpp"

#include "io/storage/ledger/birth.hpp"
#include "io/storage/ledger/schema.hpp"

#include <bit>
#include <utility>

namespace tollgate::io::ledger {

Result<std::unique_ptr<Carried>> Carried::open(const std::string& folder, const LedgerStoreOptions& options) {
  const std::string path = folder + "/carried.db";
  if (const auto made = make_where_missing(path, Kind::carried); !made) return made.error();
  auto place = storage::Place::take(path);
  if (!place) return place.error();
  auto database = sqlite::Database::open(path);
  if (!database) return database.error();
  (*database)->wait_for_locks(options.busy_timeout);
  if (const auto prepared = prepare(**database, Kind::carried, true); !prepared) return prepared.error();
  return std::make_unique<Carried>(std::move(*place), std::move(*database));
}

Carried::Carried(storage::Place place, std::unique_ptr<sqlite::Database> database)
    : place_(std::move(place)),
      database_(std::move(database)),
      keep_(*database_, "INSERT OR REPLACE INTO carried (identity, budget, window, spent) VALUES (?1, ?2, ?3, ?4)"),
      read_(*database_, "SELECT identity, budget, window, spent FROM carried") {}

Result<void> Carried::keep(std::int64_t identity, std::span<const BudgetBalance> balances) {
  sqlite::Transaction transaction(*database_);
  if (!transaction.begun()) return transaction.begun();
  for (const BudgetBalance& balance : balances) {
    const auto kept =
        keep_.execute(identity, std::bit_cast<std::int64_t>(balance.budget), balance.window, balance.spent.nanos);
    if (!kept) return kept.error();
  }
  if (auto committed = transaction.commit(); !committed) return committed;
  return database_->check();
}

Result<std::vector<BudgetBalance>> Carried::balances_without(const std::set<std::int64_t>& identities) {
  std::vector<BudgetBalance> found;
  sqlite::Rows rows = read_.run();
  while (rows.next()) {
    if (identities.contains(rows.integer(0))) continue;
    found.push_back({std::bit_cast<std::uint64_t>(rows.integer(1)), rows.integer(2), Money{rows.integer(3)}});
  }
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return found;
}

}  // namespace tollgate::io::ledger
