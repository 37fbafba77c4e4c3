// One thread, so that no lock is ever held while the disk works. It looks at the file after every job, because a file
// that was renamed or removed takes writes as if nothing had happened.
#include "io/storage/store_state.hpp"

#include "io/background_thread.hpp"

namespace tollgate::io {

using storage::Connection;
using storage::Expect;

Store::State::State(std::string file, StoreOptions settings, storage::Place taken, std::int64_t process_number)
    : path_(std::move(file)), options_(std::move(settings)), place_(std::move(taken)), process_(process_number) {}

Store::State::~State() {
  if (!thread.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread.join();
}

Result<void> Store::State::start() {
  auto opened = Connection::open(path_, Expect::new_or_ours, process_);
  if (!opened) return opened.error();
  connection_ = std::move(*opened);
  found();
  thread = start_background_thread([this] { run(); });
  return {};
}

Failure Store::State::full() {
  return Failure{.kind = FailureKind::overloaded,
                 .source = Source::gateway,
                 .message = "the store has more to do than it can remember"};
}

void Store::State::enqueue(Entry entry, Job refusal) {
  {
    const std::lock_guard lock(mutex_);
    // A refusal waits its turn too, so that its caller hears of it on the store's thread; it keeps next to nothing.
    if (queued_bytes_ + entry.bytes > options_.queue_limit) entry = {std::move(refusal), 0};
    queued_bytes_ += entry.bytes;
    jobs_.push_back(std::move(entry));
  }
  changed_.notify_one();
}

void Store::State::run() {
  std::unique_lock lock(mutex_);
  auto next_look = std::chrono::steady_clock::now() + options_.check_every;
  for (;;) {
    const auto wait = next_look - std::chrono::steady_clock::now();
    changed_.wait_for(lock, wait, [this] { return stopping_ || !jobs_.empty(); });
    if (std::chrono::steady_clock::now() >= next_look) {
      lock.unlock();
      look();
      next_look = std::chrono::steady_clock::now() + options_.check_every;
      lock.lock();
    }
    if (!jobs_.empty()) {
      run_first(lock);
    } else if (stopping_) {
      break;
    }
  }
  connection_.reset();
}

void Store::State::run_first(std::unique_lock<std::mutex>& lock) {
  Entry entry = std::move(jobs_.front());
  jobs_.pop_front();
  lock.unlock();
  const std::size_t bytes = entry.bytes;
  const bool done = entry.run();
  if (done) entry = {};  // what it holds may be large, or somebody's last reference
  lock.lock();
  if (done) {
    queued_bytes_ -= bytes;
  } else {
    jobs_.push_back(std::move(entry));
  }
}

bool Store::State::is_well() {
  if (const auto well = connection_->database->check(); !well) {
    failure_ = well.error();
    connection_.reset();
    tell(false);
    return false;
  }
  last_good = std::chrono::steady_clock::now().time_since_epoch().count();
  return true;
}

void Store::State::look() {
  if (connection_) {
    is_well();
    return;
  }
  auto opened = Connection::open(path_, Expect::ours, process_);
  if (!opened) {
    failure_ = opened.error();
    return;
  }
  connection_ = std::move(*opened);
  found();
}

void Store::State::found() {
  last_good = std::chrono::steady_clock::now().time_since_epoch().count();
  tell(true);
}

void Store::State::tell(bool is_reachable) {
  if (reachable.exchange(is_reachable) == is_reachable) return;
  if (options_.on_reachable) options_.on_reachable(is_reachable);
}

}  // namespace tollgate::io
