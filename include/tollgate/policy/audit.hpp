#pragma once
// Who changed what, in rows that hold each other: each carries the hash of the one before it, so that a row that was
// changed, moved, taken out or put in between breaks the chain. Rows cut off at the end leave no gap: whoever must
// notice that keeps AuditChain::last() elsewhere.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/digest.hpp"

#include <cstdint>
#include <string>

namespace tollgate::policy {

/// One change. The texts may hold any bytes, but never a secret.
struct AuditEntry {
  SystemTime at{};
  std::string actor{}, role{};    ///< who, and by which right
  std::string action{};           ///< "key.create", "config.reload"
  std::string object{};           ///< what was changed, "key/0192..."
  std::string before{}, after{};  ///< its state, as JSON; empty where there was or is none
  std::string config_digest{};    ///< of the configuration in force
  bool operator==(const AuditEntry&) const = default;
};

struct AuditRow {
  std::uint64_t seq = 0;  ///< 1, 2, 3, ... without a gap
  AuditEntry entry{};
  Digest prev{};  ///< the hash of the row before; zeros in the first
  Digest hash{};  ///< audit_hash() of all above
  bool operator==(const AuditRow&) const = default;
};

/// SHA-256 over "tollgate audit 1\n", `seq`, `prev`, the time in nanoseconds since 1970 and the seven texts in the
/// order of their declaration. Numbers are 8 bytes, big-endian; a text is its length as a number, then its bytes: no
/// two different rows have the same encoding.
Digest audit_hash(std::uint64_t seq, const Digest& prev, const AuditEntry& entry);

/// Follows a chain from its first row on. Pure.
class AuditChain {
 public:
  /// Whether `row` is the next one, unharmed. One that is not changes nothing here.
  bool take(const AuditRow& row);
  /// Makes the row that continues the chain, and takes it.
  AuditRow append(const AuditEntry& entry);
  /// As after `rows` rows, the last of which had the hash `last`.
  static AuditChain after(std::uint64_t rows, const Digest& last);

  std::uint64_t rows() const { return rows_; }
  const Digest& last() const { return last_; }

 private:
  std::uint64_t rows_ = 0;
  Digest last_{};
};

}  // namespace tollgate::policy
