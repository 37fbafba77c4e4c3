// Rows to bytes. This is what a request pays for the book: fixed parts are filled in place, short texts are copied
// without a call, and the texts that a request shares with its last attempt are written once.
#include "io/storage/journal/record.hpp"

#include "io/storage/journal/crc32c.hpp"
#include "io/storage/journal/record_layout.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace tollgate::io::journal {
namespace {

template <std::size_t size>
[[gnu::always_inline]] inline void copy_block(std::byte* to, const char* from) {
  std::memcpy(to, from, size);
}

/// A call of memcpy costs more than the copy; two blocks that overlap cover every length between one block and two.
[[gnu::always_inline]] inline std::byte* copy_text(std::byte* to, const char* from, std::size_t size) {
  if (size > 16) {
    for (std::size_t done = 0; done + 16 < size; done += 16) copy_block<16>(to + done, from + done);
    copy_block<16>(to + size - 16, from + size - 16);
  } else if (size >= 8) {
    copy_block<8>(to, from);
    copy_block<8>(to + size - 8, from + size - 8);
  } else if (size >= 4) {
    copy_block<4>(to, from);
    copy_block<4>(to + size - 4, from + size - 4);
  } else if (size > 0) {
    to[0] = static_cast<std::byte>(from[0]);
    to[size / 2] = static_cast<std::byte>(from[size / 2]);
    to[size - 1] = static_cast<std::byte>(from[size - 1]);
  }
  return to + size;
}

std::uint64_t word_at(const void* from, std::size_t index) {
  std::uint64_t word = 0;
  std::memcpy(&word, static_cast<const std::byte*>(from) + index * sizeof word, sizeof word);
  return word;
}

/// Ids are of one length in all but tests.
[[gnu::always_inline]] inline std::byte* copy_id(std::byte* to, std::string_view id, std::uint16_t& length) {
  const std::size_t size = std::min(id.size(), longest::id);
  length = static_cast<std::uint16_t>(size);
  if (size != longest::id) return copy_text(to, id.data(), size);
  copy_block<16>(to, id.data());
  copy_block<16>(to + 16, id.data() + 16);
  copy_block<4>(to + 32, id.data() + 32);
  return to + longest::id;
}

/// `cut` false: the caller has seen that no text is longer than the smallest limit.
template <bool cut>
[[gnu::always_inline]] inline std::byte* put(std::byte* to, std::string_view text, std::size_t limit,
                                             std::uint16_t& length) {
  const std::size_t size = cut ? std::min(text.size(), limit) : text.size();
  length = static_cast<std::uint16_t>(size);
  return copy_text(to, text.data(), size);
}

/// The same text in the same place.
bool shared(std::string_view a, std::string_view b) { return a.data() == b.data() && a.size() == b.size(); }

[[gnu::always_inline]] inline std::byte* put_unless_shared(std::byte* to, std::string_view text, std::string_view other,
                                                           std::size_t limit, std::uint16_t& length) {
  if (!shared(text, other)) return put<true>(to, text, limit, length);
  length = same_as_attempt;
  return to;
}

void fill_usage(std::array<std::uint64_t, usage_counts>& counts, const protocol::Usage& usage) {
  std::memcpy(counts.data(), &usage, sizeof counts);
}

/// No text of it is cut: sizes are or-ed, so that one comparison is for all.
bool fits(const pipeline::AttemptEntry& entry) {
  const pipeline::Attribution& of = entry.of;
  const std::size_t all = of.tenant.size() | of.key.size() | of.route.size() | of.task.size() | of.model.size() |
                          of.task_id.size() | of.tags.size() | entry.target.size() | entry.credential.size() |
                          entry.price.size();
  static_assert(longest::name == 128 && longest::task_id == 128);
  return all < longest::name;
}

template <bool cut>
std::byte* put_texts(std::byte* body, AttemptFixed& fixed, const pipeline::AttemptEntry& entry) {
  const pipeline::Attribution& of = entry.of;
  auto& lengths = fixed.lengths;
  body = copy_id(body, of.request_id, lengths[0]);
  body = put<cut>(body, of.tenant, longest::name, lengths[1]);
  body = put<cut>(body, of.key, longest::name, lengths[2]);
  body = put<cut>(body, of.route, longest::name, lengths[3]);
  body = put<cut>(body, of.task, longest::name, lengths[4]);
  body = put<cut>(body, of.model, longest::model, lengths[5]);
  body = put<cut>(body, of.task_id, longest::task_id, lengths[6]);
  body = put<cut>(body, of.tags, longest::tags, lengths[7]);
  body = copy_id(body, entry.attempt_id, lengths[8]);
  body = put<cut>(body, entry.target, longest::target, lengths[9]);
  body = put<cut>(body, entry.credential, longest::name, lengths[10]);
  return put<cut>(body, entry.price, longest::price, lengths[11]);
}

const AttemptFixed& fixed_of(const std::byte* record) {
  return *std::launder(reinterpret_cast<const AttemptFixed*>(record + sizeof(RecordHead)));
}

bool is_id(const char* text, std::size_t length, std::string_view id) {
  if (length != id.size()) return false;
  if (length != longest::id) return std::string_view(text, length) == id;
  std::uint32_t end = 0, id_end = 0;
  std::memcpy(&end, text + 32, sizeof end);
  std::memcpy(&id_end, id.data() + 32, sizeof id_end);
  std::uint64_t differ = end ^ id_end;
  for (std::size_t i = 0; i < 4; ++i) differ |= word_at(text, i) ^ word_at(id.data(), i);
  return differ == 0;
}

bool is_of(const AttemptFixed& before, const pipeline::AttemptEntry& entry) {
  const auto* texts = reinterpret_cast<const char*>(&before + 1) + before.shares * sizeof(pipeline::BudgetShare);
  return before.number == entry.number && is_id(texts, before.lengths[0], entry.of.request_id);
}

/// Four at a time: a word holds four, and no sum of them reaches into its neighbour.
std::size_t sum_of(const std::array<std::uint16_t, 12>& lengths) {
  static_assert(largest_attempt < 1 << 16);
  constexpr std::uint64_t each_once = 0x0001'0001'0001'0001;
  const std::uint64_t sums = word_at(lengths.data(), 0) + word_at(lengths.data(), 1) + word_at(lengths.data(), 2);
  return static_cast<std::size_t>(sums * each_once >> 48);
}

/// Shares and texts as they are in an earlier record of the attempt: one copy instead of a dozen.
std::byte* copy_rest(std::byte* body, AttemptFixed& fixed, const AttemptFixed& before) {
  fixed.shares = before.shares;
  fixed.lengths = before.lengths;
  const std::size_t size = before.shares * sizeof(pipeline::BudgetShare) + sum_of(before.lengths);
  std::memcpy(body, &before + 1, size);
  return body + size;
}

std::byte* put_attempt(std::byte* body, AttemptFixed& fixed, const pipeline::AttemptEntry& entry,
                       const std::byte* reserved) {
  fixed.end_user = entry.of.end_user;
  fixed.began_at = entry.began_at.time_since_epoch().count();
  fixed.duration = entry.duration.count();
  fixed.cost = entry.cost ? entry.cost->nanos : 0;
  fill_usage(fixed.usage, entry.usage);
  fixed.number = entry.number;
  fixed.status = entry.status;
  fixed.outcome = static_cast<std::uint8_t>(entry.outcome);
  fixed.waste = static_cast<std::uint8_t>(entry.waste);
  fixed.tier = static_cast<std::uint8_t>(entry.usage.tier);
  fixed.flags = static_cast<std::uint8_t>((entry.stream ? flag_stream : 0) | (entry.estimated ? flag_estimated : 0) |
                                          (entry.cost ? flag_cost : 0));
  fixed.spare = 0;
  fixed.spare_word = 0;
  if (reserved && is_of(fixed_of(reserved), entry)) return copy_rest(body, fixed, fixed_of(reserved));
  const std::size_t shares = std::min(entry.budgets.size(), longest::shares);
  fixed.shares = static_cast<std::uint16_t>(shares);
  for (std::size_t i = 0; i < shares; ++i, body += sizeof(pipeline::BudgetShare)) {
    std::memcpy(body, &entry.budgets[i], sizeof(pipeline::BudgetShare));
  }
  return fits(entry) ? put_texts<false>(body, fixed, entry) : put_texts<true>(body, fixed, entry);
}

void fill_request(RequestFixed& fixed, const pipeline::RequestEntry& entry) {
  fixed.end_user = entry.of.end_user;
  fixed.began_at = entry.began_at.time_since_epoch().count();
  fixed.duration = entry.duration.count();
  fixed.first_token = entry.first_token ? entry.first_token->count() : 0;
  fixed.cost = entry.cost ? entry.cost->nanos : 0;
  fixed.wasted = entry.wasted.nanos;
  fill_usage(fixed.usage, entry.usage);
  fixed.status = entry.status;
  fixed.attempts = entry.attempts;
  fixed.outcome = static_cast<std::uint8_t>(entry.outcome);
  fixed.tier = static_cast<std::uint8_t>(entry.usage.tier);
  fixed.flags = static_cast<std::uint8_t>((entry.stream ? flag_stream : 0) | (entry.estimated ? flag_estimated : 0) |
                                          (entry.cost ? flag_cost : 0) | (entry.first_token ? flag_first_token : 0));
  fixed.spare = 0;
  fixed.spare_word = 0;
}

/// Beside a request alone: shares no text with anybody, since nothing else lies at that place.
const pipeline::AttemptEntry& nobody() {
  static constexpr char nowhere = 0;
  static const pipeline::AttemptEntry entry = [] {
    constexpr std::string_view other = std::string_view(&nowhere, 1).substr(0, 0);
    pipeline::AttemptEntry empty;
    empty.of = {other, other, other, other, other, other, other, other, 0};
    empty.attempt_id = empty.target = other;
    return empty;
  }();
  return entry;
}

/// The same views, not only equal ones. In a straight line: for so few words a call of memcmp would cost more.
bool shares_all_texts(const pipeline::Attribution& one, const pipeline::Attribution& other) {
  constexpr std::size_t words = 8 * sizeof(std::string_view) / sizeof(std::uint64_t);
  static_assert(offsetof(pipeline::Attribution, end_user) == words * sizeof(std::uint64_t));
  return [&]<std::size_t... index>(std::index_sequence<index...>) {
    return ((word_at(&one, index) ^ word_at(&other, index)) | ...) == 0;
  }(std::make_index_sequence<words>());
}

std::byte* put_request(std::byte* body, RequestFixed& fixed, const pipeline::RequestEntry& entry,
                       const pipeline::AttemptEntry& beside) {
  fill_request(fixed, entry);
  const pipeline::Attribution& of = entry.of;
  auto& lengths = fixed.lengths;
  if (shares_all_texts(of, beside.of)) {
    std::fill_n(lengths.begin(), 8, same_as_attempt);
    body = put<true>(body, entry.endpoint, longest::endpoint, lengths[8]);
    return put_unless_shared(body, entry.target, beside.target, longest::target, lengths[9]);
  }
  body = put_unless_shared(body, of.request_id, beside.of.request_id, longest::id, lengths[0]);
  body = put_unless_shared(body, of.tenant, beside.of.tenant, longest::name, lengths[1]);
  body = put_unless_shared(body, of.key, beside.of.key, longest::name, lengths[2]);
  body = put_unless_shared(body, of.route, beside.of.route, longest::name, lengths[3]);
  body = put_unless_shared(body, of.task, beside.of.task, longest::name, lengths[4]);
  body = put_unless_shared(body, of.model, beside.of.model, longest::model, lengths[5]);
  body = put_unless_shared(body, of.task_id, beside.of.task_id, longest::task_id, lengths[6]);
  body = put_unless_shared(body, of.tags, beside.of.tags, longest::tags, lengths[7]);
  body = put<true>(body, entry.endpoint, longest::endpoint, lengths[8]);
  return put_unless_shared(body, entry.target, beside.target, longest::target, lengths[9]);
}

std::byte* body_of(std::byte* record) { return record + sizeof(RecordHead); }

std::uint32_t checksum_of(const std::byte* record, std::size_t length, std::uint32_t salt) {
  constexpr std::size_t begin = offsetof(RecordHead, sequence_and_type);
  return crc32c(salt ^ static_cast<std::uint32_t>(length), {record + begin, length - begin});
}

}  // namespace

std::byte* encode_attempt(std::byte* record, const pipeline::AttemptEntry& entry, const std::byte* reserved) {
  auto* fixed = new (body_of(record)) AttemptFixed;
  return put_attempt(body_of(record) + sizeof *fixed, *fixed, entry, reserved);
}

std::byte* encode_last(std::byte* record, const pipeline::AttemptEntry& entry, const pipeline::RequestEntry& request,
                       const std::byte* reserved) {
  auto* fixed = new (body_of(record)) AttemptFixed;
  auto* second = new (body_of(record) + sizeof *fixed) RequestFixed;
  std::byte* texts = put_attempt(body_of(record) + sizeof *fixed + sizeof *second, *fixed, entry, reserved);
  return put_request(texts, *second, request, entry);
}

std::byte* encode_request(std::byte* record, const pipeline::RequestEntry& request) {
  auto* fixed = new (body_of(record)) RequestFixed;
  return put_request(body_of(record) + sizeof *fixed, *fixed, request, nobody());
}

std::byte* encode_checkpoint(std::byte* record, std::string_view attempt_id, const protocol::Usage& usage, Money cost) {
  auto* fixed = new (body_of(record)) CheckpointFixed;
  fill_usage(fixed->usage, usage);
  fixed->cost = cost.nanos;
  fixed->tier = static_cast<std::uint8_t>(usage.tier);
  fixed->spare = {};
  return copy_id(body_of(record) + sizeof *fixed, attempt_id, fixed->length);
}

std::byte* publish(std::byte* record, std::byte* end, RecordType type, std::uint64_t sequence, std::uint32_t salt) {
  std::memset(end, 0, record_step);  // the checksum covers what fills up the last step
  const std::size_t length = (static_cast<std::size_t>(end - record) + record_step - 1) / record_step * record_step;
  auto* head = std::launder(reinterpret_cast<RecordHead*>(record));
  head->sequence_and_type = sequence << 8 | static_cast<std::uint8_t>(type);
  head->checksum = checksum_of(record, length, salt);
  std::atomic_ref(head->length).store(static_cast<std::uint32_t>(length), std::memory_order_release);
  return record + length;
}

std::size_t checked_length(std::span<const std::byte> bytes, std::uint32_t salt) {
  RecordHead head;
  if (bytes.size() < sizeof head) return 0;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.length < sizeof head || head.length > largest_record || head.length % record_step != 0) return 0;
  if (head.length > bytes.size()) return 0;
  return checksum_of(bytes.data(), head.length, salt) == head.checksum ? head.length : 0;
}

}  // namespace tollgate::io::journal
