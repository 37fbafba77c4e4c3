// What a request pays for the book. A record is written where it stays and published by the last store; between two
// instructions of this file the process may be killed, and what was published is there and whole.
#include "io/storage/journal/writer.hpp"

#include "tollgate/base/failpoint.hpp"

namespace tollgate::io::journal {

Writer::Writer(std::size_t segment_size, std::size_t max_open_requests)
    : usable_(usable(segment_size)), requests_(max_open_requests) {}

void Writer::push_spare(Segment& segment) {
  const std::uint32_t pushed = pushed_.load(std::memory_order_relaxed);
  spares_[pushed % most_spares].store(&segment, std::memory_order_relaxed);
  pushed_.store(pushed + 1, std::memory_order_release);
}

/// What can be written for sure. A segment is left where less than the largest record would fit; that much of each is
/// never counted.
std::size_t Writer::room() const {
  const auto rest = static_cast<std::size_t>(end_ - at_);
  const std::size_t counted = rest < largest_record ? 0 : rest - (largest_record - record_step);
  return counted + (pushed_.load(std::memory_order_acquire) - popped_) * usable_;
}

/// False: the current segment is to be left and what is promised would not fit into those behind it.
bool Writer::usable_segment() {
  if (abandoned_.load(std::memory_order_relaxed) < index_) [[likely]] {
    return true;
  }
  return leave_abandoned();
}

bool Writer::leave_abandoned() {
  if (!current_) return true;
  const std::size_t spares = pushed_.load(std::memory_order_acquire) - popped_;
  if (spares == 0 || spares * usable_ < promised_) return false;
  next_segment();
  return true;
}

void Writer::make_place() {
  if (static_cast<std::size_t>(end_ - at_) < largest_record) [[unlikely]] {
    next_segment();
  }
}

/// There is a spare: room() has said so.
void Writer::next_segment() {
  TOLLGATE_FAILPOINT("journal.segment_full");
  Segment* const next = spares_[popped_ % most_spares].load(std::memory_order_relaxed);
  if (current_) {
    // Once the end record is published the segment may be gone.
    current_->published.store(static_cast<std::uint32_t>(at_ - current_->records_begin() + sizeof(RecordHead)),
                              std::memory_order_release);
    publish(at_, at_ + sizeof(RecordHead), RecordType::end, ++sequence_, salt_);
  }
  TOLLGATE_FAILPOINT("journal.segment_ended");
  popped_shared_.store(++popped_, std::memory_order_release);
  current_ = next;
  at_ = next->records_begin();
  end_ = next->records_end();
  salt_ = next->header().salt;
  index_ = static_cast<std::int64_t>(next->header().index);
}

void Writer::finish(std::byte* body_end, RecordType type) {
  TOLLGATE_FAILPOINT("journal.unpublished");
  std::byte* const record = at_;
  at_ = publish(record, body_end, type, ++sequence_, salt_);
  current_->published.store(static_cast<std::uint32_t>(at_ - current_->records_begin()), std::memory_order_release);
  written_.store(sequence_, std::memory_order_release);
  promised_shared_.store(promised_, std::memory_order_relaxed);
}

bool Writer::reserve(const pipeline::AttemptEntry& entry) {
  if (entry.budgets.size() > longest::shares || requests_.full() || !usable_segment()) return false;
  if (room() < promised_ + 2 * largest_attempt + largest_request) return false;
  make_place();
  RequestTable::Slot& request = requests_.at(entry.of.request_id);
  if (request.attempts++ == 0 && request.row_to_come == 0) {
    request.row_to_come = 1;
    promised_ += largest_request;
  }
  promised_ += largest_attempt;
  request.segment = static_cast<std::uint32_t>(index_);
  request.at = static_cast<std::uint32_t>(at_ - current_->records_begin());
  finish(encode_attempt(at_, entry), RecordType::reserved);
  TOLLGATE_FAILPOINT("journal.reserved");
  return true;
}

void Writer::checkpoint(std::string_view attempt_id, const protocol::Usage& usage, Money cost) {
  if (!usable_segment() || room() < promised_ + checkpoint_size) return;
  make_place();
  finish(encode_checkpoint(at_, attempt_id, usage, cost), RecordType::checkpoint);
  TOLLGATE_FAILPOINT("journal.checkpoint");
}

/// The last one of a request, as long as its segment is the writer's: later it may be gone.
const std::byte* Writer::reservation_of(const RequestTable::Slot* slot) const {
  const bool here = slot && slot->attempts > 0 && slot->segment == static_cast<std::uint32_t>(index_);
  return here ? current_->records_begin() + slot->at : nullptr;
}

void Writer::write_attempt(const pipeline::AttemptEntry& entry, const pipeline::RequestEntry* request,
                           const std::byte* reserved) {
  if (request) return finish(encode_last(at_, entry, *request, reserved), RecordType::settled_last);
  finish(encode_attempt(at_, entry, reserved), RecordType::settled);
}

void Writer::lose() { lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

void Writer::settle(const pipeline::AttemptEntry& entry, const pipeline::RequestEntry* request) {
  TOLLGATE_FAILPOINT("journal.before_settle");
  usable_segment();  // where it is not, what was promised still fits
  RequestTable::Slot* const slot = requests_.find(entry.of.request_id);
  const bool promised = slot && slot->attempts > 0 && (!request || slot->row_to_come != 0);
  if (!promised && room() < promised_ + largest_record) return lose();
  make_place();
  const std::byte* const reserved = reservation_of(slot);
  if (slot && slot->attempts > 0) {
    promised_ -= largest_attempt;
    --slot->attempts;
  }
  if (slot && request && slot->row_to_come != 0) {
    promised_ -= largest_request;
    slot->row_to_come = 0;
  }
  if (slot && slot->attempts == 0 && slot->row_to_come == 0) requests_.erase(*slot);
  write_attempt(entry, request, reserved);
  TOLLGATE_FAILPOINT("journal.settled");
}

void Writer::close(const pipeline::RequestEntry& request) {
  usable_segment();
  RequestTable::Slot* const slot = requests_.find(request.of.request_id);
  const bool promised = slot && slot->row_to_come != 0;
  if (!promised && room() < promised_ + largest_request) return lose();
  make_place();
  if (promised) {
    promised_ -= largest_request;
    slot->row_to_come = 0;
    if (slot->attempts == 0) requests_.erase(*slot);
  }
  finish(encode_request(at_, request), RecordType::request);
}

}  // namespace tollgate::io::journal
