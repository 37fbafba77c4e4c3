#pragma once
// The fixed parts of records, as they lie in the file. Every byte is named: what nobody writes would be whatever was
// there before.
#include "io/storage/journal/record.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tollgate::io::journal {

inline constexpr std::uint8_t flag_stream = 1, flag_estimated = 2, flag_cost = 4, flag_first_token = 8;
/// In place of the length of a request's text: it is its last attempt's.
inline constexpr std::uint16_t same_as_attempt = 0xFFFF;

/// The counts of protocol::Usage lie in the file as they lie in memory.
inline constexpr std::size_t usage_counts = 11;
static_assert(offsetof(protocol::Usage, tier) == usage_counts * sizeof(std::uint64_t));
static_assert(std::is_trivially_copyable_v<protocol::Usage> && std::is_standard_layout_v<protocol::Usage>);
static_assert(std::is_trivially_copyable_v<pipeline::BudgetShare> && sizeof(pipeline::BudgetShare) == 16);

struct AttemptFixed {
  std::uint64_t end_user;
  std::int64_t began_at;  ///< ticks of SystemTime
  std::int64_t duration;  ///< microseconds
  std::int64_t cost;      ///< nano-dollars
  std::array<std::uint64_t, usage_counts> usage;
  std::uint16_t number, status;
  std::uint8_t outcome, waste, tier, flags;
  /// request, tenant, key, route, task, model, task id, tags, attempt, target, credential, price
  std::array<std::uint16_t, 12> lengths;
  std::uint16_t shares, spare;
  std::uint32_t spare_word;
};
static_assert(sizeof(AttemptFixed) == attempt_fixed_size && std::is_trivial_v<AttemptFixed>);

struct RequestFixed {
  std::uint64_t end_user;
  std::int64_t began_at, duration, first_token, cost, wasted;
  std::array<std::uint64_t, usage_counts> usage;
  std::uint16_t status, attempts;
  std::uint8_t outcome, tier, flags, spare;
  /// request, tenant, key, route, task, model, task id, tags, endpoint, target
  std::array<std::uint16_t, 10> lengths;
  std::uint32_t spare_word;
};
static_assert(sizeof(RequestFixed) == request_fixed_size && std::is_trivial_v<RequestFixed>);

struct CheckpointFixed {
  std::array<std::uint64_t, usage_counts> usage;
  std::int64_t cost;
  std::uint16_t length;  ///< of the attempt's id
  std::uint8_t tier;
  std::array<std::uint8_t, 5> spare;
};
static_assert(sizeof(RecordHead) + sizeof(CheckpointFixed) + 40 == checkpoint_size);

}  // namespace tollgate::io::journal
