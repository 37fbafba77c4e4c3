// Order is everything here: rows are in the store before the file goes that holds them, and what is open is on the disk
// elsewhere before the file goes that it began in. A crash between any two lines brings rows twice, never none.
#include "io/storage/journal/drainer.hpp"

#include "tollgate/base/failpoint.hpp"

#include "io/storage/journal/segment_reader.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate::io::journal {

bool Drainer::gather() {
  const bool had_rows = has_rows();
  for (Lane* lane : common_.all_lanes()) {
    if (rows() < common_.settings.batch_rows) gather(*lane);
  }
  if (!had_rows && has_rows()) first_gathered_ = std::chrono::steady_clock::now();
  note_oldest();
  common_.open_requests = book_.open_requests();
  if (!has_rows()) mark_committed();
  return rows() >= common_.settings.batch_rows;
}

void Drainer::gather(Lane& lane) {
  for (const auto& segment : lane.listed()) {
    if (segment->finished) continue;
    gather(lane, *segment);
    if (!segment->finished) return;
  }
}

void Drainer::gather(Lane& lane, Segment& segment) {
  SegmentReader reader(segment.records(), segment.header().salt, true, segment.read, segment.last_sequence);
  while (rows() < common_.settings.batch_rows) {
    const auto record = reader.next();
    if (record.empty()) break;
    book_.take(record, reader.decoded(), &segment, batch_);
  }
  segment.read = reader.position();
  segment.last_sequence = reader.sequence();
  segment.finished = reader.ended();
  if (!reader.damaged() || segment.damaged) return;
  segment.damaged = true;
  ++common_.damaged_files;
  common_.tell(JournalEvent::damaged, segment.path() + ": records of worker " + std::to_string(lane.number) +
                                          " are lost; the file is kept aside");
}

void Drainer::note_oldest() {
  SystemTime oldest = SystemTime::max();
  for (const AttemptRow& row : batch_.attempts) oldest = std::min(oldest, row.began_at + row.duration);
  for (const RequestRow& row : batch_.requests) oldest = std::min(oldest, row.began_at + row.duration);
  common_.oldest_waiting = has_rows() ? std::max<std::int64_t>(1, oldest.time_since_epoch().count()) : 0;
}

void Drainer::mark_committed() {
  for (Lane* lane : common_.all_lanes()) {
    for (const auto& segment : lane->listed()) segment->committed = segment->read;
  }
}

bool Drainer::commit() {
  TOLLGATE_FAILPOINT("journal.before_commit");
  const auto written = common_.sink.write(batch_);
  if (!written) {
    ++common_.store_failures;
    if (!store_failing_) common_.tell(JournalEvent::store_failed, written.error().message);
    store_failing_ = true;
    return false;
  }
  TOLLGATE_FAILPOINT("journal.after_commit");
  if (store_failing_) common_.tell(JournalEvent::store_recovered, "the ledger's store takes rows again");
  store_failing_ = false;
  common_.rows_stored += rows();
  batch_.attempts.clear();
  batch_.requests.clear();
  common_.oldest_waiting = 0;
  mark_committed();
  return true;
}

void Drainer::sweep() {
  // What was carried on has to be on the disk before the files go that it came from.
  if (carry_unsynced_ && !settle_carried()) return;
  for (Lane* lane : common_.all_lanes()) sweep(*lane);
  sweep_carried();
}

void Drainer::sweep(Lane& lane) {
  for (const auto& segment : lane.listed()) {
    if (!segment->finished) return;
    if (segment->pins > 0 && (segment->suspect || worth_carrying(*segment))) carry(*segment);
    if (segment->pins > 0 || carry_unsynced_) continue;
    TOLLGATE_FAILPOINT("journal.before_delete");
    lane.remove(*segment);
    common_.drop_segment(*segment);
  }
}

void Drainer::sweep_carried() {
  if (carry_unsynced_) return;
  for (std::size_t i = 0; i < carried_.size();) {
    Segment& segment = *carried_[i];
    const bool current = i + 1 == carried_.size();
    // Its requests have lasted as long as a whole file of such: they may last as long again.
    if (segment.pins > 0 && !current && worth_carrying(segment)) carry(segment);
    if (carry_unsynced_) return;
    if (segment.pins > 0) {
      ++i;
      continue;
    }
    if (current) carry_at_ = nullptr;
    common_.drop_segment(segment);
    carried_.erase(carried_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

/// Half of what may be used is used, and the file is kept for a few long requests only.
bool Drainer::worth_carrying(const Segment& segment) {
  constexpr std::size_t usual_request = 1024;
  return common_.bytes_on_disk > common_.size_limit() / 2 && segment.pins * usual_request < segment.size() / 2;
}

void Drainer::carry(Segment& segment) {
  book_.carry(segment, [this](std::span<const std::byte> record) { return carry_record(record); });
  if (carry_unsynced_) settle_carried();
  TOLLGATE_FAILPOINT("journal.carried");
}

/// Null: there is no place for it.
Segment* Drainer::carry_record(std::span<const std::byte> record) {
  if (!carry_at_ || carried_.back()->records_end() - carry_at_ < static_cast<std::ptrdiff_t>(record.size())) {
    auto segment = common_.make_segment(carried_writer, carry_index_);
    if (!segment) return nullptr;
    ++carry_index_;
    carried_.push_back(std::move(*segment));
    carry_at_ = carried_.back()->records_begin();
  }
  Segment& segment = *carried_.back();
  RecordHead head;
  std::memcpy(&head, record.data(), sizeof head);
  std::copy(record.begin() + sizeof head, record.end(), carry_at_ + sizeof head);
  carry_at_ = publish(carry_at_, carry_at_ + record.size(), static_cast<RecordType>(head.sequence_and_type & 0xFF),
                      ++carry_sequence_, segment.header().salt);
  segment.published = static_cast<std::uint32_t>(carry_at_ - segment.records_begin());
  carry_unsynced_ = true;
  return &segment;
}

/// Brings the carried files to the disk. One that cannot be brought is left, as a writer's is, and the next round tries
/// with another.
bool Drainer::settle_carried() {
  bool settled = true;
  for (const auto& segment : std::vector(carried_)) {
    if (!segment->suspect && segment->synced != segment->published) sync_carried(*segment);
    if (!segment->suspect || segment->pins == 0) continue;
    settled = false;
    if (segment == carried_.back()) carry_at_ = nullptr;
    book_.carry(*segment, [this](std::span<const std::byte> record) { return carry_record(record); });
  }
  carry_unsynced_ = !settled;
  return settled;
}

void Drainer::sync_carried(Segment& segment) {
  const auto synced = common_.disk.sync(segment.file());
  if (synced) {
    segment.synced = segment.published;
    return;
  }
  segment.suspect = true;
  ++common_.sync_failures;
  common_.tell(JournalEvent::sync_failed, segment.path() + ": " + synced.error().message);
}

void Drainer::sweep_last() {
  if (has_rows()) return;
  sweep();
  if (carry_unsynced_) return;
  for (Lane* lane : common_.all_lanes()) {
    for (const auto& segment : lane->listed()) {
      if (segment->pins > 0 || segment->committed < segment->published) continue;
      lane->remove(*segment);
      common_.drop_segment(*segment);
    }
  }
}

}  // namespace tollgate::io::journal
