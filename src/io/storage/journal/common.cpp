#include "io/storage/journal/common.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace tollgate::io::journal {

void Common::tell(JournalEvent event, const std::string& message) {
  const std::lock_guard lock(listener_mutex);
  if (listener.on_event) listener.on_event(event, message);
}

void Common::tell_durable(std::uint32_t worker, std::uint64_t sequence) {
  const std::lock_guard lock(listener_mutex);
  if (listener.on_durable) listener.on_durable(worker, sequence);
}

Result<std::shared_ptr<Segment>> Common::make_segment(std::uint32_t writer, std::uint64_t index) {
  auto segment = Segment::create(disk, {.folder = settings.folder,
                                        .run = run,
                                        .number = next_number++,
                                        .index = index,
                                        .writer = writer,
                                        .size = settings.segment_size});
  if (segment) bytes_on_disk += settings.segment_size;
  return segment;
}

void Common::drop_segment(const Segment& segment) {
  if (segment.damaged) {
    std::rename(segment.path().c_str(), (segment.path() + std::string(damaged_suffix)).c_str());
  } else {
    ::unlink(segment.path().c_str());
  }
  bytes_on_disk -= segment.size();
}

std::vector<Lane*> Common::all_lanes() {
  const std::lock_guard lock(lanes_mutex);
  std::vector<Lane*> all;
  for (Lane& lane : lanes) all.push_back(&lane);
  return all;
}

/// Below two files a writer, one that is full could never be left.
std::size_t Common::size_limit() {
  const std::lock_guard lock(lanes_mutex);
  return std::max(settings.max_size, 2 * lanes.size() * settings.segment_size);
}

}  // namespace tollgate::io::journal
