// Puts the parts together: the lock on the folder, recovery, then two threads. One must not wait for the other: the
// keeper waits for the disk and the drainer for the store, and either may take a minute.
#include "tollgate/io/journal.hpp"

#include "tollgate/base/errno_text.hpp"
#include "tollgate/io/secure_random.hpp"

#include "io/background_thread.hpp"
#include "io/storage/journal/drainer.hpp"
#include "io/storage/journal/keeper.hpp"
#include "io/storage/journal/recovery.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <thread>

namespace tollgate::io {
namespace {

namespace fs = std::filesystem;
using journal::disk_failure;

constexpr Millis look_interval{20};       // for what workers have written: they ring no bell
constexpr Millis batch_wait{50};          // of the first row of a batch that is not full
constexpr Millis last_store_limit{2000};  // for what is left when the journal ends

/// A folder of ours and those above it.
Result<void> make_folders(const std::string& path) {
  fs::path folder;
  for (const fs::path& name : fs::path(path)) {
    folder /= name;
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int reason = errno;
    std::error_code error;
    if (!fs::is_directory(folder, error)) return disk_failure("cannot make " + folder.string(), reason);
  }
  return {};
}

Result<int> take_lock(const std::string& folder) {
  const std::string name = folder + "/lock";
  const int lock = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (lock < 0) return disk_failure("cannot open " + name, errno);
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  const int reason = errno;
  ::close(lock);
  if (reason != EWOULDBLOCK) return disk_failure("cannot lock " + name, reason);
  return Failure{.kind = FailureKind::overloaded,
                 .source = Source::gateway,
                 .message = "another process is using the ledger's journal " + folder +
                            ". Stop it first, or give this one a folder of its own (ledger.journal)"};
}

JournalSettings completed(JournalSettings settings) {
  constexpr std::size_t page = 4096, usual = std::size_t{8} << 20, files = 64;
  if (settings.segment_size == 0) settings.segment_size = std::min(usual, settings.max_size / files);
  settings.segment_size = std::clamp(settings.segment_size, journal::smallest_segment, journal::largest_segment);
  settings.segment_size = (settings.segment_size + page - 1) / page * page;
  settings.batch_rows = std::max<std::size_t>(settings.batch_rows, 1);
  return settings;
}

}  // namespace

struct Journal::State {
  State(JournalSettings settings, LedgerSink& sink, JournalListener listener, journal::Disk& disk, std::uint64_t run,
        int its_lock)
      : lock(its_lock),
        common(std::move(settings), sink, std::move(listener), disk, run),
        keeper(common),
        drainer(common) {}
  ~State() { ::close(lock); }

  void start();
  void stop();
  void keep();
  void move();
  bool store_batch();
  void finish_passes(std::uint64_t pass);
  bool wait(Millis time, bool until_asked);

  const int lock;
  journal::Common common;

  std::mutex keeping;  // over the keeper
  journal::Keeper keeper;
  journal::Drainer drainer;  // the draining thread's

  std::mutex mutex;  // over all below
  std::condition_variable changed;
  bool stop_keeping = false, stop_moving = false;
  std::uint64_t passes_wanted = 0, passes_done = 0;
  std::thread keeping_thread, moving_thread;
};

void Journal::State::start() {
  keeping_thread = start_background_thread([this] { keep(); });
  moving_thread = start_background_thread([this] { move(); });
}

void Journal::State::stop() {
  {
    const std::lock_guard guard(mutex);
    stop_keeping = stop_moving = true;
    changed.notify_all();
  }
  if (keeping_thread.joinable()) keeping_thread.join();
  if (moving_thread.joinable()) moving_thread.join();
}

void Journal::State::keep() {
  SteadyTime sync_at = std::chrono::steady_clock::now();
  const Millis interval = std::min(look_interval, common.settings.sync_interval);
  for (bool last = false; !last;) {
    {
      std::unique_lock guard(mutex);
      last = changed.wait_for(guard, interval, [this] { return stop_keeping; });
    }
    const std::lock_guard guard(keeping);
    if (!last) keeper.restock();
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now < sync_at && !last) continue;
    keeper.sync();
    sync_at = now + common.settings.sync_interval;
  }
}

/// True: the journal is to end, or (`until_asked`) somebody waits for a pass.
bool Journal::State::wait(Millis time, bool until_asked) {
  std::unique_lock guard(mutex);
  return changed.wait_for(guard, time, [&] { return stop_moving || (until_asked && passes_wanted > passes_done); });
}

/// Tries until the store takes the batch. False: it does not, and the journal is to end.
bool Journal::State::store_batch() {
  SteadyTime end = never;
  for (Millis pause{50};; pause = std::min<Millis>(2 * pause, seconds(5))) {
    if (drainer.commit()) return true;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (end == never && wait(pause, false)) end = now + last_store_limit;
    if (end == never) continue;
    if (now >= end) return false;
    std::this_thread::sleep_for(look_interval);
  }
}

void Journal::State::finish_passes(std::uint64_t pass) {
  const std::lock_guard guard(mutex);
  passes_done = std::max(passes_done, pass);
  changed.notify_all();
}

void Journal::State::move() {
  for (;;) {
    bool ending = false;
    std::uint64_t pass = 0;
    {
      const std::lock_guard guard(mutex);
      ending = stop_moving;
      pass = passes_wanted;
    }
    const bool hurry = ending || pass > passes_done;
    const bool full = drainer.gather();
    const bool due = drainer.has_rows() && std::chrono::steady_clock::now() >= drainer.first_gathered() + batch_wait;
    if (drainer.has_rows() && (full || due || hurry) && !store_batch()) break;
    if (!drainer.has_rows()) drainer.sweep();
    if (full) continue;
    if (hurry) finish_passes(pass);
    if (ending) break;
    wait(look_interval, true);
  }
  drainer.sweep_last();
}

Result<std::unique_ptr<Journal>> Journal::open(JournalSettings settings, LedgerSink& sink, JournalListener listener,
                                               journal::Disk* disk) {
  static journal::Disk real_disk;
  if (const auto made = make_folders(settings.folder); !made) return made.error();
  const auto lock = take_lock(settings.folder);
  if (!lock) return lock.error();
  const auto run = random_bytes<8>();
  std::uint64_t run_number = 0;
  if (run) std::memcpy(&run_number, run->data(), sizeof run_number);
  auto state = std::make_unique<State>(completed(std::move(settings)), sink, std::move(listener),
                                       disk ? *disk : real_disk, run_number, *lock);
  if (!run) return run.error();
  if (const auto recovered = journal::recover(state->common); !recovered) return recovered.error();
  state->start();
  return std::unique_ptr<Journal>(new Journal(std::move(state)));
}

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}
Journal::~Journal() { state_->stop(); }

JournalWriter& Journal::add_writer() {
  journal::Lane* lane = nullptr;
  {
    const std::lock_guard guard(state_->common.lanes_mutex);
    auto& lanes = state_->common.lanes;
    lane = &lanes.emplace_back(static_cast<std::uint32_t>(lanes.size()), state_->common.settings);
  }
  const std::lock_guard guard(state_->keeping);
  state_->keeper.restock();
  return lane->writer;
}

JournalFigures Journal::figures() const {
  journal::Common& common = state_->common;
  JournalFigures figures;
  figures.writable = common.writable;
  figures.bytes_on_disk = common.bytes_on_disk;
  figures.open_requests = common.open_requests;
  figures.rows_stored = common.rows_stored;
  figures.rows_recovered = common.rows_recovered;
  figures.sync_failures = common.sync_failures;
  figures.store_failures = common.store_failures;
  figures.damaged_files = common.damaged_files;
  for (journal::Lane* lane : common.all_lanes()) {
    figures.rows_lost += lane->writer.lost();
    for (const auto& segment : lane->listed()) {
      const std::uint64_t committed = segment->committed;  // first: it only follows
      figures.bytes_waiting += std::max<std::uint64_t>(segment->published, committed) - committed;
    }
  }
  const std::int64_t oldest = common.oldest_waiting;
  if (oldest == 0) return figures;
  const auto age = std::chrono::system_clock::now() - SystemTime(SystemTime::duration(oldest));
  figures.lag = std::max(Millis{0}, std::chrono::duration_cast<Millis>(age));
  return figures;
}

bool Journal::drain(Millis limit) {
  std::unique_lock guard(state_->mutex);
  const std::uint64_t pass = ++state_->passes_wanted;
  state_->changed.notify_all();
  return state_->changed.wait_for(guard, limit, [&] { return state_->passes_done >= pass; });
}

}  // namespace tollgate::io
