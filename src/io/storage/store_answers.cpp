#include "io/storage/store_answers.hpp"

#include <chrono>
#include <utility>

namespace tollgate::io::storage {
namespace {

using sqlite::Rows;
using sqlite::Sql;

constexpr Sql find_sql =
    "SELECT body_digest, claimed_by, created_at, is_done, status, fields, body FROM answer"
    " WHERE scope = ?1 AND key_digest = ?2";
constexpr Sql claim_sql =
    "INSERT OR REPLACE INTO answer (scope, key_digest, body_digest, claimed_by, created_at) VALUES (?1, ?2, ?3, ?4, "
    "?5)";
constexpr Sql finish_sql =
    "UPDATE answer SET is_done = 1, status = ?4, fields = ?5, body = ?6"
    " WHERE scope = ?1 AND key_digest = ?2 AND claimed_by = ?3 AND is_done = 0";
constexpr Sql release_sql = "DELETE FROM answer WHERE scope = ?1 AND key_digest = ?2 AND is_done = 0";
constexpr Sql forget_sql =
    "DELETE FROM answer WHERE rowid IN (SELECT rowid FROM answer WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";

constexpr std::chrono::hours kept{24};

Result<bool> any(const Result<std::int64_t>& changed) {
  if (!changed) return changed.error();
  return *changed > 0;
}

}  // namespace

AnswerTable::AnswerTable(sqlite::Database& database, std::int64_t process)
    : process_(process),
      find_(database, find_sql),
      claim_(database, claim_sql),
      finish_(database, finish_sql),
      release_(database, release_sql),
      forget_(database, forget_sql) {}

Result<std::optional<Claim>> AnswerTable::earlier(const AnswerKey& key, const Digest& body_digest, SystemTime now) {
  Rows rows = find_.run(key.scope, key.digest);
  const bool found = rows.next();
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  if (!found || rows.time(2) < now - kept) return std::optional<Claim>();
  Claim claim;
  if (rows.digest(0) != body_digest) {
    claim.state = Claim::State::conflict;
  } else if (rows.integer(3) != 0) {
    claim.state = Claim::State::done;
    claim.answer = Answer{.status = static_cast<int>(rows.integer(4)), .fields = rows.text(5), .body = rows.text(6)};
  } else {
    claim.state = rows.integer(1) == process_ ? Claim::State::running : Claim::State::interrupted;
  }
  return std::optional<Claim>(std::move(claim));
}

Result<Claim> AnswerTable::claim(const AnswerKey& key, const Digest& body_digest, SystemTime now) {
  auto before = earlier(key, body_digest, now);
  if (!before) return before.error();
  if (*before) return std::move(**before);
  const auto claimed = claim_.execute(key.scope, key.digest, body_digest, process_, now);
  if (!claimed) return claimed.error();
  return Claim{};
}

Result<bool> AnswerTable::finish(const AnswerKey& key, const Answer& answer) {
  return any(finish_.execute(key.scope, key.digest, process_, answer.status, answer.fields, sqlite::Blob{answer.body}));
}

Result<bool> AnswerTable::release(const AnswerKey& key) { return any(release_.execute(key.scope, key.digest)); }

Result<std::int64_t> AnswerTable::forget_some(SystemTime time) { return forget_.execute(time, portion); }

}  // namespace tollgate::io::storage
