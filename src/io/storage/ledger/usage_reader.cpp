// Which files a query reads, and which of their tables.
#include "tollgate/io/usage.hpp"

#include "io/storage/ledger/files.hpp"
#include "io/storage/ledger/month_reader.hpp"
#include "io/storage/ledger/schema.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <filesystem>

namespace tollgate::io {

using namespace ledger;

namespace {

std::int64_t value_of(const std::pair<UsageDimension, std::string>& filter, NameBook& names) {
  if (filter.first != UsageDimension::user) return names.number_of(filter.second);
  std::uint64_t user = 0;
  std::from_chars(filter.second.data(), filter.second.data() + filter.second.size(), user, 16);
  return std::bit_cast<std::int64_t>(user);
}

UsagePlan plan_of(const UsageQuery& query, const UsageReport& report, NameBook& names) {
  UsagePlan plan;
  for (const UsageDimension dimension : query.by) plan.by |= bit(dimension);
  plan.about = plan.by;
  for (const auto& filter : query.where) {
    plan.where.emplace_back(filter.first, value_of(filter, names));
    plan.about |= bit(filter.first);
  }
  plan.rollup = rollup_for(plan.about);
  plan.from_hour = hours_since_1970(report.since);
  plan.to_hour = hours_since_1970(report.until);
  return plan;
}

/// Whole days, so that reports by different things are of the same time; whole hours where they are asked for.
template <class Unit>
void widen(const UsageQuery& query, UsageReport& report) {
  report.since = std::max(SystemTime(std::chrono::floor<Unit>(query.since)), SystemTime());
  report.until = std::max(SystemTime(std::chrono::ceil<Unit>(query.until)), report.since);
}

bool has(const UsageQuery& query, UsageDimension dimension) {
  return std::find(query.by.begin(), query.by.end(), dimension) != query.by.end();
}

Result<void> read_month(const std::string& path, const UsagePlan& plan, NameBook& names, Groups& groups,
                        const std::function<bool()>& cancelled) {
  auto database = sqlite::Database::open_for_reading(path);
  // A month that went since the folder was read.
  if (!database && !std::filesystem::exists(path)) return {};
  if (!database) return database.error();
  const auto readable = is_readable(**database, Kind::month);
  if (!readable) return readable.error();
  if (!*readable) return {};
  return MonthReader(**database, plan, names, groups, cancelled).read();
}

}  // namespace

Result<UsageReport> UsageReader::usage(const UsageQuery& query, const std::function<bool()>& cancelled) const {
  UsageReport report;
  report.by = query.by;
  if (has(query, UsageDimension::hour))
    widen<std::chrono::hours>(query, report);
  else
    widen<std::chrono::days>(query, report);
  NameBook names;
  Groups groups;
  const UsagePlan plan = plan_of(query, report, names);
  report.from_rows = plan.rollup == nullptr;
  for (const Month month : months_in(folder_)) {
    if (begin_of(month) >= report.until || begin_of(month + std::chrono::months(1)) <= report.since) continue;
    if (const auto read = read_month(path_of(folder_, month), plan, names, groups, cancelled); !read)
      return read.error();
  }
  groups.report(query, names, report);
  const bool picks_tag = std::any_of(query.where.begin(), query.where.end(),
                                     [](const auto& one) { return one.first == UsageDimension::tag; });
  if (has(query, UsageDimension::tag) && !picks_tag && !report.from_rows) {
    // Sums by tag hold what has two tags twice.
    UsageQuery all{{}, report.since, report.until, query.where};
    const auto totals = usage(all, cancelled);
    if (!totals) return totals.error();
    report.totals = totals->totals;
  }
  return report;
}

}  // namespace tollgate::io
