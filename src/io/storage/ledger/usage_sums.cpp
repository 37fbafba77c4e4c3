#include "tollgate/io/usage.hpp"

#include "io/storage/ledger/columns.hpp"

#include <algorithm>
#include <limits>

namespace tollgate::io {

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

constexpr std::array<std::string_view, usage_dimensions> dimension_names{"tenant", "key",  "route", "task", "model",
                                                                         "target", "user", "tag",   "day",  "hour"};

#define TOLLGATE_MEASURE_TEXT(name) , #name
constexpr std::array<std::string_view, usage_measures> measure_names{
    "requests" TOLLGATE_FURTHER_MEASURES(TOLLGATE_MEASURE_TEXT)};
static_assert(measure_names[static_cast<std::size_t>(Measure::searches)] == "searches");
static_assert(measure_names[static_cast<std::size_t>(Measure::recovered_cost)] == "recovered_cost");

}  // namespace

std::string_view name_of(UsageDimension dimension) { return dimension_names[static_cast<std::size_t>(dimension)]; }
std::string_view name_of(Measure measure) { return measure_names[static_cast<std::size_t>(measure)]; }

std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return a > 0 ? most : -most;
  return std::max(sum, -most);
}

void UsageSums::add(const UsageSums& more) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = saturating_sum(values[i], more.values[i]);
}

bool UsageSums::saturated() const {
  return std::any_of(values.begin(), values.end(), [](std::int64_t value) { return value == most || value == -most; });
}

}  // namespace tollgate::io
