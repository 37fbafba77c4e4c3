#pragma once
// The journal's records as bytes. A record is a head, a body of fixed parts in the machine's own byte order (a journal
// is read where it was written), budget shares, then texts. Whole records are multiples of 8 bytes, at multiples of 8.
#include "tollgate/io/ledger_rows.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tollgate::io::journal {

enum class RecordType : std::uint8_t {
  reserved = 1,      ///< an attempt, before its first byte goes out
  checkpoint = 2,    ///< what a reserved attempt has come to so far
  settled = 3,       ///< an attempt's row
  settled_last = 4,  ///< an attempt's row and its request's
  request = 5,       ///< a request's row
  end = 6            ///< the writer has gone on in its next segment
};

struct RecordHead {
  std::uint32_t length;             ///< of the whole record; 0: not published. Stored last, released.
  std::uint32_t checksum;           ///< of all that follows, seeded with the segment's salt and the length
  std::uint64_t sequence_and_type;  ///< sequence * 256 + type; a writer's sequence has no gap
};
static_assert(sizeof(RecordHead) == 16);

/// Texts are cut here when they are written.
namespace longest {
inline constexpr std::size_t id = 36, name = 128, model = 256, target = 260, price = 256, task_id = 128, tags = 1024,
                             endpoint = 64;
inline constexpr std::size_t shares = 32;  ///< budgets of one attempt; with more, nothing is reserved
}  // namespace longest

inline constexpr std::size_t record_step = 8;
inline constexpr std::size_t attempt_fixed_size = 160, request_fixed_size = 168, checkpoint_size = 16 + 104 + 40;
inline constexpr std::size_t largest_attribution =
    longest::id + 4 * longest::name + longest::model + longest::task_id + longest::tags;
/// The largest record of an attempt alone.
inline constexpr std::size_t largest_attempt =
    (sizeof(RecordHead) + attempt_fixed_size + longest::shares * sizeof(pipeline::BudgetShare) + largest_attribution +
     longest::id + longest::target + longest::name + longest::price + record_step - 1) /
    record_step * record_step;
/// The largest record of a request alone, and the most that one adds to its last attempt's.
inline constexpr std::size_t largest_request = (sizeof(RecordHead) + request_fixed_size + largest_attribution +
                                                longest::endpoint + longest::target + record_step - 1) /
                                               record_step * record_step;
inline constexpr std::size_t largest_record = largest_attempt + largest_request;

/// Each writes a body behind the head at `record`, which has room for the largest of its kind and 8 bytes more, and
/// returns the body's end. Nothing is published by it.
/// `reserved`: a published record of an attempt, or null; where it is of this one, texts and shares are taken from it.
std::byte* encode_attempt(std::byte* record, const pipeline::AttemptEntry& entry, const std::byte* reserved = nullptr);
std::byte* encode_last(std::byte* record, const pipeline::AttemptEntry& entry, const pipeline::RequestEntry& request,
                       const std::byte* reserved = nullptr);
std::byte* encode_request(std::byte* record, const pipeline::RequestEntry& request);
std::byte* encode_checkpoint(std::byte* record, std::string_view attempt_id, const protocol::Usage& usage, Money cost);

/// Publishes the record whose body ends at `end`; returns where the next one begins.
std::byte* publish(std::byte* record, std::byte* end, RecordType type, std::uint64_t sequence, std::uint32_t salt);

/// Views into a record. Not copied: `attempt.budgets` is a view of `shares`.
struct Decoded {
  Decoded() = default;
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;

  RecordType type{};
  std::uint64_t sequence = 0;
  pipeline::AttemptEntry attempt;  ///< reserved, settled, settled_last
  pipeline::RequestEntry request;  ///< settled_last, request
  std::string_view attempt_id;     ///< checkpoint
  protocol::Usage usage;           ///< checkpoint
  Money cost;                      ///< checkpoint
  std::array<pipeline::BudgetShare, longest::shares> shares{};
};

/// Whether the bytes at the begin of `bytes` are a whole, undamaged record, and how long it is; 0: they are not.
std::size_t checked_length(std::span<const std::byte> bytes, std::uint32_t salt);

/// Reads a record that checked_length() has found. False: its checksum is right and its content is not; nobody has
/// written that.
bool decode(std::span<const std::byte> record, Decoded& out);

AttemptRow row_of(const pipeline::AttemptEntry& entry);
RequestRow row_of(const pipeline::RequestEntry& entry);

}  // namespace tollgate::io::journal
