#include "tollgate/policy/audit.hpp"

#include <chrono>
#include <string_view>

namespace tollgate::policy {
namespace {

constexpr std::string_view encoding_name = "tollgate audit 1\n";

void append_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xFF);
}

std::uint64_t nanoseconds(SystemTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

}  // namespace

Digest audit_hash(std::uint64_t seq, const Digest& prev, const AuditEntry& entry) {
  std::string encoded(encoding_name);
  append_number(encoded, seq);
  encoded.append(prev.begin(), prev.end());
  append_number(encoded, nanoseconds(entry.at));
  for (const std::string* text :
       {&entry.actor, &entry.role, &entry.action, &entry.object, &entry.before, &entry.after, &entry.config_digest}) {
    append_number(encoded, text->size());
    encoded += *text;
  }
  return sha256(encoded);
}

bool AuditChain::take(const AuditRow& row) {
  if (row.seq != rows_ + 1 || row.prev != last_ || row.hash != audit_hash(row.seq, row.prev, row.entry)) return false;
  rows_ = row.seq;
  last_ = row.hash;
  return true;
}

AuditRow AuditChain::append(const AuditEntry& entry) {
  AuditRow row{.seq = rows_ + 1, .entry = entry, .prev = last_, .hash = audit_hash(rows_ + 1, last_, entry)};
  rows_ = row.seq;
  last_ = row.hash;
  return row;
}

AuditChain AuditChain::after(std::uint64_t rows, const Digest& last) {
  AuditChain chain;
  chain.rows_ = rows;
  chain.last_ = last;
  return chain;
}

}  // namespace tollgate::policy
