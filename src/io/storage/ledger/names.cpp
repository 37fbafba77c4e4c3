#include "io/storage/ledger/names.hpp"

namespace tollgate::io::ledger {

namespace {

constexpr std::size_t most_known = 50'000;

}  // namespace

NameWriter::NameWriter(sqlite::Database& database)
    : find_(database, "SELECT id FROM names WHERE text = ?1"),
      add_(database, "INSERT INTO names (text) VALUES (?1) RETURNING id") {}

Result<std::int64_t> NameWriter::number_of(std::string_view text) {
  if (text.empty()) return 0;
  if (const auto known = known_.find(text); known != known_.end()) return known->second;
  std::int64_t found = 0;
  for (sqlite::Statement* const statement : {&find_, &add_}) {
    sqlite::Rows rows = statement->run(text);
    while (rows.next()) found = rows.integer(0);
    if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
    if (found != 0) break;
  }
  if (known_.size() >= most_known) known_.clear();
  known_.emplace(text, found);
  return found;
}

}  // namespace tollgate::io::ledger
