#pragma once
#include "tollgate/io/store.hpp"

#include "io/storage/sqlite.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tollgate::io::storage {

/// Which request an answer belongs to.
struct AnswerKey {
  std::string scope;
  Digest digest{};
};

/// The table of answers kept for a day.
class AnswerTable {
 public:
  /// `process` is a number that no other process has had: claims of others are told by it.
  AnswerTable(sqlite::Database& database, std::int64_t process);

  /// Belongs into a transaction of the caller's.
  Result<Claim> claim(const AnswerKey& key, const Digest& body_digest, SystemTime now);
  Result<bool> finish(const AnswerKey& key, const Answer& answer);
  Result<bool> release(const AnswerKey& key);
  /// Deletes at most 1,000 rows older than `time`; how many.
  Result<std::int64_t> forget_some(SystemTime time);

  static constexpr std::int64_t portion = 1000;

 private:
  /// What an earlier claim comes to, if there is one that still counts.
  Result<std::optional<Claim>> earlier(const AnswerKey& key, const Digest& body_digest, SystemTime now);

  const std::int64_t process_;
  sqlite::Statement find_, claim_, finish_, release_, forget_;
};

}  // namespace tollgate::io::storage
