#pragma once
// Traces: one span per request and one per attempt, in OTLP's JSON encoding, posted to a collector. Workers write to
// memory and the outbound thread posts: a slow collector costs spans, which are counted, and never a request's time.
#include "tollgate/io/outbound.hpp"
#include "tollgate/io/tracing_settings.hpp"
#include "tollgate/pipeline/record.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::io {

class Tracer {
  struct State;

 public:
  /// The buffer of one worker; only that worker's thread calls.
  class Worker {
   public:
    explicit Worker(State& tracer);
    ~Worker();
    /// The context that a request goes on in: the caller's, or a new trace; with the decision whether it is recorded.
    protocol::TraceContext begin(std::optional<protocol::TraceContext> caller, std::string_view request_id) const;
    /// Writes the spans of a request that is over; one branch where it is not recorded. Never waits for the collector.
    void finished(const pipeline::RequestRecord& record) {
      if (record.trace && record.trace->sampled()) write(record);
    }

   private:
    friend struct State;
    struct Buffer;
    void write(const pipeline::RequestRecord& record);
    State& tracer_;
    std::unique_ptr<Buffer> buffer_;
  };

  struct Options {
    std::string version = "unknown";  ///< of the gateway
    Millis interval{1000};            ///< between two posts; a buffer that fills up is posted sooner
    /// Spans were lost, and why; on the outbound thread, to return at once. It may come often.
    std::function<void(std::uint64_t spans, const std::string& why)> on_loss{};
  };

  /// `settings` has an endpoint. `outbound` outlives this object's last span: stop() it before this object goes. Fails
  /// where a certificate file cannot be used.
  static Result<std::unique_ptr<Tracer>> open(const TracingSettings& settings, Outbound& outbound, Options options);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  /// Lives as long as this object. Before the first request.
  Worker& add_worker();
  /// Of spans. Any thread.
  OutboundCounts counts() const;

 private:
  explicit Tracer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tollgate::io
