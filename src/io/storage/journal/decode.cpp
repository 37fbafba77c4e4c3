// Bytes to rows. The checksum has said that somebody wrote them; they are still checked as if nobody had, since a row
// that is wrong is worse than one that is missing.
#include "io/storage/journal/record_layout.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>

namespace tollgate::io::journal {
namespace {

struct Text {
  std::string_view* into;
  std::size_t limit;
  std::string_view shared = {};
};

/// Takes parts off the begin of a body; after a part that is not there, nothing is.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class Part>
  bool take(Part& part) {
    static_assert(std::is_trivially_copyable_v<Part>);
    if (rest_.size() < sizeof part) return false;
    std::memcpy(&part, rest_.data(), sizeof part);
    rest_ = rest_.subspan(sizeof part);
    return true;
  }

  bool take_text(const Text& text, std::uint16_t length, bool may_share) {
    if (length == same_as_attempt && may_share) {
      *text.into = text.shared;
      return true;
    }
    if (length > text.limit || length > rest_.size()) return false;
    *text.into = {reinterpret_cast<const char*>(rest_.data()), length};
    rest_ = rest_.subspan(length);
    return true;
  }

  bool take_texts(std::initializer_list<Text> texts, std::span<const std::uint16_t> lengths, bool may_share) {
    std::size_t index = 0;
    for (const Text& text : texts) {
      if (!take_text(text, lengths[index++], may_share)) return false;
    }
    return true;
  }

  /// What is left is less than a step, and zero.
  bool at_end() const {
    if (rest_.size() >= record_step) return false;
    for (const std::byte byte : rest_) {
      if (byte != std::byte{0}) return false;
    }
    return true;
  }

 private:
  std::span<const std::byte> rest_;
};

bool read_usage(const std::array<std::uint64_t, usage_counts>& counts, std::uint8_t tier, protocol::Usage& usage) {
  std::memcpy(static_cast<void*>(&usage), counts.data(), sizeof counts);
  usage.tier = static_cast<protocol::ServiceTier>(tier);
  return tier <= static_cast<std::uint8_t>(protocol::ServiceTier::fast);
}

/// Times within 146 years of each other, so that their sums and differences can be told.
SystemTime time_of(std::int64_t ticks) {
  return SystemTime(SystemTime::duration(std::clamp<std::int64_t>(ticks, 0, std::int64_t{1} << 62)));
}
Micros duration_of(std::int64_t ticks) { return Micros(std::clamp<std::int64_t>(ticks, 0, std::int64_t{1} << 52)); }

bool read_fixed(const AttemptFixed& fixed, pipeline::AttemptEntry& entry) {
  entry.of.end_user = fixed.end_user;
  entry.began_at = time_of(fixed.began_at);
  entry.duration = duration_of(fixed.duration);
  entry.number = fixed.number;
  entry.status = fixed.status;
  entry.outcome = static_cast<pipeline::Outcome>(fixed.outcome);
  entry.waste = static_cast<pipeline::Waste>(fixed.waste);
  entry.stream = (fixed.flags & flag_stream) != 0;
  entry.estimated = (fixed.flags & flag_estimated) != 0;
  entry.cost.reset();
  if ((fixed.flags & flag_cost) != 0) entry.cost = Money{fixed.cost};
  return fixed.outcome <= static_cast<std::uint8_t>(pipeline::Outcome::internal) &&
         fixed.waste <= static_cast<std::uint8_t>(pipeline::Waste::abandoned) && fixed.shares <= longest::shares &&
         read_usage(fixed.usage, fixed.tier, entry.usage);
}

bool read_fixed(const RequestFixed& fixed, pipeline::RequestEntry& entry) {
  entry.of.end_user = fixed.end_user;
  entry.began_at = time_of(fixed.began_at);
  entry.duration = duration_of(fixed.duration);
  entry.first_token.reset();
  if ((fixed.flags & flag_first_token) != 0) entry.first_token = duration_of(fixed.first_token);
  entry.outcome = static_cast<pipeline::Outcome>(fixed.outcome);
  entry.status = fixed.status;
  entry.attempts = fixed.attempts;
  entry.stream = (fixed.flags & flag_stream) != 0;
  entry.estimated = (fixed.flags & flag_estimated) != 0;
  entry.cost.reset();
  if ((fixed.flags & flag_cost) != 0) entry.cost = Money{fixed.cost};
  entry.wasted = Money{fixed.wasted};
  return fixed.outcome <= static_cast<std::uint8_t>(pipeline::Outcome::internal) &&
         read_usage(fixed.usage, fixed.tier, entry.usage);
}

bool take_attempt_rest(Cursor& cursor, const AttemptFixed& fixed, Decoded& out) {
  pipeline::AttemptEntry& entry = out.attempt;
  if (!read_fixed(fixed, entry)) return false;
  for (std::size_t i = 0; i < fixed.shares; ++i) {
    if (!cursor.take(out.shares[i])) return false;
  }
  entry.budgets = std::span(out.shares).first(fixed.shares);
  pipeline::Attribution& of = entry.of;
  return cursor.take_texts({{&of.request_id, longest::id},
                            {&of.tenant, longest::name},
                            {&of.key, longest::name},
                            {&of.route, longest::name},
                            {&of.task, longest::name},
                            {&of.model, longest::model},
                            {&of.task_id, longest::task_id},
                            {&of.tags, longest::tags},
                            {&entry.attempt_id, longest::id},
                            {&entry.target, longest::target},
                            {&entry.credential, longest::name},
                            {&entry.price, longest::price}},
                           fixed.lengths, false);
}

bool take_request_rest(Cursor& cursor, const RequestFixed& fixed, bool beside, Decoded& out) {
  pipeline::RequestEntry& entry = out.request;
  if (!read_fixed(fixed, entry)) return false;
  pipeline::Attribution& of = entry.of;
  const pipeline::Attribution& other = out.attempt.of;
  return cursor.take_texts({{&of.request_id, longest::id, other.request_id},
                            {&of.tenant, longest::name, other.tenant},
                            {&of.key, longest::name, other.key},
                            {&of.route, longest::name, other.route},
                            {&of.task, longest::name, other.task},
                            {&of.model, longest::model, other.model},
                            {&of.task_id, longest::task_id, other.task_id},
                            {&of.tags, longest::tags, other.tags},
                            {&entry.endpoint, longest::endpoint},
                            {&entry.target, longest::target, out.attempt.target}},
                           fixed.lengths, beside);
}

bool take_checkpoint(Cursor& cursor, Decoded& out) {
  CheckpointFixed fixed;
  if (!cursor.take(fixed) || !read_usage(fixed.usage, fixed.tier, out.usage)) return false;
  out.cost = Money{fixed.cost};
  return cursor.take_text({&out.attempt_id, longest::id}, fixed.length, false);
}

bool take_body(Cursor& cursor, Decoded& out) {
  AttemptFixed attempt;
  RequestFixed request;
  switch (out.type) {
    case RecordType::reserved:
    case RecordType::settled: return cursor.take(attempt) && take_attempt_rest(cursor, attempt, out);
    case RecordType::settled_last:
      return cursor.take(attempt) && cursor.take(request) && take_attempt_rest(cursor, attempt, out) &&
             take_request_rest(cursor, request, true, out);
    case RecordType::request: return cursor.take(request) && take_request_rest(cursor, request, false, out);
    case RecordType::checkpoint: return take_checkpoint(cursor, out);
    case RecordType::end: return true;
  }
  return false;
}

RowAttribution row_of(const pipeline::Attribution& of) {
  return {.request_id = std::string(of.request_id),
          .tenant = std::string(of.tenant),
          .key = std::string(of.key),
          .route = std::string(of.route),
          .task = std::string(of.task),
          .model = std::string(of.model),
          .task_id = std::string(of.task_id),
          .tags = std::string(of.tags),
          .end_user = of.end_user};
}

}  // namespace

bool decode(std::span<const std::byte> record, Decoded& out) {
  RecordHead head;
  Cursor cursor(record);
  if (!cursor.take(head)) return false;
  out.type = static_cast<RecordType>(head.sequence_and_type & 0xFF);
  out.sequence = head.sequence_and_type >> 8;
  return take_body(cursor, out) && cursor.at_end();
}

AttemptRow row_of(const pipeline::AttemptEntry& entry) {
  return {.of = row_of(entry.of),
          .attempt_id = std::string(entry.attempt_id),
          .number = entry.number,
          .target = std::string(entry.target),
          .credential = std::string(entry.credential),
          .began_at = entry.began_at,
          .duration = entry.duration,
          .outcome = entry.outcome,
          .waste = entry.waste,
          .status = entry.status,
          .stream = entry.stream,
          .usage = entry.usage,
          .estimated = entry.estimated,
          .cost = entry.cost,
          .price = std::string(entry.price),
          .budgets = {entry.budgets.begin(), entry.budgets.end()}};
}

RequestRow row_of(const pipeline::RequestEntry& entry) {
  return {.of = row_of(entry.of),
          .endpoint = std::string(entry.endpoint),
          .target = std::string(entry.target),
          .began_at = entry.began_at,
          .duration = entry.duration,
          .first_token = entry.first_token,
          .outcome = entry.outcome,
          .status = entry.status,
          .attempts = entry.attempts,
          .stream = entry.stream,
          .estimated = entry.estimated,
          .usage = entry.usage,
          .cost = entry.cost,
          .wasted = entry.wasted};
}

}  // namespace tollgate::io::journal
