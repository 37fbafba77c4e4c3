#pragma once
#include "tollgate/io/usage.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace tollgate::io::ledger {

/// Numbers for texts over all files of one query; 0 is no text. Takes a bounded number of them, and has one number for
/// all further ones.
class NameBook {
 public:
  static constexpr std::size_t most = 400'000;
  NameBook() { number_of({}); }
  std::int64_t number_of(const std::string& text);
  const std::string& text_of(std::int64_t number) const { return *texts_[static_cast<std::size_t>(number)]; }

 private:
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::vector<const std::string*> texts_;  ///< keys of the map, which do not move
};

/// What a row belongs to, one value for each dimension; those that the query does not go by are 0.
using GroupKey = std::array<std::int64_t, usage_dimensions>;

/// The sums of one query. Takes a bounded number of groups; what belongs to a further one is in the totals alone.
class Groups {
 public:
  static constexpr std::size_t most = 100'000;

  void add(const GroupKey& key, const UsageSums& sums);
  void add_to_totals(const UsageSums& sums) { totals_.add(sums); }
  const UsageSums& totals() const { return totals_; }

  /// Sorted and cut, with the names that the numbers stand for. Empties this.
  void report(const UsageQuery& query, const NameBook& names, UsageReport& report);

 private:
  struct Hash {
    std::size_t operator()(const GroupKey& key) const;
  };
  std::unordered_map<GroupKey, UsageSums, Hash> groups_;
  UsageSums totals_;
  bool full_ = false;
};

/// "2026-11-01"; "2026-11-01T16:00Z".
std::string show_day(std::int64_t days_since_1970);
std::string show_hour(std::int64_t hours_since_1970);

}  // namespace tollgate::io::ledger
