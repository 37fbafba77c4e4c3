#pragma once
// A time zone as a ready table: what reads the machine's zone database hands one in, and nothing here opens a file.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tollgate::policy {

/// What clocks on the wall have shown and will show somewhere. Immutable; any thread. Times are Unix seconds (`at`) and
/// seconds of the wall clock since 1970-01-01T00:00:00 on it (`local`).
class TimeZone {
 public:
  /// From `at` on, clocks show so many seconds more than UTC (less: below 0).
  struct Change {
    std::int64_t at = 0;
    std::int32_t offset = 0;
    bool operator==(const Change&) const = default;
  };
  /// A stretch of time over which the offset is one.
  struct Stretch {
    std::int64_t begin = 0, end = 0;  ///< `end` excluded; INT64_MIN and INT64_MAX: without one
    std::int32_t offset = 0;
  };

  /// `first_offset` holds before the first change. Throws std::invalid_argument for changes out of order and for
  /// offsets beyond 26 hours.
  TimeZone(std::string name, std::int32_t first_offset, std::vector<Change> changes);

  /// UTC, which needs no database. Never null.
  static const std::shared_ptr<const TimeZone>& utc();

  const std::string& name() const { return name_; }
  Stretch at(std::int64_t unix_seconds) const;
  std::int64_t local(std::int64_t unix_seconds) const { return unix_seconds + at(unix_seconds).offset; }
  /// The first moment at which clocks show `local` or later. Where a clock jumps over it, the jump; where it is shown
  /// twice, the first time.
  std::int64_t first_at_or_after(std::int64_t local) const;

  bool operator==(const TimeZone&) const = default;

 private:
  Stretch stretch(std::size_t changes_before) const;

  std::string name_;
  std::int32_t first_offset_;
  std::vector<Change> changes_;
};

}  // namespace tollgate::policy
