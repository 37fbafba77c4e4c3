#include "simulator/channel.hpp"

#include <utility>

namespace tollgate::simulator {

namespace {

/// Bytes that may wait unread, beyond which a client that pipelines is left to its own send buffer.
constexpr std::size_t inbox_limit = 256 * 1024;

}  // namespace

Channel::Channel(std::unique_ptr<Transport> transport, const Executor& executor)
    : transport_(std::move(transport)), wake_(executor), room_(executor) {}

Async<void> Channel::read_loop() {
  for (;;) {
    const std::size_t count = co_await transport_->read_some(read_buffer_);
    if (count == 0) break;
    inbox_.append(read_buffer_.data(), count);
    wake_.cancel();
    while (inbox_.size() >= inbox_limit && open()) {
      room_.expires_at(never);
      co_await room_.async_wait(as_result);
    }
  }
  if (!open()) co_return;
  over(State::client_gone);
  transport_->close();
}

void Channel::consume(std::size_t count) {
  inbox_.erase(0, count);
  room_.cancel();
}

Async<bool> Channel::more_than(std::size_t known, SteadyTime until) {
  while (inbox_.size() <= known && open() && now() < until) {
    wake_.expires_at(until);
    co_await wake_.async_wait(as_result);
  }
  co_return inbox_.size() > known;
}

Async<bool> Channel::pause_until(SteadyTime until) {
  while (open() && now() < until) {
    wake_.expires_at(until);
    co_await wake_.async_wait(as_result);
  }
  co_return open();
}

Async<bool> Channel::write(std::string_view bytes) {
  if (!open() || bytes.empty()) co_return open();
  const std::size_t count = co_await transport_->write(bytes);
  bytes_written_ += count;
  if (count == bytes.size()) co_return true;
  if (open()) {
    over(State::client_gone);
    transport_->close();
  }
  co_return false;
}

void Channel::finish(std::shared_ptr<void> owner) {
  if (!open()) return;
  over(State::closed_here);
  transport_->finish(std::move(owner));
}

void Channel::reset() {
  if (!open()) return;
  over(State::closed_here);
  transport_->reset();
}

void Channel::stop() {
  if (open()) over(State::stopped);
  transport_->close();
}

void Channel::over(State state) {
  state_ = state;
  if (state == State::client_gone) gone_at_ = now();
  wake_.cancel();
  room_.cancel();
}

}  // namespace tollgate::simulator
