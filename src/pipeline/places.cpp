// One lock over count and queue: a place that comes free and a request that begins to wait can never miss each other.
// Whoever is given a place is told through its own worker, and may have given up by then.
#include "tollgate/pipeline/places.hpp"

#include <algorithm>

namespace tollgate::pipeline {

namespace {

policy::ConcurrencySettings concurrency_of(const config::PlaceSettings& settings) {
  return {.limit = settings.limit.value_or(policy::ConcurrencySettings().limit), .adaptive = settings.adaptive};
}

policy::FairQueueSettings queue_of(const config::PlaceSettings& settings) { return {.limit = settings.queue}; }

}  // namespace

Places::Places(const config::PlaceSettings& settings)
    : settings_(settings), concurrency_(concurrency_of(settings)), queue_(queue_of(settings)) {}

void Places::configure(const config::PlaceSettings& settings, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  concurrency_.configure(concurrency_of(settings));
  queue_.configure(queue_of(settings));
  hand_out(now);
}

bool Places::try_take(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  hand_out(now);
  return queue_.waiting() == 0 && concurrency_.try_begin();
}

void Places::give_back(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  concurrency_.end();
  hand_out(now);
}

void Places::answered() {
  const std::lock_guard lock(mutex_);
  concurrency_.on_success(concurrency_.in_flight());
}

void Places::overloaded(Micros round_trip, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  concurrency_.on_overload(round_trip, now);
}

Millis Places::max_wait() const {
  const std::lock_guard lock(mutex_);
  return settings_.max_wait;
}

Places::View Places::view() const {
  const std::lock_guard lock(mutex_);
  return {concurrency_.limit(), concurrency_.in_flight(), queue_.waiting()};
}

/// Gives what is free to those whose turn it is. They are told under the lock: a turn that ends meanwhile waits for it,
/// so neither it nor its worker is gone before.
void Places::hand_out(SteadyTime now) {
  seen_ = std::max(seen_, now);
  while (queue_.waiting() > 0 && concurrency_.try_begin()) {
    auto* const next = static_cast<Turn*>(queue_.take(seen_));
    if (!next) {
      concurrency_.end();
      return;
    }
    next->granted_ = true;
    next->waker_.post([bell = next->bell_] {
      if (bell->point) bell->point->signal(Signal::answered);
    });
  }
}

std::unique_ptr<Places::Turn> Places::wait(std::uint64_t tenant, policy::Priority priority, SteadyTime until,
                                           SteadyTime now, Waker& waker, WaitPoint& point) {
  auto turn = std::make_unique<Turn>(*this, tenant, priority, waker, point);
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    waits = queue_.push(*turn, until, now);
    if (waits) hand_out(now);
  }
  return waits ? std::move(turn) : nullptr;
}

Places::Turn::Turn(Places& places, std::uint64_t tenant, policy::Priority priority, Waker& waker, WaitPoint& point)
    : Waiter(tenant, priority), places_(places), waker_(waker), bell_(std::make_shared<Bell>(Bell{&point})) {}

Places::Turn::~Turn() {
  bell_->point = nullptr;
  const std::lock_guard lock(places_.mutex_);
  places_.queue_.remove(*this);
  if (!granted_) return;
  places_.concurrency_.end();
  places_.hand_out(places_.seen_);
}

bool Places::Turn::take() {
  const std::lock_guard lock(places_.mutex_);
  return std::exchange(granted_, false);
}

}  // namespace tollgate::pipeline
