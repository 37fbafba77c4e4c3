#pragma once
// What was used and what it has cost, asked by whom, what and when: the ledger's reading side, for the command and the
// admin API. docs/usage-report.md says what a query reads.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::io {

/// What rows can be grouped and picked by. The order is that of the files' columns.
enum class UsageDimension : std::uint8_t { tenant, key, route, task, model, target, user, tag, day, hour };
inline constexpr std::size_t usage_dimensions = 10;
std::string_view name_of(UsageDimension dimension);

/// What is summed up. Names are those of the files' columns.
enum class Measure : std::uint8_t {
  requests,  ///< that had at least one attempt
  attempts,
  // Of all attempts; the classes of protocol::Usage.
  input_tokens,
  cached_input_tokens,
  cache_write_tokens,
  cache_write_long_tokens,
  audio_input_tokens,
  image_input_tokens,
  output_tokens,
  reasoning_tokens,
  audio_output_tokens,
  image_output_tokens,
  searches,
  cost,  ///< nano-dollars, as all below with "cost" and "wasted" in their name
  wasted_retry,
  wasted_fallback,
  wasted_hedge,
  wasted_truncated,
  wasted_abandoned,
  unpriced,   ///< attempts without a price; they are in no cost
  estimated,  ///< attempts whose provider did not say what it has counted
  estimated_cost,
  recovered,  ///< attempts whose process ended before they were settled
  recovered_cost
};
inline constexpr std::size_t usage_measures = 24;
std::string_view name_of(Measure measure);

/// One sum per measure. Adding saturates at +-(2^63 - 1).
struct UsageSums {
  std::array<std::int64_t, usage_measures> values{};
  std::int64_t& operator[](Measure measure) { return values[static_cast<std::size_t>(measure)]; }
  std::int64_t operator[](Measure measure) const { return values[static_cast<std::size_t>(measure)]; }
  Money money(Measure measure) const { return {(*this)[measure]}; }
  void add(const UsageSums& more);
  /// Whether some sum has reached its end, and so is at least what it says.
  bool saturated() const;
  bool operator==(const UsageSums&) const = default;
};
std::int64_t saturating_sum(std::int64_t a, std::int64_t b);

struct UsageQuery {
  std::vector<UsageDimension> by;  ///< empty: one row for all
  SystemTime since{}, until{};     ///< until is the first moment that does not count
  /// Equal to; empty: nothing was given. A user is 16 hex digits, a tag "k=v". Not by day or hour.
  std::vector<std::pair<UsageDimension, std::string>> where;
  std::size_t most_rows = 1000;
};

/// A query as people write it: "tenant,model", "7d", "2026-11-01", "tenant=acme,model=gpt". Empty: no groups, the last
/// 30 days, until now, no filter. A failure is a bad_request whose `param` is the name of the part: by, since, until,
/// where.
struct UsageWords {
  std::string_view by, since, until, where;
};
Result<UsageQuery> parse_usage_query(const UsageWords& words, SystemTime now);

struct UsageRow {
  std::vector<std::string> group;  ///< in the order of `by`; a day as 2026-11-01, an hour as 2026-11-01T16:00Z
  UsageSums sums;
};

struct UsageReport {
  std::vector<UsageDimension> by;
  /// What it covers: whole UTC days, or whole hours where it is by hour.
  SystemTime since{}, until{};
  std::vector<UsageRow> rows;  ///< the dearest first, or by time where it is by day or hour
  UsageSums totals;            ///< of all that the query picks, each attempt once (one of two tags is in two rows)
  bool truncated = false;      ///< there are more rows than these; the totals are of all
  bool from_rows = false;      ///< no sums were kept for this query: every row of its months was read
};

/// Reads the ledger's files, while a gateway writes them or not; changes none. Any thread, one at a time each. Memory
/// is bounded whatever is asked: 100,000 groups, and what is beyond is in the totals alone.
class UsageReader {
 public:
  /// A folder that is not there is one without rows.
  explicit UsageReader(std::string folder) : folder_(std::move(folder)) {}
  /// `cancelled` is asked every few thousand rows; true ends it with a failure.
  Result<UsageReport> usage(const UsageQuery& query, const std::function<bool()>& cancelled = {}) const;

 private:
  std::string folder_;
};

}  // namespace tollgate::io
