// One event loop and what lives on it: sessions, upstream pools, the configuration that new requests begin with, and
// this worker's share of metrics and log.
#include "tollgate/server/worker.hpp"

#include "tollgate/io/connection.hpp"
#include "tollgate/io/idempotency.hpp"

#include "session.hpp"

#include <malloc.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <ctime>

namespace tollgate::server {

namespace {

constexpr seconds housekeeping{1};
// After so many sessions have ended their memory is given back to the system, a moment later so that one look serves a
// whole wave of them; and after so many requests, once there is a quiet second.
constexpr std::size_t worth_trimming = 256;
constexpr Millis trim_delay{50};
constexpr seconds between_trims{2};

/// A pointer of this worker's own, so that requests on different cores do not count on one shared counter.
template <class T>
std::shared_ptr<const T> own(const std::shared_ptr<const T>& shared) {
  return std::shared_ptr<const T>(shared.get(), [shared](const T*) {});
}

}  // namespace

struct Worker::State {
  explicit State(io::Timers& timers) : housekeeping_timer(timers), trim_timer(timers) {}
  boost::intrusive::list<Session> sessions;
  io::Delay housekeeping_timer;
  io::Delay trim_timer;
  std::size_t ended = 0;          ///< sessions since memory was last given back
  std::size_t ended_at_look = 0;  ///< the same when last looked at
  std::uint64_t requests_at_trim = 0, requests_at_look = 0;
  SteadyTime trimmed_at{};  ///< after a wave of sessions
};

Worker::Worker(std::uint64_t seed, std::size_t upstreams, Services& services, io::Resolver& resolver,
               io::WorkerMetrics& metrics, io::AccessLog::Worker& log)
    : loop_(seed),
      services_(services),
      metrics_(metrics),
      log_(log),
      upstreams_(loop_, resolver, metrics, std::max<std::size_t>(1, upstreams)),
      calls_upstreams_(upstreams > 0),
      state_(std::make_unique<State>(loop_.timers())),
      head_(std::make_unique<protocol::http::RequestHead>()) {}

Worker::~Worker() = default;

void Worker::adopt(const Generation& generation) {
  auto world = std::make_shared<pipeline::World>();
  world->snapshot = own(generation.snapshot);
  if (calls_upstreams_) world->providers = upstreams_.adopt(*generation.snapshot, generation.upstream_tls);
  world->limits = generation.limits;
  world->budgets = own(generation.budgets);
  world->health = generation.health;
  if (!answers_ && services_.idempotency) answers_ = services_.idempotency->on(loop_);
  world->answers = answers_.get();
  world->ledger = ledger_;
  world->end_users = &end_users_;
  world->waker = &loop_;
  world_ = std::move(world);
  ++keys_version_;
  configured_keys_.clear();
  for (const auto& key : generation.keys) configured_keys_.add(own(key));
  server_tls_ = generation.server_tls;
  const auto& providers = generation.snapshot->providers;
  traces_ =
      tracer_ || std::any_of(providers.begin(), providers.end(), [](const auto& one) { return one.forward_trace; });
}

void Worker::serve(int descriptor, int family, Plane plane) {
  io::Connection::Pointer connection(new io::Connection(loop_, descriptor));
  if (plane == Plane::data && server_tls_ && family != AF_UNIX) {
    SSL* ssl = SSL_new(server_tls_.get());
    SSL_set_accept_state(ssl);
    connection->start_tls(ssl);
  }
  Session::start(*this, std::move(connection), family, plane);
}

void Worker::add_key(std::shared_ptr<const policy::KnownKey> key) {
  ++keys_version_;
  stored_keys_.add(own(key));
}

void Worker::remove_key(const Digest& digest) {
  ++keys_version_;
  stored_keys_.remove(digest);
}

void Worker::replace_keys(const std::vector<std::shared_ptr<const policy::KnownKey>>& keys) {
  ++keys_version_;
  stored_keys_.clear();
  for (const auto& key : keys) add_key(key);
}

Worker::FoundKey Worker::find_key(const Digest& digest) const {
  if (const auto* key = configured_keys_.find(digest)) return {*key};
  if (const auto* key = stored_keys_.find(digest)) {
    if (services_.keys_stale()) return {nullptr, true};
    return {*key};
  }
  return {nullptr, !services_.keys_current()};
}

void Worker::drain() {
  draining_ = true;
  for (auto at = state_->sessions.begin(); at != state_->sessions.end();) (at++)->nudge();
}

void Worker::cut() {
  cutting_ = true;
  for (auto at = state_->sessions.begin(); at != state_->sessions.end();) (at++)->nudge();
}

void Worker::end() {
  draining_ = true;
  // A session that is cut may first try to send its last words, or begin what it had just been sent; woken again it
  // gives up.
  constexpr int rounds = 8;
  for (int round = 0; round < rounds && sessions() > 0; ++round) cut();
}

std::size_t Worker::sessions() const { return state_->sessions.size(); }

void Worker::start_housekeeping() {
  state_->housekeeping_timer.at(loop_.now() + housekeeping, [this] {
    upstreams_.sweep(loop_.now());
    // A second without a request after many: what they took lies in holes between the connections that stay.
    const bool quiet = requests_ == state_->requests_at_look;
    if (quiet && requests_ - state_->requests_at_trim >= worth_trimming) trim();
    state_->requests_at_look = requests_;
    start_housekeeping();
  });
}

void Worker::add(Session& session) { state_->sessions.push_back(session); }

void Worker::remove(Session& session) {
  state_->sessions.erase(state_->sessions.iterator_to(session));
  if (session.plane() == Plane::data) services_.connections.fetch_sub(1, std::memory_order_relaxed);
  if (++state_->ended == worth_trimming) trim_soon();
}

void Worker::trim_soon() {
  state_->ended_at_look = state_->ended;
  state_->trim_timer.at(std::max(loop_.woken_at() + trim_delay, state_->trimmed_at + between_trims), [this] {
    if (state_->ended != state_->ended_at_look) return trim_soon();  // the wave is not over
    state_->trimmed_at = loop_.woken_at();
    trim();
  });
}

void Worker::trim() {
  state_->ended = 0;
  state_->requests_at_trim = requests_;
  ::malloc_trim(0);
}

std::string_view Worker::date(SystemTime now) {
  if (now >= date_until_ || now < date_from_) {
    const std::time_t time = std::chrono::system_clock::to_time_t(now);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[64];
    date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    date_from_ = std::chrono::system_clock::from_time_t(time);
    date_until_ = date_from_ + seconds(1);
  }
  return date_;
}

}  // namespace tollgate::server
