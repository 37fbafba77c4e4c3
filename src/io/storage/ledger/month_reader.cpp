// How a file is read for a query: one table of sums from end to end, or every row. Statements have no conditions but
// the time, so that each step is short and a query can be ended between any two.
#include "io/storage/ledger/month_reader.hpp"

#include <algorithm>

namespace tollgate::io::ledger {

namespace {

using sqlite::Rows;
using sqlite::Sql;
using enum UsageDimension;

constexpr Sql name_sql = "SELECT text FROM names WHERE id = ?1";
constexpr Sql attempts_sql =
    "SELECT hour, tenant, key, route, task, model, target, user, tags, cost, waste, estimated, recovered, input_tokens,"
    " cached_input_tokens, cache_write_tokens, cache_write_long_tokens, audio_input_tokens, image_input_tokens,"
    " output_tokens, reasoning_tokens, audio_output_tokens, image_output_tokens, searches FROM attempts";
constexpr Sql requests_sql = "SELECT hour, tenant, key, route, task, model, target, user, tags FROM requests";
constexpr std::array row_columns{tenant, key, route, task, model, target};  // after the hour
constexpr int user_column = 7, tags_column = 8, cost_column = 9;

constexpr std::size_t most_numbers = std::size_t{1} << 22;  // a file with more names is asked each time
constexpr std::size_t most_tag_sets = 20'000;
constexpr std::uint32_t steps_between_looks = 4096;
constexpr std::int64_t hours_of_day = 24;

std::size_t index(UsageDimension dimension) { return static_cast<std::size_t>(dimension); }

AttemptFigures figures_in(const Rows& rows) {
  AttemptFigures figures;
  if (!rows.is_null(cost_column)) figures.cost = rows.integer(cost_column);
  figures.waste = static_cast<pipeline::Waste>(rows.integer(cost_column + 1));
  figures.estimated = rows.integer(cost_column + 2) != 0;
  figures.recovered = rows.integer(cost_column + 3) != 0;
  int column = cost_column + 4;
  for (std::int64_t& one : figures.counts) one = rows.integer(column++);
  return figures;
}

}  // namespace

MonthReader::MonthReader(sqlite::Database& database, const UsagePlan& plan, NameBook& names, Groups& groups,
                         const std::function<bool()>& cancelled)
    : plan_(plan),
      names_(names),
      groups_(groups),
      cancelled_(cancelled),
      database_(database),
      name_(database, name_sql) {}

Result<void> MonthReader::read() {
  if (auto begun = database_.execute("BEGIN"); !begun) return begun;
  if (plan_.rollup) return read_rollup();
  if (auto done = read_attempts(); !done) return done;
  return read_requests();
}

// --- sums ---

Result<void> MonthReader::read_rollup() {
  const Rollup& rollup = *plan_.rollup;
  const bool by_hour = rollup.time == hour;
  const std::int64_t unit = by_hour ? 1 : hours_of_day;
  sqlite::Statement statement(database_, rollup.read);
  Rows rows = statement.run(plan_.from_hour / unit, plan_.to_hour / unit);
  const int first_measure = 1 + static_cast<int>(rollup.columns.size());
  while (rows.next()) {
    Values values{};
    values[index(hour)] = by_hour ? rows.integer(0) : 0;
    values[index(day)] = rows.integer(0) / (by_hour ? hours_of_day : 1);
    int column = 0;
    for (const UsageDimension dimension : rollup.columns) {
      const std::int64_t value = rows.integer(++column);
      if (!plan_.is_about(dimension)) continue;
      const Result<std::int64_t> number = dimension == user ? value : known_number(value);
      if (!number) return number.error();
      values[index(dimension)] = *number;
    }
    if (auto wanted = go_on(); !wanted) return wanted;
    if (!fits(values)) continue;
    UsageSums sums;
    for (std::size_t i = 0; i < usage_measures; ++i) sums.values[i] = rows.integer(first_measure + static_cast<int>(i));
    count(values, sums);
    groups_.add_to_totals(sums);
  }
  return rows.outcome();
}

// --- rows ---

Result<void> MonthReader::read_attempts() {
  sqlite::Statement statement(database_, attempts_sql);
  Rows rows = statement.run();
  while (rows.next()) {
    Values values{};
    const auto inside = place_row(rows, values);
    if (!inside) return inside.error();
    if (!*inside) continue;
    if (auto taken = take_row(values, rows.integer(tags_column), sums_of(figures_in(rows))); !taken) return taken;
  }
  return rows.outcome();
}

Result<void> MonthReader::read_requests() {
  sqlite::Statement statement(database_, requests_sql);
  Rows rows = statement.run();
  UsageSums sums;
  sums[Measure::requests] = 1;
  while (rows.next()) {
    Values values{};
    const auto inside = place_row(rows, values);
    if (!inside) return inside.error();
    if (!*inside) continue;
    if (auto taken = take_row(values, rows.integer(tags_column), sums); !taken) return taken;
  }
  return rows.outcome();
}

Result<bool> MonthReader::place_row(const Rows& rows, Values& values) {
  if (const auto wanted = go_on(); !wanted) return wanted.error();
  const std::int64_t at = rows.integer(0);
  if (at < plan_.from_hour || at >= plan_.to_hour) return false;
  values[index(hour)] = at;
  values[index(day)] = at / hours_of_day;
  values[index(user)] = rows.integer(user_column);
  int column = 0;
  for (const UsageDimension dimension : row_columns) {
    ++column;
    if (!plan_.is_about(dimension)) continue;
    const auto number = known_number(rows.integer(column));
    if (!number) return number.error();
    values[index(dimension)] = *number;
  }
  return true;
}

Result<void> MonthReader::take_row(const Values& values, std::int64_t tags, const UsageSums& sums) {
  bool fitted = false;
  if (!plan_.is_about(tag)) {
    fitted = fits(values);
    if (fitted) count(values, sums);
  } else {
    const auto all = tags_of(tags);
    if (!all) return all.error();
    Values one = values;
    for (const std::int64_t number : **all) {
      one[index(tag)] = number;
      if (!fits(one)) continue;
      fitted = true;
      count(one, sums);
    }
  }
  if (fitted) groups_.add_to_totals(sums);
  return {};
}

// --- what both do ---

bool MonthReader::fits(const Values& values) const {
  return std::all_of(plan_.where.begin(), plan_.where.end(),
                     [&values](const auto& one) { return values[index(one.first)] == one.second; });
}

void MonthReader::count(const Values& values, const UsageSums& sums) {
  GroupKey key{};
  for (std::size_t i = 0; i < usage_dimensions; ++i)
    if ((plan_.by & bit(static_cast<UsageDimension>(i))) != 0) key[i] = values[i];
  groups_.add(key, sums);
}

Result<void> MonthReader::go_on() {
  if (++steps_ % steps_between_looks != 0 || !cancelled_ || !cancelled_()) return {};
  return Failure{FailureKind::overloaded, Source::gateway,
                 "the query took too long and was ended; ask for less time or for fewer groups", "query_too_long"};
}

Result<std::string> MonthReader::text_of(std::int64_t local) {
  Rows rows = name_.run(local);
  const bool found = rows.next();
  std::string text = found ? rows.text(0) : std::string();
  if (const auto outcome = rows.outcome(); !outcome) return outcome.error();
  if (!found) return database_.failure("a row has a name that is not there, the file is damaged");
  return text;
}

Result<std::int64_t> MonthReader::known_number(std::int64_t local) {
  if (local == 0) return 0;
  const bool is_kept = local > 0 && static_cast<std::size_t>(local) < most_numbers;
  const auto at = static_cast<std::size_t>(local);
  if (is_kept && at < numbers_.size() && numbers_[at] >= 0) return numbers_[at];
  const auto text = text_of(local);
  if (!text) return text.error();
  const std::int64_t number = names_.number_of(*text);
  if (is_kept) {
    if (at >= numbers_.size()) numbers_.resize(at + 1, -1);
    numbers_[at] = number;
  }
  return number;
}

Result<const std::vector<std::int64_t>*> MonthReader::tags_of(std::int64_t local) {
  if (const auto known = tags_.find(local); known != tags_.end()) return &known->second;
  std::vector<std::int64_t> numbers;
  const auto all = local == 0 ? Result<std::string>(std::string()) : text_of(local);
  if (!all) return all.error();
  for (const std::string_view one : tags_in(*all)) numbers.push_back(names_.number_of(std::string(one)));
  if (numbers.empty()) numbers.push_back(0);
  if (tags_.size() >= most_tag_sets) tags_.clear();
  return &tags_.emplace(local, std::move(numbers)).first->second;
}

}  // namespace tollgate::io::ledger
