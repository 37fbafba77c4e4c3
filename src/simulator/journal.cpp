// The shared memory between the server's thread and the threads that watch it. One lock, one condition variable and a
// version that counts changes, so that a waiting test wakes on any change and looks for itself.
#include "simulator/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace tollgate::simulator {

namespace {

template <class T>
void push_bounded(std::deque<T>& queue, T value, std::size_t limit) {
  queue.push_back(std::move(value));
  if (queue.size() > limit) queue.pop_front();
}

}  // namespace

Journal::Journal(const Options& options) : truth_kept_(options.truth_kept), requests_kept_(options.requests_kept) {
  if (options.truth_file.empty()) return;
  file_ = ::open(options.truth_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) throw std::invalid_argument("cannot write the truth log " + options.truth_file);
}

Journal::~Journal() {
  if (file_ < 0) return;
  ::fsync(file_);
  ::close(file_);
}

template <class Change>
void Journal::change(Change&& apply) {
  {
    const std::lock_guard lock(mutex_);
    apply();
    ++version_;
  }
  changed_.notify_all();
}

void Journal::connection_opened() {
  change([&] { ++gauges_.connections_accepted, ++gauges_.connections_open; });
}

void Journal::connection_closed() {
  change([&] { --gauges_.connections_open; });
}

std::uint64_t Journal::request_received(const std::function<ReceivedRequest()>& request) {
  std::uint64_t ordinal = 0;
  change([&] {
    ordinal = ++gauges_.requests_received;
    ++gauges_.requests_active;
    if (requests_kept_ > 0) push_bounded(requests_, request(), requests_kept_);
  });
  return ordinal;
}

void Journal::tokens_sent(std::size_t count) {
  if (count == 0) return;
  change([&] { gauges_.tokens_sent += count; });
}

void Journal::request_finished(TruthEntry entry) {
  if (file_ >= 0) write_line(to_json_line(entry));
  change([&] {
    --gauges_.requests_active;
    stats_.add(entry);
    push_bounded(truth_, std::move(entry), truth_kept_);
  });
}

void Journal::write_line(const std::string& line) {
  const std::string bytes = line + '\n';
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    // A log with holes would accuse the gateway of what a full disk did: stop here instead.
    if (written <= 0) throw std::runtime_error("cannot append to the truth log");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Journal::queue(Script next) {
  change([&] { scripts_.push_back(std::move(next)); });
}

std::optional<Script> Journal::take_script(std::string_view path) {
  std::optional<Script> taken;
  {
    const std::lock_guard lock(mutex_);
    if (scripts_.empty()) return taken;
  }
  change([&] {
    const auto matches = [&](const Script& script) { return script.path.empty() || script.path == path; };
    const auto found = std::find_if(scripts_.begin(), scripts_.end(), matches);
    if (found == scripts_.end()) return;
    taken = std::move(*found);
    scripts_.erase(found);
  });
  return taken;
}

std::size_t Journal::scripts_left() const {
  const std::lock_guard lock(mutex_);
  return scripts_.size();
}

std::vector<TruthEntry> Journal::truth() const {
  const std::lock_guard lock(mutex_);
  return {truth_.begin(), truth_.end()};
}

Stats Journal::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

std::vector<ReceivedRequest> Journal::requests() const {
  const std::lock_guard lock(mutex_);
  return {requests_.begin(), requests_.end()};
}

Gauges Journal::gauges() const {
  const std::lock_guard lock(mutex_);
  return gauges_;
}

bool Journal::wait_until(const std::function<bool()>& predicate, Millis timeout) const {
  const SteadyTime limit = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    std::unique_lock lock(mutex_);
    const std::uint64_t seen = version_;
    lock.unlock();
    // Called without the lock, so that it may look at whatever it likes.
    if (predicate()) return true;
    lock.lock();
    if (!changed_.wait_until(lock, limit, [&] { return version_ != seen; })) return false;
  }
}

}  // namespace tollgate::simulator
