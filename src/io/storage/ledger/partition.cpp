// How rows get into a month's file: a row that is new brings its sums and balances with it, in one transaction; a row
// that is there brings nothing.
#include "io/storage/ledger/partition.hpp"

#include "io/storage/ledger/birth.hpp"
#include "io/storage/ledger/row_values.hpp"
#include "io/storage/ledger/schema.hpp"

#include <algorithm>
#include <bit>

namespace tollgate::io::ledger {

namespace {

using sqlite::Blob;
using sqlite::Sql;

constexpr Sql attempt_sql =
    "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
constexpr Sql request_sql =
    "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING";
constexpr Sql balance_sql =
    "INSERT INTO balances (budget, window, spent) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET spent = CASE"
    " WHEN excluded.spent > 0 AND spent > 9223372036854775807 - excluded.spent THEN 9223372036854775807"
    " WHEN excluded.spent < 0 AND spent < -9223372036854775807 - excluded.spent THEN -9223372036854775807"
    " ELSE spent + excluded.spent END";
constexpr Sql balances_sql = "SELECT budget, window, spent FROM balances";

Blob bytes_of(const RowId& id) { return {{id.data(), id.size()}}; }

/// The numbers of several texts, in their order.
template <std::size_t count>
Result<void> numbers_of(NameWriter& names, const std::array<std::string_view, count>& texts,
                        std::array<std::int64_t, count>& numbers) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = names.number_of(texts[i]);
    if (!found) return found.error();
    numbers[i] = *found;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Partition>> Partition::open(const std::string& path, const LedgerStoreOptions& options) {
  if (const auto made = make_where_missing(path, Kind::month); !made) return made.error();
  auto place = storage::Place::take(path);
  if (!place) return place.error();
  auto database = sqlite::Database::open(path);
  if (!database) return database.error();
  (*database)->wait_for_locks(options.busy_timeout);
  const bool full = options.sync == LedgerStoreOptions::Sync::full;
  if (const auto prepared = prepare(**database, Kind::month, full); !prepared) return prepared.error();
  return std::make_unique<Partition>(std::move(*place), std::move(*database));
}

Partition::Partition(storage::Place place, std::unique_ptr<sqlite::Database> database)
    : place_(std::move(place)),
      database_(std::move(database)),
      names_(*database_),
      rollups_(*database_),
      add_attempt_(*database_, attempt_sql),
      add_request_(*database_, request_sql),
      add_balance_(*database_, balance_sql),
      read_balances_(*database_, balances_sql) {}

Result<void> Partition::write(const MonthRows& rows) {
  rollups_.forget();
  spent_.clear();
  sqlite::Transaction transaction(*database_);
  if (!transaction.begun()) return transaction.begun();
  for (const AttemptRow* const row : rows.attempts)
    if (auto added = add(*row); !added) return added;
  for (const RequestRow* const row : rows.requests)
    if (auto added = add(*row); !added) return added;
  if (auto flushed = rollups_.flush(); !flushed) return flushed;
  if (auto written = write_balances(); !written) return written;
  if (auto committed = transaction.commit(); !committed) return committed;
  // Rows in a file that was moved away are rows that nobody will find.
  return database_->check();
}

Result<Place> Partition::place_of(const RowAttribution& of, const std::string& target, SystemTime began_at) {
  Place place;
  place.hour = hours_since_1970(request_time(of.request_id, began_at));
  place.user = std::bit_cast<std::int64_t>(of.end_user);
  std::array<std::int64_t, 6> numbers{};
  if (const auto done = numbers_of<6>(names_, {of.tenant, of.key, of.route, of.task, of.model, target}, numbers); !done)
    return done.error();
  place.tenant = numbers[0];
  place.key = numbers[1];
  place.route = numbers[2];
  place.task = numbers[3];
  place.model = numbers[4];
  place.target = numbers[5];
  for (const std::string_view tag : tags_in(of.tags)) {
    const auto number = names_.number_of(tag);
    if (!number) return number.error();
    place.tags.push_back(*number);
  }
  return place;
}

Result<void> Partition::add(const AttemptRow& row) {
  const auto found = place_of(row.of, row.target, row.began_at);
  if (!found) return found.error();
  const Place& place = *found;
  const std::string shares = text_of(row.budgets);
  std::array<std::int64_t, 4> numbers{};
  if (auto done = numbers_of<4>(names_, {row.credential, row.of.tags, row.price, shares}, numbers); !done) return done;
  const auto [credential, tags, price, budgets] = numbers;
  const AttemptFigures figures = figures_of(row);
  const auto& count = figures.counts;
  const auto inserted = add_attempt_.execute(
      bytes_of(row_id(row.attempt_id)), bytes_of(row_id(row.of.request_id)), row.number, place.hour, row.began_at,
      row.duration.count(), place.tenant, place.key, place.route, place.task, place.model, place.target, credential,
      place.user, tags, row.of.task_id, static_cast<std::int64_t>(row.outcome), static_cast<std::int64_t>(row.waste),
      row.status, row.stream, row.estimated, row.recovered, static_cast<std::int64_t>(row.usage.tier), count[0],
      count[1], count[2], count[3], count[4], count[5], count[6], count[7], count[8], count[9], count[10], figures.cost,
      price, budgets);
  if (!inserted) return inserted.error();
  if (*inserted == 0) return {};
  rollups_.add(place, sums_of(figures));
  for (const pipeline::BudgetShare& share : row.budgets) {
    if (!row.cost) continue;
    std::int64_t& spent = spent_[{share.budget, share.window}];
    spent = saturating_sum(spent, row.cost->nanos);
  }
  return {};
}

Result<void> Partition::add(const RequestRow& row) {
  const auto found = place_of(row.of, row.target, row.began_at);
  if (!found) return found.error();
  const Place& place = *found;
  std::array<std::int64_t, 2> numbers{};
  if (auto done = numbers_of<2>(names_, {row.endpoint, row.of.tags}, numbers); !done) return done;
  const auto [endpoint, tags] = numbers;
  const auto first_token = row.first_token ? std::optional<std::int64_t>(row.first_token->count()) : std::nullopt;
  const auto cost = row.cost ? std::optional<std::int64_t>(row.cost->nanos) : std::nullopt;
  const auto inserted = add_request_.execute(
      bytes_of(row_id(row.of.request_id)), place.hour, row.began_at, row.duration.count(), first_token, place.tenant,
      place.key, place.route, place.task, place.model, place.target, endpoint, place.user, tags, row.of.task_id,
      static_cast<std::int64_t>(row.outcome), row.status, row.attempts, row.stream, row.estimated, row.recovered,
      static_cast<std::int64_t>(row.usage.tier), clamped(row.usage.input), clamped(row.usage.output), cost,
      row.wasted.nanos);
  if (!inserted) return inserted.error();
  if (*inserted > 0) rollups_.add(place, sums_of(row));
  return {};
}

Result<void> Partition::write_balances() {
  for (const auto& [window, spent] : spent_) {
    const auto added = add_balance_.execute(std::bit_cast<std::int64_t>(window.first), window.second, spent);
    if (!added) return added.error();
  }
  spent_.clear();
  return {};
}

Result<std::vector<BudgetBalance>> Partition::balances() {
  std::vector<BudgetBalance> found;
  sqlite::Rows rows = read_balances_.run();
  while (rows.next())
    found.push_back({std::bit_cast<std::uint64_t>(rows.integer(0)), rows.integer(1), Money{rows.integer(2)}});
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  return found;
}

Result<std::int64_t> Partition::identity() { return ledger::number(*database_, "SELECT value FROM identity"); }

Result<void> Partition::empty_log() { return database_->execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

}  // namespace tollgate::io::ledger
