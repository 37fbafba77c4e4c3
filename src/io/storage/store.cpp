// What can be asked of the store, each as one job for its thread. A change and its row in the audit share one
// transaction.
#include "tollgate/io/store.hpp"

#include "tollgate/io/secure_random.hpp"

#include "io/storage/store_state.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace tollgate::io {
namespace {

using policy::AuditChain;
using policy::AuditEntry;
using policy::AuditRow;
using storage::AnswerKey;
using storage::AnswerTable;
using storage::Connection;

constexpr std::int64_t most_audit_rows = 10'000;
constexpr std::int64_t verified_at_once = 1000;

std::size_t size_of(const KeyRow& row) {
  return row.id.size() + row.tenant.size() + row.name.size() + row.hint.size() + row.created_by.size() +
         row.settings.size();
}

std::size_t size_of(const AuditEntry& entry) {
  return entry.actor.size() + entry.role.size() + entry.action.size() + entry.object.size() + entry.before.size() +
         entry.after.size() + entry.config_digest.size();
}

/// `work` in one transaction, which stays undone where it fails.
template <class T, class Work>
Result<T> together(Connection& connection, Work work) {
  sqlite::Transaction transaction(*connection.database);
  if (!transaction.begun()) return transaction.begun().error();
  Result<T> result = work();
  if (!result) return result;
  if (const auto committed = transaction.commit(); !committed) return committed.error();
  return result;
}

Result<bool> verify_some(Connection& connection, AuditChain& chain, std::int64_t& after, AuditVerdict& verdict) {
  const auto rows = connection.audit.read(after, verified_at_once);
  if (!rows) return rows.error();
  bool intact = true;
  for (const AuditRow& row : *rows) {
    after = static_cast<std::int64_t>(row.seq);
    intact = chain.take(row);
    if (!intact) break;
  }
  verdict.rows = chain.rows();
  verdict.last = chain.last();
  if (!intact) verdict.first_broken = chain.rows() + 1;
  return !intact || rows->size() < static_cast<std::size_t>(verified_at_once);
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& path, StoreOptions options) {
  const auto process = random_bytes<8>();
  if (!process) return process.error();
  auto place = storage::Place::take(path);
  if (!place) return place.error();
  auto state =
      std::make_unique<State>(path, std::move(options), std::move(*place), std::bit_cast<std::int64_t>(*process));
  if (const auto started = state->start(); !started) return started.error();
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Store::~Store() = default;

bool Store::reachable() const { return state_->reachable; }

SteadyTime Store::last_good() const { return SteadyTime(SteadyTime::duration(state_->last_good.load())); }

// === keys ===

Result<std::vector<KeyRow>> Store::load_keys() {
  return state_->wait_for<std::vector<KeyRow>>([this](auto done) { list_keys(false, std::move(done)); });
}

void Store::list_keys(bool include_revoked, Done<std::vector<KeyRow>> done) {
  state_->post<std::vector<KeyRow>>(
      0, std::move(done), [include_revoked](Connection& connection) { return connection.keys.list(include_revoked); });
}

void Store::add_key(KeyRow row, AuditEntry entry, Done<void> done) {
  const std::size_t bytes = size_of(row) + size_of(entry);
  state_->post<void>(bytes, std::move(done), [row = std::move(row), entry = std::move(entry)](Connection& connection) {
    return together<void>(connection, [&]() -> Result<void> {
      if (auto added = connection.keys.add(row); !added) return added;
      return connection.audit.append(entry);
    });
  });
}

void Store::revoke_key(std::string id, SystemTime now, AuditEntry entry, Done<bool> done) {
  const std::size_t bytes = id.size() + size_of(entry);
  state_->post<bool>(bytes, std::move(done),
                     [id = std::move(id), now, entry = std::move(entry)](Connection& connection) {
                       return together<bool>(connection, [&]() -> Result<bool> {
                         auto revoked = connection.keys.revoke(id, now);
                         if (!revoked || !*revoked) return revoked;
                         if (const auto told = connection.audit.append(entry); !told) return told.error();
                         return true;
                       });
                     });
}

// === grants ===

Result<std::vector<GrantRow>> Store::load_grants(SystemTime now) {
  return state_->wait_for<std::vector<GrantRow>>([this, now](auto done) {
    state_->post<std::vector<GrantRow>>(0, std::move(done),
                                        [now](Connection& connection) { return connection.grants.list(now); });
  });
}

void Store::add_grant(GrantRow row, AuditEntry entry, Done<void> done) {
  const std::size_t bytes = row.budget.size() + row.reason.size() + row.granted_by.size() + size_of(entry);
  state_->post<void>(bytes, std::move(done), [row = std::move(row), entry = std::move(entry)](Connection& connection) {
    return together<void>(connection, [&]() -> Result<void> {
      if (auto added = connection.grants.add(row); !added) return added;
      return connection.audit.append(entry);
    });
  });
}

// === audit ===

void Store::append_audit(AuditEntry entry, Done<void> done) {
  const std::size_t bytes = size_of(entry);
  state_->post<void>(bytes, std::move(done), [entry = std::move(entry)](Connection& connection) {
    return together<void>(connection, [&] { return connection.audit.append(entry); });
  });
}

void Store::read_audit(std::uint64_t after_seq, std::size_t limit, Done<std::vector<AuditRow>> done) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  const auto after = static_cast<std::int64_t>(std::min(after_seq, largest));
  const auto most = static_cast<std::int64_t>(std::min<std::size_t>(limit, most_audit_rows));
  state_->post<std::vector<AuditRow>>(
      0, std::move(done), [after, most](Connection& connection) { return connection.audit.read(after, most); });
}

void Store::verify_audit(Done<AuditVerdict> done) {
  state_->post_portions<AuditVerdict>(std::move(done),
                                      [chain = AuditChain(), after = std::numeric_limits<std::int64_t>::min()](
                                          Connection& connection, AuditVerdict& verdict) mutable {
                                        return verify_some(connection, chain, after, verdict);
                                      });
}

// === answers ===

void Store::claim(std::string scope, Digest key_digest, Digest body_digest, SystemTime now, Done<Claim> done) {
  const std::size_t bytes = scope.size();
  state_->post<Claim>(bytes, std::move(done),
                      [key = AnswerKey{std::move(scope), key_digest}, body_digest, now](Connection& connection) {
                        return together<Claim>(connection,
                                               [&] { return connection.answers.claim(key, body_digest, now); });
                      });
}

void Store::finish(std::string scope, Digest key_digest, Answer answer, Done<bool> done) {
  const std::size_t bytes = scope.size() + answer.fields.size() + answer.body.size();
  state_->post<bool>(bytes, std::move(done),
                     [key = AnswerKey{std::move(scope), key_digest}, answer = std::move(answer)](
                         Connection& connection) { return connection.answers.finish(key, answer); });
}

void Store::release(std::string scope, Digest key_digest, Done<bool> done) {
  const std::size_t bytes = scope.size();
  state_->post<bool>(bytes, std::move(done), [key = AnswerKey{std::move(scope), key_digest}](Connection& connection) {
    return connection.answers.release(key);
  });
}

void Store::forget_before(SystemTime time, Done<std::uint64_t> done) {
  state_->post_portions<std::uint64_t>(std::move(done),
                                       [time](Connection& connection, std::uint64_t& sum) -> Result<bool> {
                                         const auto forgotten = connection.answers.forget_some(time);
                                         if (!forgotten) return forgotten.error();
                                         sum += static_cast<std::uint64_t>(*forgotten);
                                         return *forgotten < AnswerTable::portion;
                                       });
}

}  // namespace tollgate::io
