// Memory between the workers and a destination that may be slow. The writing thread looks every 50 ms by itself, so
// that no request pays for waking it; it owns the shared state too and may be left behind if the destination never
// takes a byte.
#include "tollgate/io/access_log.hpp"

#include "tollgate/base/reuse.hpp"

#include "io/background_thread.hpp"
#include "io/telemetry/descriptor_sink.hpp"

#include <spdlog/logger.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace tollgate::io {
namespace {

constexpr std::size_t fullest_buffer = 4 * 1024 * 1024;
constexpr std::size_t kept_capacity = 256 * 1024;  // what a burst grew beyond this is given back
constexpr Millis write_interval{50};
constexpr Millis last_write_limit{1000};

}  // namespace

struct AccessLog::Worker::Buffer {
  std::mutex mutex;
  std::string pending;
};

struct AccessLog::State {
  explicit State(std::shared_ptr<telemetry::DescriptorSink> destination) : sink(std::move(destination)) {}

  void run();
  void write_pending(spdlog::logger& logger);

  const std::shared_ptr<telemetry::DescriptorSink> sink;  // null: off
  std::atomic<std::uint64_t> dropped{0};
  std::mutex mutex;  // over all below, but not over a write
  std::condition_variable changed;
  std::deque<Worker> workers;
  std::uint64_t passes_wanted = 0, passes_done = 0;
  bool stopping = false, ended = false;
  std::thread thread;
  std::string block;  // the writing thread's; takes turns with the workers' strings, so that capacity goes round
};

AccessLog::Worker::Worker(State& log) : log_(log), buffer_(std::make_unique<Buffer>()) {}
AccessLog::Worker::~Worker() = default;

void AccessLog::Worker::write(const pipeline::RequestRecord& record) {
  if (!log_.sink) return;
  const std::lock_guard lock(buffer_->mutex);
  if (buffer_->pending.size() > fullest_buffer) {
    ++log_.dropped;
    return;
  }
  append_access_line(buffer_->pending, record);
}

void AccessLog::State::run() {
  spdlog::logger logger("access", sink);
  logger.set_pattern("%v");
  std::unique_lock lock(mutex);
  for (bool last = false; !last;) {
    changed.wait_for(lock, write_interval, [this] { return stopping || passes_wanted > passes_done; });
    last = stopping;
    const auto pass = passes_wanted;
    lock.unlock();
    write_pending(logger);
    lock.lock();
    passes_done = pass;
    changed.notify_all();
  }
  ended = true;
  changed.notify_all();
}

void AccessLog::State::write_pending(spdlog::logger& logger) {
  std::unique_lock lock(mutex);
  const std::size_t count = workers.size();
  for (std::size_t i = 0; i < count; ++i) {
    auto& buffer = *workers[i].buffer_;
    lock.unlock();
    {
      const std::lock_guard swapping(buffer.mutex);
      std::swap(buffer.pending, block);
    }
    if (!block.empty()) {
      block.pop_back();  // the logger ends the block with a newline of its own
      logger.info(spdlog::string_view_t(block));
    }
    clear_for_reuse(block, kept_capacity);
    lock.lock();
  }
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& destination) {
  if (destination == "off") return std::unique_ptr<AccessLog>(new AccessLog(std::make_shared<State>(nullptr)));
  auto sink = telemetry::DescriptorSink::open(destination);
  if (!sink) return sink.error();
  auto state = std::make_shared<State>(std::move(*sink));
  state->thread = start_background_thread([state] { state->run(); });
  return std::unique_ptr<AccessLog>(new AccessLog(std::move(state)));
}

AccessLog::AccessLog(std::shared_ptr<State> state) : state_(std::move(state)) {}

AccessLog::~AccessLog() {
  if (!state_->sink) return;
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(lock, last_write_limit, [this] { return state_->ended; });
  lock.unlock();
  if (ended) {
    state_->thread.join();
  } else {
    state_->thread.detach();
  }
}

AccessLog::Worker& AccessLog::add_worker() {
  const std::lock_guard lock(state_->mutex);
  return state_->workers.emplace_back(*state_);
}

std::uint64_t AccessLog::dropped() const { return state_->dropped + (state_->sink ? state_->sink->lost_lines() : 0); }

bool AccessLog::flush(Millis limit) {
  if (!state_->sink) return true;
  std::unique_lock lock(state_->mutex);
  const auto pass = ++state_->passes_wanted;
  state_->changed.notify_all();
  return state_->changed.wait_for(lock, limit, [&] { return state_->passes_done >= pass; });
}

Result<void> AccessLog::reopen() {
  if (!state_->sink) return {};
  return state_->sink->reopen();
}

}  // namespace tollgate::io
