#include "ledger.hpp"

#include "tollgate/io/diagnostics.hpp"
#include "tollgate/io/journal.hpp"
#include "tollgate/io/ledger_store.hpp"
#include "tollgate/policy/budget_book.hpp"

namespace tollgate::app {

namespace {

// The longest window with an end is a leap year; a day more for time zones.
constexpr std::chrono::hours longest_window{24 * 367};

void tell(io::Diagnostics& diagnostics, io::JournalEvent event, const std::string& message) {
  using io::JournalEvent;
  switch (event) {
    case JournalEvent::damaged: return diagnostics.error("ledger_damaged", {{"what", message}});
    case JournalEvent::torn: return diagnostics.warning("ledger_torn", {{"what", message}});
    case JournalEvent::unwritable: return diagnostics.error("ledger_unwritable", {{"why", message}});
    case JournalEvent::writable: return diagnostics.info("ledger_writable", {{"what", message}});
    case JournalEvent::sync_failed: return diagnostics.error("ledger_sync_failed", {{"why", message}});
    case JournalEvent::store_failed: return diagnostics.error("ledger_store_failed", {{"why", message}});
    case JournalEvent::store_recovered: return diagnostics.info("ledger_store_recovered", {{"what", message}});
    case JournalEvent::rows_recovered: return diagnostics.warning("ledger_rows_recovered", {{"what", message}});
  }
}

io::LedgerStoreOptions store_options(const config::Snapshot& snapshot, io::Diagnostics& diagnostics) {
  io::LedgerStoreOptions options;
  // A file of the journal goes when the store has its rows, so the store has to outlive a power cut where the journal
  // does: in both of its settings, but for the last moments.
  options.sync = io::LedgerStoreOptions::Sync::full;
  options.retention = std::chrono::duration_cast<std::chrono::hours>(snapshot.storage.retention);
  options.on_trouble = [&diagnostics](const Failure& failure) {
    diagnostics.error("ledger_trouble", {{"what", failure.message}});
  };
  return options;
}

}  // namespace

LedgerBook::LedgerBook(std::unique_ptr<io::LedgerStore> store, std::unique_ptr<io::Journal> journal)
    : store_(std::move(store)), journal_(std::move(journal)) {}

LedgerBook::~LedgerBook() = default;

Result<std::unique_ptr<LedgerBook>> LedgerBook::open(const config::Snapshot& snapshot, policy::BudgetBook& budgets,
                                                     io::Diagnostics& diagnostics) {
  const std::string folder = io::ledger_folder(snapshot.storage.path);
  auto store = io::LedgerStore::open(folder, store_options(snapshot, diagnostics));
  if (!store) return store.error();
  io::JournalSettings settings;
  settings.folder = snapshot.ledger.journal;
  settings.max_size = snapshot.ledger.max_size;
  io::JournalListener listener;
  listener.on_event = [&diagnostics](io::JournalEvent event, const std::string& message) {
    tell(diagnostics, event, message);
  };
  auto journal = io::Journal::open(settings, **store, std::move(listener));
  if (!journal) return journal.error();
  const SystemTime now = std::chrono::system_clock::now();
  const auto since = std::chrono::floor<seconds>(now - longest_window).time_since_epoch().count();
  const auto balances = (*store)->balances(since);
  if (!balances) return balances.error();
  for (const io::BudgetBalance& balance : *balances) budgets.prime(balance.budget, balance.window, balance.spent, now);
  return std::unique_ptr<LedgerBook>(new LedgerBook(std::move(*store), std::move(*journal)));
}

pipeline::Ledger& LedgerBook::add_worker() { return journal_->add_writer(); }

pipeline::LedgerFigures LedgerBook::figures() const {
  const io::JournalFigures figures = journal_->figures();
  return {std::chrono::duration_cast<Micros>(figures.lag), figures.bytes_on_disk, figures.writable};
}

}  // namespace tollgate::app
