// Records are kept as the bytes they came in: nearly all of them are forgotten a moment later, and the few that are
// needed again are needed as bytes (to be carried on) as often as they are as rows.
#include "io/storage/journal/open_book.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tollgate::io::journal {
namespace {

/// A sum that cannot be told is the most that can: never a small number by going round.
Money sum(Money a, Money b) {
  Money result;
  if (!__builtin_add_overflow(a.nanos, b.nanos, &result.nanos)) return result;
  return Money{a.nanos > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min()};
}

AttemptRow attempt_of(std::span<const std::byte> record) {
  Decoded decoded;
  decode(record, decoded);  // it was read before
  return row_of(decoded.attempt);
}

AttemptRow recovered_attempt(std::span<const std::byte> reserved, std::span<const std::byte> checkpoint) {
  AttemptRow row = attempt_of(reserved);
  row.recovered = true;
  row.estimated = true;
  row.outcome = pipeline::Outcome::internal;
  if (checkpoint.empty()) return row;
  Decoded decoded;
  decode(checkpoint, decoded);
  row.usage = decoded.usage;
  if (row.cost) row.cost = decoded.cost;  // what has no price at its begin has none later
  return row;
}

/// Of all its attempts. Where one of them was cut off, so was the request.
RequestRow recovered_request(std::vector<AttemptRow>& attempts) {
  std::stable_sort(attempts.begin(), attempts.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  const AttemptRow& last = attempts.back();
  RequestRow row;
  row.of = last.of;
  row.target = last.target;
  row.began_at = last.began_at;
  row.outcome = last.outcome;
  row.status = last.status;
  row.attempts = static_cast<std::uint16_t>(std::min<std::size_t>(attempts.size(), 0xFFFF));
  row.stream = last.stream;
  row.usage = last.usage;
  row.cost = Money{};
  row.recovered = true;
  SystemTime end = last.began_at;
  for (const AttemptRow& attempt : attempts) {
    row.began_at = std::min(row.began_at, attempt.began_at);
    if (attempt.recovered) row.outcome = pipeline::Outcome::internal;
    row.estimated = row.estimated || attempt.estimated;
    end = std::max(end, attempt.began_at + attempt.duration);
    if (!attempt.cost) row.cost.reset();
    if (row.cost) row.cost = sum(*row.cost, *attempt.cost);
    if (attempt.cost && attempt.waste != pipeline::Waste::none) row.wasted = sum(row.wasted, *attempt.cost);
  }
  row.duration = std::chrono::duration_cast<Micros>(end - row.began_at);
  return row;
}

std::uint64_t weight(const protocol::Usage& usage) { return usage.input + usage.output; }

std::vector<std::byte> copy_of(std::span<const std::byte> record) { return {record.begin(), record.end()}; }

}  // namespace

void OpenBook::Request::pin(Pinned* file) {
  if (!file || std::find(files.begin(), files.end(), file) != files.end()) return;
  files.push_back(file);
  ++file->pins;
}

void OpenBook::Request::unpin() {
  for (Pinned* file : files) --file->pins;
  files.clear();
}

bool OpenBook::Request::open() const {
  return std::any_of(attempts.begin(), attempts.end(), [](const Attempt& attempt) { return attempt.settled.empty(); });
}

OpenBook::Attempt* OpenBook::Request::find(std::string_view attempt_id) {
  const auto found = std::find_if(attempts.begin(), attempts.end(), [&](const auto& a) { return a.id == attempt_id; });
  return found == attempts.end() ? nullptr : &*found;
}

void OpenBook::take(std::span<const std::byte> record, const Decoded& decoded, Pinned* file, LedgerBatch& batch) {
  switch (decoded.type) {
    case RecordType::reserved: return reserved(record, decoded, file);
    case RecordType::checkpoint: return checkpoint(record, decoded, file);
    case RecordType::settled:
      batch.attempts.push_back(row_of(decoded.attempt));
      return settled(record, decoded, file, false);
    case RecordType::settled_last:
      batch.attempts.push_back(row_of(decoded.attempt));
      batch.requests.push_back(row_of(decoded.request));
      return settled(record, decoded, file, true);
    case RecordType::request:
      batch.requests.push_back(row_of(decoded.request));
      return closed(decoded.request.of.request_id);
    case RecordType::end: return;
  }
}

void OpenBook::reserved(std::span<const std::byte> record, const Decoded& decoded, Pinned* file) {
  Request& request = requests_.try_emplace(std::string(decoded.attempt.of.request_id)).first->second;
  if (request.find(decoded.attempt.attempt_id)) return;
  request.attempts.push_back({std::string(decoded.attempt.attempt_id), copy_of(record), {}, {}});
  attempts_.insert_or_assign(std::string(decoded.attempt.attempt_id), &request);
  request.pin(file);
}

void OpenBook::checkpoint(std::span<const std::byte> record, const Decoded& decoded, Pinned* file) {
  const auto found = attempts_.find(decoded.attempt_id);
  if (found == attempts_.end()) return;
  Attempt& attempt = *found->second->find(decoded.attempt_id);
  // A copy that was carried on may come before the one that it was made of: an answer only grows.
  if (!attempt.checkpoint.empty()) {
    Decoded before;
    decode(attempt.checkpoint, before);
    if (weight(before.usage) > weight(decoded.usage)) return;
  }
  attempt.checkpoint = copy_of(record);
  found->second->pin(file);
}

void OpenBook::settled(std::span<const std::byte> record, const Decoded& decoded, Pinned* file, bool last) {
  const std::string_view request_id = decoded.attempt.of.request_id;
  const auto found = requests_.find(request_id);
  if (found == requests_.end() && last) return;
  Request& request = found != requests_.end() ? found->second : requests_[std::string(request_id)];
  Attempt* attempt = request.find(decoded.attempt.attempt_id);
  if (!attempt) attempt = &request.attempts.emplace_back(Attempt{std::string(decoded.attempt.attempt_id), {}, {}, {}});
  attempt->settled = copy_of(record);
  attempt->reserved = {};
  attempt->checkpoint = {};
  const auto open = attempts_.find(decoded.attempt.attempt_id);
  if (open != attempts_.end()) attempts_.erase(open);
  request.pin(file);
  if (last || request.closed) closed(request_id);
}

void OpenBook::closed(std::string_view request_id) {
  const auto found = requests_.find(request_id);
  if (found == requests_.end()) return;
  found->second.closed = true;
  if (found->second.open()) return;
  found->second.unpin();
  requests_.erase(found);
}

void OpenBook::resolve(Request& request, LedgerBatch& batch) {
  std::vector<AttemptRow> all;
  for (const Attempt& attempt : request.attempts) {
    if (attempt.settled.empty()) {
      batch.attempts.push_back(all.emplace_back(recovered_attempt(attempt.reserved, attempt.checkpoint)));
    } else {
      all.push_back(attempt_of(attempt.settled));
    }
  }
  if (!request.closed && !all.empty()) batch.requests.push_back(recovered_request(all));
}

void OpenBook::resolve(std::size_t limit, LedgerBatch& batch) {
  for (; limit > 0 && !requests_.empty(); --limit) {
    const auto first = requests_.begin();
    resolve(first->second, batch);
    for (const Attempt& attempt : first->second.attempts) attempts_.erase(attempt.id);
    first->second.unpin();
    requests_.erase(first);
  }
}

bool OpenBook::carry(Pinned& file, const Write& write) {
  for (auto& [id, request] : requests_) {
    if (std::find(request.files.begin(), request.files.end(), &file) == request.files.end()) continue;
    std::vector<Pinned*> files;
    for (const Attempt& attempt : request.attempts) {
      for (const Bytes* record : {&attempt.reserved, &attempt.checkpoint, &attempt.settled}) {
        if (record->empty()) continue;
        Pinned* const other = write(*record);
        if (!other) return false;
        files.push_back(other);
      }
    }
    request.unpin();
    for (Pinned* other : files) request.pin(other);
  }
  return true;
}

}  // namespace tollgate::io::journal
