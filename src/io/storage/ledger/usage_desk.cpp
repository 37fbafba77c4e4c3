#include "tollgate/io/usage_desk.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace tollgate::io {

struct UsageDesk::State {
  State(std::string folder, UsageDeskOptions settings) : reader(std::move(folder)), options(settings) {}
  void run();
  void answer(const UsageQuery& query, const Done& done);

  const UsageReader reader;
  const UsageDeskOptions options;
  std::atomic<bool> stopping{false};
  std::mutex mutex;  // over the queue
  std::condition_variable changed;
  std::deque<std::pair<UsageQuery, Done>> queue;
  std::thread thread;
};

UsageDesk::UsageDesk(std::string folder, UsageDeskOptions options)
    : state_(std::make_unique<State>(std::move(folder), options)) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

UsageDesk::~UsageDesk() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

void UsageDesk::ask(UsageQuery query, Done done) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->queue.size() < state_->options.most_waiting) {
      state_->queue.emplace_back(std::move(query), std::move(done));
      state_->changed.notify_one();
      return;
    }
  }
  Failure full{FailureKind::overloaded, Source::gateway, "too many usage queries are waiting; try again shortly",
               "too_many_queries"};
  full.retry_after = seconds(1);
  done(std::move(full));
}

void UsageDesk::State::run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return stopping || !queue.empty(); });
    if (stopping) return;
    const auto [query, done] = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    answer(query, done);
    lock.lock();
  }
}

void UsageDesk::State::answer(const UsageQuery& query, const Done& done) {
  const SteadyTime end = std::chrono::steady_clock::now() + options.limit;
  auto report = reader.usage(query, [this, end] { return stopping || std::chrono::steady_clock::now() >= end; });
  if (!stopping) done(std::move(report));
}

}  // namespace tollgate::io
