// What a row is in the file: ids as bytes, counts that fit, sums by measure. The writer and the reader both go by it,
// so that sums that are kept and rows that are read come to the same.
#include "io/storage/ledger/row_values.hpp"

#include "tollgate/base/digest.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <limits>

namespace tollgate::io::ledger {

namespace {

constexpr std::uint8_t no_digit = 0xF0;

constexpr std::array<std::uint8_t, 256> digit_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::uint8_t digit = 0; digit < 10; ++digit) values['0' + digit] = digit;
  for (std::uint8_t digit = 10; digit < 16; ++digit) values['a' + digit - 10] = values['A' + digit - 10] = digit;
  return values;
}();

bool read_uuid(std::string_view text, RowId& id) {
  constexpr std::array<std::uint8_t, 16> places{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
  static_assert(std::tuple_size_v<RowId> == places.size());
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uint8_t high = digit_values[static_cast<unsigned char>(text[places[i]])];
    const std::uint8_t low = digit_values[static_cast<unsigned char>(text[places[i] + 1U])];
    id[i] = static_cast<char>(high << 4 | low);
    seen |= high | low;
  }
  return (seen & no_digit) == 0;
}

}  // namespace

RowId row_id(std::string_view text) {
  RowId id{};
  if (read_uuid(text, id)) return id;
  const Digest digest = sha256(text);
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

SystemTime request_time(std::string_view request_id, SystemTime otherwise) {
  SystemTime time = otherwise;
  RowId id{};
  if (read_uuid(request_id, id) && (static_cast<unsigned char>(id[6]) >> 4) == 7) {
    std::int64_t milliseconds = 0;
    for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | static_cast<unsigned char>(id[i]);
    constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max() / 1'000'000;
    time = SystemTime(std::chrono::milliseconds(std::min(milliseconds, last)));
  }
  return std::max(time, SystemTime());
}

std::int64_t hours_since_1970(SystemTime time) {
  return std::chrono::floor<std::chrono::hours>(time).time_since_epoch().count();
}

std::int64_t clamped(std::uint64_t count) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(count, most));
}

AttemptFigures figures_of(const AttemptRow& row) {
  const protocol::Usage& usage = row.usage;
  AttemptFigures figures;
  figures.counts = {clamped(usage.input),        clamped(usage.cached_input),
                    clamped(usage.cache_write),  clamped(usage.cache_write_long),
                    clamped(usage.audio_input),  clamped(usage.image_input),
                    clamped(usage.output),       clamped(usage.reasoning),
                    clamped(usage.audio_output), clamped(usage.image_output),
                    clamped(usage.searches)};
  if (row.cost) figures.cost = row.cost->nanos;
  figures.waste = row.waste;
  figures.estimated = row.estimated;
  figures.recovered = row.recovered;
  return figures;
}

UsageSums sums_of(const AttemptFigures& figures) {
  UsageSums sums;
  sums[Measure::attempts] = 1;
  std::copy(figures.counts.begin(), figures.counts.end(),
            sums.values.begin() + static_cast<std::ptrdiff_t>(Measure::input_tokens));
  const std::int64_t cost = figures.cost.value_or(0);
  sums[Measure::cost] = cost;
  sums[Measure::unpriced] = figures.cost ? 0 : 1;
  switch (figures.waste) {
    case pipeline::Waste::none: break;
    case pipeline::Waste::retry: sums[Measure::wasted_retry] = cost; break;
    case pipeline::Waste::fallback: sums[Measure::wasted_fallback] = cost; break;
    case pipeline::Waste::hedge: sums[Measure::wasted_hedge] = cost; break;
    case pipeline::Waste::truncated: sums[Measure::wasted_truncated] = cost; break;
    case pipeline::Waste::abandoned: sums[Measure::wasted_abandoned] = cost; break;
  }
  if (figures.estimated) {
    sums[Measure::estimated] = 1;
    sums[Measure::estimated_cost] = cost;
  }
  if (figures.recovered) {
    sums[Measure::recovered] = 1;
    sums[Measure::recovered_cost] = cost;
  }
  return sums;
}

UsageSums sums_of(const AttemptRow& row) { return sums_of(figures_of(row)); }

UsageSums sums_of(const RequestRow&) {
  UsageSums sums;
  sums[Measure::requests] = 1;
  return sums;
}

std::vector<std::string_view> tags_in(std::string_view tags) {
  std::vector<std::string_view> all;
  while (!tags.empty()) {
    const std::string_view tag = tags.substr(0, tags.find(','));
    tags.remove_prefix(std::min(tag.size() + 1, tags.size()));
    if (!tag.empty() && std::find(all.begin(), all.end(), tag) == all.end()) all.push_back(tag);
  }
  return all;
}

std::string text_of(const std::vector<pipeline::BudgetShare>& shares) {
  std::string text;
  for (const pipeline::BudgetShare& share : shares) {
    std::array<char, 48> one{};
    const int size = std::snprintf(one.data(), one.size(), "%s%016" PRIx64 ":%" PRId64, text.empty() ? "" : " ",
                                   share.budget, share.window);
    text.append(one.data(), static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace tollgate::io::ledger
