// The loop in one breath: fetch events, tell their watchers, call those that asked to be called, fire the timers that
// are due, sleep until the next.
#include "tollgate/io/loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

namespace tollgate::io {

namespace {

int checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::system_category(), what);
  return descriptor;
}

}  // namespace

Loop::Mailbox::Mailbox() : descriptor_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {}
Loop::Mailbox::~Mailbox() { ::close(descriptor_); }

void Loop::Mailbox::put(std::function<void()> action) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(action));
    if (posted_.size() > 1) return;  // rung for already
  }
  ring();
}

void Loop::Mailbox::ring() {
  // Each write is an edge of its own, so that nobody needs to read the count.
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof one);
}

void Loop::Mailbox::happened(std::uint32_t) {
  std::vector<std::function<void()>> actions;
  {
    const std::lock_guard lock(mutex_);
    actions.swap(posted_);
  }
  for (const auto& action : actions) action();
}

Loop::Loop(std::uint64_t seed)
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      timers_(now()),
      random_(seed),
      scratch_(std::make_unique_for_overwrite<char[]>(scratch_size)),
      woken_at_(now()) {
  checked(watch(mailbox_.descriptor(), mailbox_) ? 0 : -1, "epoll_ctl");
}

Loop::~Loop() { ::close(epoll_); }

bool Loop::watch(int descriptor, Watcher& watcher) {
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  wanted.data.ptr = &watcher;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &wanted) == 0;
}

void Loop::forget(Watcher& watcher) {
  watcher.unlink();
  for (int i = at_; i < count_; ++i)
    if (events_[static_cast<std::size_t>(i)].data.ptr == &watcher)
      events_[static_cast<std::size_t>(i)].data.ptr = nullptr;
}

void Loop::call_soon(Watcher& watcher) {
  if (!watcher.is_linked()) soon_.push_back(watcher);
}

void Loop::run() {
  while (!stopped_.load(std::memory_order_relaxed)) {
    deliver(fetch());
    // Those that ask again while they are called wait for the next round, or nobody else would have a turn.
    Watchers now;
    now.swap(soon_);
    while (!now.empty()) {
      Watcher& watcher = now.front();
      now.pop_front();
      watcher.happened(0);
    }
    timers_.fire(woken_at_);
  }
}

void Loop::stop() {
  stopped_ = true;
  mailbox_.ring();
}

void Loop::post(std::function<void()> action) { mailbox_.put(std::move(action)); }

int Loop::fetch() {
  const auto most = static_cast<int>(events_.size());
  int count = 0;
  if (spin_.count() > 0 && soon_.empty()) {
    const SteadyTime until = std::min(now() + spin_, timers_.next());
    do {
      count = ::epoll_wait(epoll_, events_.data(), most, 0);
      woken_at_ = now();
    } while (count == 0 && woken_at_ < until);
    if (count != 0) return count;
  }
  count = ::epoll_wait(epoll_, events_.data(), most, milliseconds_to_sleep());
  woken_at_ = now();
  return count;
}

int Loop::milliseconds_to_sleep() const {
  if (!soon_.empty()) return 0;
  const SteadyTime next = timers_.next();
  if (next == never) return -1;
  const auto left = std::chrono::ceil<Millis>(next - woken_at_).count();
  return static_cast<int>(std::clamp<Millis::rep>(left, 0, INT_MAX));
}

void Loop::deliver(int count) {
  count_ = count;
  for (at_ = 0; at_ < count_;) {
    const epoll_event& event = events_[static_cast<std::size_t>(at_++)];
    if (event.data.ptr) static_cast<Watcher*>(event.data.ptr)->happened(event.events);
  }
}

}  // namespace tollgate::io
