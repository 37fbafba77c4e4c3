// Memory between the workers and a collector that may be slow. The outbound thread looks once a second by itself, so
// that no request pays for waking it but the one that fills half a buffer.
#include "tollgate/io/tracer.hpp"

#include "tollgate/base/ids.hpp"
#include "tollgate/base/reuse.hpp"
#include "tollgate/protocol/http/head.hpp"

#include "spans.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace tollgate::io {
namespace {

// Of one worker, in one interval. Half of it wakes the outbound thread; a post is at most a whole one.
constexpr std::uint64_t most_spans = 4096;
constexpr std::size_t most_bytes = 4 * 1024 * 1024;
constexpr std::size_t kept_capacity = 256 * 1024;  // what a burst grew beyond this is given back
constexpr std::size_t most_posts = 64, most_waiting_bytes = 32 * 1024 * 1024;
constexpr unsigned tries = 5;

/// What the OTLP specification lets be repeated: another 5xx would be answered the same.
bool collector_may_take_later(std::uint16_t status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

nlohmann::json attribute(const std::string& key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

/// All that stands before the first span.
std::string preamble(const TracingSettings& settings, const std::string& version) {
  auto attributes = nlohmann::json::array();
  bool has_version = false;
  for (const auto& [key, value] : settings.resource) {
    attributes.push_back(attribute(key, value));
    has_version = has_version || key == "service.version";
  }
  if (!has_version) attributes.push_back(attribute("service.version", version));
  const nlohmann::json scope = {{"name", "tollgate"}, {"version", version}};
  // What an operator writes into a variable need not be UTF-8.
  const auto text = [](const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  return R"({"resourceSpans":[{"resource":{"attributes":)" + text(attributes) + R"(},"scopeSpans":[{"scope":)" +
         text(scope) + R"(,"spans":[)";
}
constexpr std::string_view closing = "]}]}]}";

}  // namespace

struct Tracer::Worker::Buffer {
  std::mutex mutex;
  std::string spans;
  std::uint64_t count = 0, dropped = 0;
};

struct Tracer::State {
  State(const TracingSettings& settings, Outbound& out, const Options& options)
      : sampler(settings.sampler), before(preamble(settings, options.version)), outbound(out), random(0) {}

  void collect();
  std::uint64_t dropped();

  const Sampler sampler;
  const std::string before;
  Outbound& outbound;
  std::shared_ptr<OutboundChannel> channel;
  std::weak_ptr<State> self;
  // The outbound thread's: for the ids of posts, which nobody has to be surprised by; and what takes turns with the
  // workers' strings, so that capacity goes round.
  Random random;
  std::string block;
  std::mutex mutex;
  std::deque<Worker> workers;
};

void Tracer::State::collect() {
  std::vector<Worker::Buffer*> buffers;
  {
    const std::lock_guard lock(mutex);
    for (const Worker& worker : workers) buffers.push_back(worker.buffer_.get());
  }
  for (Worker::Buffer* const each : buffers) {
    Worker::Buffer& buffer = *each;
    OutboundPost post;
    {
      const std::lock_guard lock(buffer.mutex);
      if (buffer.count == 0) continue;
      block.swap(buffer.spans);
      post.items = std::exchange(buffer.count, 0);
    }
    post.id = std::string(Uuid::v7(std::chrono::system_clock::now(), random).text());
    post.body.reserve(before.size() + block.size() + closing.size());
    post.body.append(before).append(block).append(closing);
    channel->send(std::move(post));
    clear_for_reuse(block, kept_capacity);
  }
}

std::uint64_t Tracer::State::dropped() {
  std::uint64_t sum = 0;
  const std::lock_guard lock(mutex);
  for (const Worker& worker : workers) {
    const std::lock_guard reading(worker.buffer_->mutex);
    sum += worker.buffer_->dropped;
  }
  return sum;
}

Tracer::Worker::Worker(State& tracer) : tracer_(tracer), buffer_(std::make_unique<Buffer>()) {}
Tracer::Worker::~Worker() = default;

protocol::TraceContext Tracer::Worker::begin(std::optional<protocol::TraceContext> caller,
                                             std::string_view request_id) const {
  constexpr std::uint8_t sampled = 1, random = 2;
  const bool decided = caller && tracer_.sampler.follows_caller;
  protocol::TraceContext trace;
  if (caller) {
    trace = std::move(*caller);
  } else {
    trace.trace_id = protocol::trace_id_of(request_id);
    trace.flags = random;
  }
  trace.own_spans = true;
  const bool records = decided ? trace.sampled() : tracer_.sampler.decides_for(trace.trace_id);
  trace.flags = static_cast<std::uint8_t>((trace.flags & ~sampled) | (records ? sampled : 0));
  return trace;
}

void Tracer::Worker::write(const pipeline::RequestRecord& record) {
  bool half_full = false;
  {
    const std::lock_guard lock(buffer_->mutex);
    if (buffer_->count >= most_spans || buffer_->spans.size() >= most_bytes) {
      buffer_->dropped += 1 + record.attempts.size();
      return;
    }
    const std::uint64_t before = buffer_->count;
    buffer_->count += append_spans(buffer_->spans, record);
    half_full = before < most_spans / 2 && buffer_->count >= most_spans / 2;
  }
  if (!half_full) return;
  if (auto state = tracer_.self.lock()) tracer_.outbound.post([state] { state->collect(); });
}

Result<std::unique_ptr<Tracer>> Tracer::open(const TracingSettings& settings, Outbound& outbound, Options options) {
  auto state = std::make_shared<State>(settings, outbound, options);
  state->self = state;
  OutboundSettings to;
  to.address = *settings.endpoint;
  to.tls = settings.tls;
  to.fields = "Content-Type: application/json\r\n";
  bool has_agent = false;
  for (const auto& [name, value] : settings.headers) {
    to.fields += name + ": " + value + "\r\n";
    has_agent = has_agent || protocol::http::equals_ignoring_case(name, "user-agent");
  }
  if (!has_agent) to.fields += "User-Agent: tollgate/" + options.version + "\r\n";
  to.most_posts = most_posts;
  to.most_bytes = most_waiting_bytes;
  to.tries = tries;
  to.timeout = settings.timeout;
  to.repeats_after = collector_may_take_later;
  if (options.on_loss)
    to.on_failure = [on_loss = options.on_loss](const OutboundPost& post, const std::string& why) {
      on_loss(post.items, why);
    };
  auto channel = outbound.open(std::move(to));
  if (!channel) return channel.error();
  state->channel = std::move(*channel);
  outbound.every(options.interval, [state] { state->collect(); });
  return std::unique_ptr<Tracer>(new Tracer(std::move(state)));
}

Tracer::Tracer(std::shared_ptr<State> state) : state_(std::move(state)) {}
Tracer::~Tracer() = default;

Tracer::Worker& Tracer::add_worker() {
  const std::lock_guard lock(state_->mutex);
  return state_->workers.emplace_back(*state_);
}

OutboundCounts Tracer::counts() const {
  OutboundCounts counts = state_->channel->counts();
  counts.dropped += state_->dropped();
  return counts;
}

}  // namespace tollgate::io
