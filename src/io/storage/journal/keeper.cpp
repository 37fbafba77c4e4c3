#include "io/storage/journal/keeper.hpp"

#include <algorithm>

namespace tollgate::io::journal {

void Keeper::restock() {
  const std::size_t limit = common_.size_limit();
  bool enough = true;
  for (Lane* lane : common_.all_lanes()) {
    if (!restock(*lane, limit)) enough = false;
  }
  if (common_.writable.exchange(enough) == enough) return;
  if (enough) return common_.tell(JournalEvent::writable, "the ledger's journal has room again");
  common_.tell(JournalEvent::unwritable, shortage_);
}

/// One whole file ahead, beside room for everything that is promised: so a writer that has to leave a file at once can.
bool Keeper::restock(Lane& lane, std::size_t limit) {
  const std::size_t part = usable(common_.settings.segment_size);
  const std::size_t wanted = std::min<std::size_t>(1 + (lane.writer.promised() + part - 1) / part, Writer::most_spares);
  while (lane.writer.spares_ready() < wanted) {
    if (common_.bytes_on_disk + common_.settings.segment_size > limit) {
      shortage_ = "the ledger's journal has come to its max_size";
      return lane.writer.spares_ready() > 0;
    }
    auto segment = common_.make_segment(lane.number, lane.next_index);
    if (!segment) {
      shortage_ = segment.error().message;
      return lane.writer.spares_ready() > 0;
    }
    ++lane.next_index;
    lane.add(*segment);
    lane.writer.push_spare(**segment);
  }
  return true;
}

void Keeper::sync() {
  for (Lane* lane : common_.all_lanes()) sync(*lane);
}

void Keeper::sync(Lane& lane) {
  const std::uint64_t written = lane.writer.written();  // before the positions: they cover it
  bool all = true;
  for (const auto& segment : lane.listed()) {
    if (segment->suspect) {
      all = false;
      continue;
    }
    const std::uint32_t published = segment->published.load(std::memory_order_acquire);
    if (published == segment->synced) continue;
    const auto synced = common_.disk.sync(segment->file());
    if (synced) {
      segment->synced = published;
      continue;
    }
    all = false;
    fail(lane, *segment, synced.error().message);
  }
  if (all && written > lane.writer.durable()) {
    lane.writer.set_durable(written);
    common_.tell_durable(lane.number, written);
  }
}

/// After a failed sync the system may call pages clean that never came to the disk, so that a second sync would succeed
/// and mean nothing. The file is left: the drainer moves on what it holds.
void Keeper::fail(Lane& lane, Segment& segment, const std::string& reason) {
  segment.suspect = true;
  lane.writer.abandon(segment.header().index);
  ++common_.sync_failures;
  common_.tell(JournalEvent::sync_failed, segment.path() + ": " + reason);
}

}  // namespace tollgate::io::journal
