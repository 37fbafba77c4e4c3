#pragma once
#include "io/storage/journal/writer.hpp"

#include <deque>
#include <mutex>
#include <vector>

namespace tollgate::io::journal {

/// The files of one writer, in their order. The keeper adds, the drainer removes.
struct Lane {
  Lane(std::uint32_t its_number, const JournalSettings& settings)
      : number(its_number), writer(settings.segment_size, settings.max_open_requests) {}

  std::vector<std::shared_ptr<Segment>> listed() const {
    const std::lock_guard lock(mutex);
    return segments;
  }
  void add(std::shared_ptr<Segment> segment) {
    const std::lock_guard lock(mutex);
    segments.push_back(std::move(segment));
  }
  void remove(const Segment& segment) {
    const std::lock_guard lock(mutex);
    std::erase_if(segments, [&](const auto& listed) { return listed.get() == &segment; });
  }

  const std::uint32_t number;
  Writer writer;
  std::uint64_t next_index = 0;  ///< the keeper's
  mutable std::mutex mutex;
  std::vector<std::shared_ptr<Segment>> segments;
};

/// What the keeper, the drainer and recovery have in common. Any of their threads.
struct Common {
  Common(JournalSettings its_settings, LedgerSink& its_sink, JournalListener its_listener, Disk& its_disk,
         std::uint64_t its_run)
      : settings(std::move(its_settings)),
        sink(its_sink),
        disk(its_disk),
        run(its_run),
        listener(std::move(its_listener)) {}

  void tell(JournalEvent event, const std::string& message);
  void tell_durable(std::uint32_t worker, std::uint64_t sequence);
  /// Counted into bytes_on_disk.
  Result<std::shared_ptr<Segment>> make_segment(std::uint32_t writer, std::uint64_t index);
  /// Takes it off the folder: deleted, or kept aside where it is damaged.
  void drop_segment(const Segment& segment);
  std::vector<Lane*> all_lanes();
  std::size_t size_limit();

  const JournalSettings settings;
  LedgerSink& sink;
  Disk& disk;
  const std::uint64_t run;

  std::atomic<std::uint64_t> next_number{1}, bytes_on_disk{0};
  std::atomic<std::uint64_t> rows_stored{0}, rows_recovered{0}, sync_failures{0}, store_failures{0}, damaged_files{0};
  std::atomic<std::uint64_t> open_requests{0};
  std::atomic<std::int64_t> oldest_waiting{0};  ///< when the oldest row that waits was over, ticks; 0: none waits
  std::atomic<bool> writable{true};

  std::mutex lanes_mutex;
  std::deque<Lane> lanes;

 private:
  std::mutex listener_mutex;
  JournalListener listener;
};

}  // namespace tollgate::io::journal
