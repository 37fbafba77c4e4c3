// The thread that posts go out on: starts channels, runs what others have for it now and then, and ends in bounded
// time.
#include "tollgate/io/outbound.hpp"

#include "tollgate/io/metrics.hpp"
#include "tollgate/io/timers.hpp"

#include "io/background_thread.hpp"
#include "sender.hpp"

#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace tollgate::io {
namespace {

class Channel final : public OutboundChannel {
 public:
  explicit Channel(std::shared_ptr<Sender> sender) : sender_(std::move(sender)) {}
  ~Channel() override { sender_->let_go(); }
  bool send(OutboundPost post) override { return sender_->send(std::move(post)); }
  OutboundCounts counts() const override { return sender_->counts(); }

 private:
  std::shared_ptr<Sender> sender_;
};

}  // namespace

struct Outbound::State {
  State(std::uint64_t seed, Lookup lookup) : loop(seed), resolver({std::move(lookup)}) {}

  struct Repeated {
    Repeated(Timers& timers, Millis every, std::function<void()> what)
        : interval(every), action(std::move(what)), delay(timers) {}
    Millis interval;
    std::function<void()> action;
    Delay delay;
  };
  void start(const std::shared_ptr<Sender>& sender);
  void repeat(Repeated& repeated);
  void begin_end(SteadyTime end_at);

  Loop loop;
  WorkerMetrics metrics{1};  // nobody scrapes it: these connections are no provider's
  Resolver resolver;         // gone before the loop that it tells of names
  std::thread thread;
  std::list<Repeated> repeated;                  // the loop thread's, as what follows
  std::list<std::shared_ptr<Sender>> senders{};  // that have not ended
  bool ending = false;
  std::mutex mutex;  // over `stopped`, and so over whether the loop may be posted to
  bool stopped = false;
};

void Outbound::State::start(const std::shared_ptr<Sender>& sender) {
  const auto place = senders.insert(senders.end(), sender);
  sender->start(resolver, metrics, [this, place] {
    senders.erase(place);
    if (ending && senders.empty()) loop.stop();
  });
}

void Outbound::State::repeat(Repeated& each) {
  each.action();
  each.delay.at(loop.now() + each.interval, [this, &each] { repeat(each); });
}

void Outbound::State::begin_end(SteadyTime end_at) {
  for (Repeated& each : repeated) {
    each.delay.clear();
    each.action();
  }
  ending = true;
  for (const auto& sender : senders) sender->close();
  if (senders.empty()) return loop.stop();
  // Each may end while it is told, and leaves the list then.
  const auto all = senders;
  for (const auto& sender : all) sender->end_by(end_at);
}

Outbound::Outbound(std::uint64_t seed, Lookup lookup) : state_(std::make_unique<State>(seed, std::move(lookup))) {
  state_->thread = start_background_thread([&loop = state_->loop] { loop.run(); });
}

Outbound::~Outbound() { stop(); }

Result<std::shared_ptr<OutboundChannel>> Outbound::open(OutboundSettings settings) {
  SslContext tls;
  if (settings.address.tls) {
    auto made = make_client_context(settings.tls);
    if (!made) return made.error();
    tls = std::move(*made);
  }
  auto sender = std::make_shared<Sender>(state_->loop, std::move(settings), std::move(tls));
  const std::lock_guard lock(state_->mutex);
  if (state_->stopped)
    sender->close();
  else
    state_->loop.post([state = state_.get(), sender] { state->start(sender); });
  return std::shared_ptr<OutboundChannel>(std::make_shared<Channel>(std::move(sender)));
}

void Outbound::every(Millis interval, std::function<void()> action) {
  post([state = state_.get(), interval, action = std::move(action)] {
    state->repeat(state->repeated.emplace_back(state->loop.timers(), interval, action));
  });
}

void Outbound::post(std::function<void()> action) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->stopped) state_->loop.post(std::move(action));
}

void Outbound::stop(Millis limit) {
  {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(state_->stopped, true)) return;
    state_->loop.post([state = state_.get(), end_at = state_->loop.now() + limit] { state->begin_end(end_at); });
  }
  state_->thread.join();
}

}  // namespace tollgate::io
