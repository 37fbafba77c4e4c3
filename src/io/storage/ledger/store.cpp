// Which rows go to which month's file, when a file is opened and closed, and how a month that is old enough goes. What
// happens inside of a file is the partition's.
#include "tollgate/base/errno_text.hpp"
#include "tollgate/io/ledger_store.hpp"

#include "io/storage/ledger/carried.hpp"
#include "io/storage/ledger/files.hpp"
#include "io/storage/ledger/partition.hpp"
#include "io/storage/ledger/row_values.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

namespace tollgate::io {

using ledger::Carried;
using ledger::Month;
using ledger::MonthRows;
using ledger::Partition;

namespace {

/// The month that ends and the one that begins; older ones come back after long pauses only.
constexpr std::size_t most_open = 2;
/// A window that begins with a month begins up to so much after the month of UTC does, in the west of the world.
constexpr std::chrono::seconds latest_begin = std::chrono::hours(14);

std::map<Month, MonthRows> by_month(const LedgerBatch& batch) {
  std::map<Month, MonthRows> months;
  const auto month = [](const RowAttribution& of, SystemTime began_at) {
    return ledger::month_of(ledger::request_time(of.request_id, began_at));
  };
  for (const AttemptRow& row : batch.attempts) months[month(row.of, row.began_at)].attempts.push_back(&row);
  for (const RequestRow& row : batch.requests) months[month(row.of, row.began_at)].requests.push_back(&row);
  return months;
}

}  // namespace

struct LedgerStore::State {
  State(std::string where, LedgerStoreOptions settings) : folder(std::move(where)), options(std::move(settings)) {}

  Result<Partition*> open(Month month);
  Result<void> drop(Month month);
  Result<std::size_t> drop_old(SystemTime now);
  void drop_old_once_a_day();

  const std::string folder;
  const LedgerStoreOptions options;
  std::unique_ptr<Carried> carried;  // its lock outlives all files
  std::map<Month, std::unique_ptr<Partition>> open_files;
  SystemTime drop_at{};
};

Result<Partition*> LedgerStore::State::open(Month month) {
  if (const auto found = open_files.find(month); found != open_files.end()) return found->second.get();
  if (open_files.size() >= most_open) open_files.erase(open_files.begin());
  auto opened = Partition::open(ledger::path_of(folder, month), options);
  if (!opened) return opened.error();
  return open_files.emplace(month, std::move(*opened)).first->second.get();
}

// --- rows ---

Result<std::unique_ptr<LedgerStore>> LedgerStore::open(const std::string& folder, LedgerStoreOptions options) {
  auto state = std::make_unique<State>(folder, std::move(options));
  auto carried = Carried::open(folder, state->options);
  if (!carried) return carried.error();
  state->carried = std::move(*carried);
  return std::unique_ptr<LedgerStore>(new LedgerStore(std::move(state)));
}

LedgerStore::LedgerStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

LedgerStore::~LedgerStore() = default;

Result<void> LedgerStore::write(const LedgerBatch& batch) {
  for (const auto& [month, rows] : by_month(batch)) {
    const auto partition = state_->open(month);
    if (!partition) return partition.error();
    if (auto written = (*partition)->write(rows); !written) {
      state_->open_files.erase(month);
      return written;
    }
  }
  state_->drop_old_once_a_day();
  return {};
}

// --- balances ---

Result<std::vector<BudgetBalance>> LedgerStore::balances(std::int64_t since) {
  std::map<std::pair<std::uint64_t, std::int64_t>, std::int64_t> sums;
  const auto add = [&sums, since](const std::vector<BudgetBalance>& balances) {
    for (const BudgetBalance& one : balances) {
      if (one.window < since && one.window != 0) continue;
      std::int64_t& spent = sums[{one.budget, one.window}];
      spent = saturating_sum(spent, one.spent.nanos);
    }
  };
  std::set<std::int64_t> asked;
  for (const Month month : ledger::months_in(state_->folder)) {
    const auto partition = state_->open(month);
    if (!partition) return partition.error();
    const auto identity = (*partition)->identity();
    if (!identity) return identity.error();
    const auto balances = (*partition)->balances();
    if (!balances) return balances.error();
    asked.insert(*identity);
    add(*balances);
  }
  const auto carried = state_->carried->balances_without(asked);
  if (!carried) return carried.error();
  add(*carried);
  std::vector<BudgetBalance> result;
  for (const auto& [window, spent] : sums) result.push_back({window.first, window.second, Money{spent}});
  return result;
}

// --- retention ---

/// First what must outlive it, then the log, the file, the lock: a process that ends in between leaves a file that is
/// whole, or none.
Result<void> LedgerStore::State::drop(Month month) {
  const auto partition = open(month);
  if (!partition) return partition.error();
  const auto identity = (*partition)->identity();
  if (!identity) return identity.error();
  auto balances = (*partition)->balances();
  if (!balances) return balances.error();
  const auto last_kept = (ledger::begin_of(month) + latest_begin).time_since_epoch();
  std::erase_if(*balances,
                [last_kept](const BudgetBalance& one) { return std::chrono::seconds(one.window) > last_kept; });
  if (auto kept = carried->keep(*identity, *balances); !kept) return kept;
  const std::string path = ledger::path_of(folder, month);
  if (auto emptied = (*partition)->empty_log(); !emptied) return emptied;
  std::error_code none;
  if (const auto size = std::filesystem::file_size(path + "-wal", none); !none && size > 0)
    return Failure{FailureKind::overloaded, Source::gateway, path + " is being read; it is deleted later"};
  open_files.erase(month);
  for (const char* const part : {"-wal", "-shm", "", ".lock"}) {
    if (::unlink((path + part).c_str()) == 0 || errno == ENOENT) continue;
    return Failure{FailureKind::overloaded, Source::gateway, "cannot delete " + path + part + ": " + errno_text()};
  }
  return {};
}

Result<std::size_t> LedgerStore::State::drop_old(SystemTime now) {
  std::size_t dropped = 0;
  if (options.retention.count() <= 0) return dropped;
  for (const Month month : ledger::months_in(folder)) {
    if (ledger::begin_of(month + std::chrono::months(1)) > now - options.retention) break;
    if (const auto gone = drop(month); !gone) return gone.error();
    ++dropped;
  }
  return dropped;
}

void LedgerStore::State::drop_old_once_a_day() {
  if (options.retention.count() <= 0) return;
  const SystemTime now = options.now();
  if (now < drop_at) return;
  drop_at = now + std::chrono::hours(24);
  if (const auto dropped = drop_old(now); !dropped && options.on_trouble) options.on_trouble(dropped.error());
}

Result<std::size_t> LedgerStore::drop_old() { return state_->drop_old(state_->options.now()); }

std::string ledger_folder(const std::string& storage_path) {
  return (std::filesystem::path(storage_path).parent_path() / "ledger").string();
}

}  // namespace tollgate::io
