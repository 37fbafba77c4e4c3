// The life of a post: it waits in a bounded queue, is tried until it is taken or beyond hope, and is counted once. The
// connections are those of an upstream, so that TLS, names and pooling behave as they do there.
#include "sender.hpp"

#include "tollgate/policy/backoff.hpp"
#include "tollgate/protocol/retry_after.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace tollgate::io {
namespace {

// Nobody reads an answer's body; of one that does not end the connection is closed.
constexpr std::size_t most_answer_bytes = 64 * 1024;
constexpr Millis keep_idle = seconds(30);

}  // namespace

/// What lives on the loop only as long as run() does.
struct Sender::Way {
  Timer timer;
  std::shared_ptr<Provider> provider;
  pipeline::UpstreamRequest request{};
};

bool may_pass_later(std::uint16_t status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

Sender::Sender(Loop& loop, OutboundSettings settings, SslContext tls)
    : loop_(loop), settings_(std::move(settings)), tls_(std::move(tls)) {}

bool Sender::send(OutboundPost post) {
  const std::lock_guard lock(mutex_);
  const bool fits = waiting_.size() < settings_.most_posts && bytes_ + post.body.size() <= settings_.most_bytes;
  if (closed_ || !fits) {
    counts_.dropped += post.items;
    return false;
  }
  bytes_ += post.body.size();
  waiting_.push_back(std::move(post));
  if (waiting_.size() == 1) wake();
  return true;
}

OutboundCounts Sender::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Sender::let_go() {
  const std::lock_guard lock(mutex_);
  alone_ = true;
  if (!closed_) wake();
}

void Sender::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

/// Under the lock, so that the loop is still there.
void Sender::wake() {
  loop_.post([self = shared_from_this()] { self->point_.signal(Signal::answered); });
}

void Sender::start(Resolver& resolver, WorkerMetrics& metrics, std::function<void()> ended) {
  detach([](std::shared_ptr<Sender> self, Resolver& names, WorkerMetrics& cells,
            std::function<void()> after) -> Task<void> {
    co_await self->run(names, cells);
    after();
  }(shared_from_this(), resolver, metrics, std::move(ended)));
}

void Sender::end_by(SteadyTime time) {
  end_at_ = time;
  point_.signal(Signal::stop);
}

Task<void> Sender::run(Resolver& resolver, WorkerMetrics& metrics) {
  Way way{Timer(loop_.timers(), point_), make_provider(resolver, metrics)};
  for (;;) {
    const OutboundPost* post = front();
    if (!post) {
      if (may_end()) co_return;
      co_await pause(way, never);
      continue;
    }
    try {
      co_await deliver(way, *post);
    } catch (const std::exception& bug) {
      fail(*post, bug.what());
    }
    pop();
  }
}

Task<void> Sender::deliver(Way& way, const OutboundPost& post) {
  for (unsigned tries = 1;; ++tries) {
    if (loop_.now() >= end_at_) co_return drop(post, "there was no time left for it");
    const Answer answer = co_await attempt(way, post);
    if (answer.status >= 200 && answer.status < 300) {
      const std::lock_guard lock(mutex_);
      counts_.sent += post.items;
      co_return;
    }
    const bool hopeless = answer.status != 0 && !settings_.repeats_after(answer.status);
    if (hopeless || tries >= settings_.tries) co_return fail(post, answer.why);
    const double chance = loop_.random().unit();
    const Millis wait = answer.retry_after
                            ? std::min(settings_.backoff_most, policy::retry_after_wait(*answer.retry_after, chance))
                            : policy::backoff(tries - 1, settings_.backoff_base, settings_.backoff_most, chance);
    const SteadyTime until = loop_.now() + wait;
    while (loop_.now() < until && until < end_at_) co_await pause(way, until);
    if (until >= end_at_) co_return drop(post, answer.why);
  }
}

Task<Sender::Answer> Sender::attempt(Way& way, const OutboundPost& post) {
  std::string fields = settings_.fields;
  if (settings_.more_fields) fields += settings_.more_fields(post, std::chrono::system_clock::now());
  const std::string_view target = settings_.address.target;
  const std::size_t question = std::min(target.find('?'), target.size());
  way.request.path = target.substr(0, question);
  way.request.query = target.substr(std::min(question + 1, target.size()));
  way.request.fields = fields;
  way.request.attempt_id = post.id;
  way.request.body.assign(1, post.body);
  way.request.body_size = post.body.size();
  way.request.connect_timeout = settings_.timeout / 2;

  using Progress = pipeline::UpstreamCall::Progress;
  const auto call = way.provider->start(way.request, point_);
  const SteadyTime until = loop_.now() + settings_.timeout;
  Answer answer;
  std::size_t taken = 0;
  for (;;) {
    const Progress progress = call->advance();
    if (progress == Progress::head) {
      answer.status = call->head().status;
      answer.retry_after = protocol::retry_after(call->head().fields, std::chrono::system_clock::now());
      answer.why = "it answered with status " + std::to_string(answer.status);
      continue;
    }
    if (progress == Progress::data) taken += call->data().size();
    if (progress == Progress::failed && answer.status == 0) answer.why = call->failure().message;
    const bool over = progress == Progress::end || progress == Progress::failed || taken > most_answer_bytes;
    if (over) co_return answer;
    if (progress != Progress::blocked) continue;
    if (loop_.now() >= std::min(until, end_at_)) {
      if (answer.status == 0) answer.why = "it took longer than " + std::to_string(settings_.timeout.count()) + " ms";
      co_return answer;
    }
    co_await pause(way, until);
  }
}

/// Until something has happened or the time has come, or all has to end.
Task<void> Sender::pause(Way& way, SteadyTime until) {
  way.timer.set(std::min(until, end_at_));
  co_await point_.wait();
}

void Sender::fail(const OutboundPost& post, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    counts_.failed += post.items;
  }
  if (settings_.on_failure) settings_.on_failure(post, why);
}

void Sender::drop(const OutboundPost& post, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    counts_.dropped += post.items;
  }
  if (settings_.on_failure) settings_.on_failure(post, why);
}

/// It stays where it is: a deque that grows at its end moves nothing.
const OutboundPost* Sender::front() {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() ? nullptr : &waiting_.front();
}

void Sender::pop() {
  const std::lock_guard lock(mutex_);
  bytes_ -= waiting_.front().body.size();
  waiting_.pop_front();
}

/// Whether nothing will come any more. From then on nothing may, or it would wait for nobody.
bool Sender::may_end() {
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty()) return false;
  closed_ = closed_ || alone_;
  return closed_;
}

std::shared_ptr<Provider> Sender::make_provider(Resolver& resolver, WorkerMetrics& metrics) const {
  Provider::Settings settings;
  settings.provider.name = "outbound";
  settings.provider.tls = settings_.address.tls;
  settings.provider.host = settings_.address.host;
  settings.provider.port = settings_.address.port;
  settings.provider.upstream_tls = settings_.tls;
  settings.provider.pool = {1, keep_idle};
  settings.max_connections = 1;
  return std::make_shared<Provider>(loop_, resolver, metrics, std::move(settings), tls_);
}

}  // namespace tollgate::io
