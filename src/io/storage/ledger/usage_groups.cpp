#include "io/storage/ledger/usage_groups.hpp"

#include "tollgate/base/instant.hpp"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdio>

namespace tollgate::io::ledger {

namespace {

SystemTime time_of(std::chrono::hours since_1970) { return SystemTime(since_1970); }

std::string show(UsageDimension dimension, std::int64_t value, const NameBook& names) {
  switch (dimension) {
    case UsageDimension::day: return show_day(value);
    case UsageDimension::hour: return show_hour(value);
    case UsageDimension::user: {
      if (value == 0) return {};
      std::array<char, 24> text{};
      std::snprintf(text.data(), text.size(), "%016" PRIx64, std::bit_cast<std::uint64_t>(value));
      return text.data();
    }
    default: return names.text_of(value);
  }
}

bool is_by_time(const UsageQuery& query) {
  return std::any_of(query.by.begin(), query.by.end(), [](UsageDimension dimension) {
    return dimension == UsageDimension::day || dimension == UsageDimension::hour;
  });
}

std::int64_t time_in(const GroupKey& key) {
  const auto value = [&key](UsageDimension dimension) { return key[static_cast<std::size_t>(dimension)]; };
  return std::max(value(UsageDimension::day) * 24, value(UsageDimension::hour));
}

}  // namespace

std::string show_day(std::int64_t days) { return show_instant(time_of(std::chrono::days(days))).substr(0, 10); }

std::string show_hour(std::int64_t hours) {
  return show_instant(time_of(std::chrono::hours(hours))).substr(0, 16) + "Z";
}

std::int64_t NameBook::number_of(const std::string& text) {
  const bool is_full = texts_.size() >= most && !numbers_.contains(text);
  const auto [found, added] =
      numbers_.try_emplace(is_full ? "(others)" : text, static_cast<std::int64_t>(texts_.size()));
  if (added) texts_.push_back(&found->first);
  return found->second;
}

std::size_t Groups::Hash::operator()(const GroupKey& key) const {
  std::uint64_t hash = 0;
  for (const std::int64_t value : key) {
    hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32;
  }
  return hash;
}

void Groups::add(const GroupKey& key, const UsageSums& sums) {
  const auto found = groups_.find(key);
  if (found != groups_.end()) return found->second.add(sums);
  if (groups_.size() >= most) {
    full_ = true;
    return;
  }
  groups_.emplace(key, sums);
}

void Groups::report(const UsageQuery& query, const NameBook& names, UsageReport& report) {
  using Entry = std::pair<const GroupKey, UsageSums>;
  std::vector<const Entry*> order;
  order.reserve(groups_.size());
  for (const Entry& entry : groups_) order.push_back(&entry);
  const bool by_time = is_by_time(query);
  std::sort(order.begin(), order.end(), [by_time](const Entry* left, const Entry* right) {
    if (by_time && time_in(left->first) != time_in(right->first)) return time_in(left->first) < time_in(right->first);
    for (const Measure measure : {Measure::cost, Measure::attempts, Measure::requests})
      if (left->second[measure] != right->second[measure]) return left->second[measure] > right->second[measure];
    return left->first < right->first;
  });
  report.truncated = full_ || order.size() > query.most_rows;
  if (order.size() > query.most_rows) order.resize(query.most_rows);
  for (const Entry* const entry : order) {
    UsageRow& row = report.rows.emplace_back();
    for (const UsageDimension dimension : query.by)
      row.group.push_back(show(dimension, entry->first[static_cast<std::size_t>(dimension)], names));
    row.sums = entry->second;
  }
  report.totals = totals_;
  groups_.clear();
}

}  // namespace tollgate::io::ledger
