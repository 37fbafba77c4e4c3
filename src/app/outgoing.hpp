#pragma once
// What the gateway sends on its own account: alerts and traces. The thread for it is there once there is something to
// send.
#include "tollgate/config/snapshot.hpp"
#include "tollgate/io/alerts.hpp"
#include "tollgate/io/diagnostics.hpp"
#include "tollgate/io/outbound.hpp"
#include "tollgate/io/tracer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tollgate::app {

/// Control thread, where nothing else is said.
class Outgoing {
 public:
  /// `diagnostics` outlives it.
  Outgoing(io::Diagnostics& diagnostics, std::uint64_t seed, io::Lookup lookup);

  /// Traces are made where the environment asks for them; what it says that cannot be used goes to the log.
  void begin_tracing(const std::function<std::optional<std::string>(const std::string& name)>& variable);
  /// Another worker's end of it, which lives as long as this object; null where no traces are made.
  io::Tracer::Worker* add_tracer() { return tracer_ ? &tracer_->add_worker() : nullptr; }
  /// Of spans. Any thread.
  io::OutboundCounts spans() const { return tracer_ ? tracer_->counts() : io::OutboundCounts{}; }

  /// The alert channels from here on.
  void adopt(const config::Snapshot& snapshot) { alerts_.adopt(snapshot.alerts); }
  /// send() and counts() from any thread.
  io::Alerts& alerts() { return alerts_; }

  /// Gives what waits a moment to go out.
  void stop();

 private:
  io::Outbound& outbound();
  void tell_loss(std::uint64_t spans, const std::string& why);

  io::Diagnostics& diagnostics_;
  const std::uint64_t seed_;
  const io::Lookup lookup_;
  SteadyTime told_at_{};           // the outbound thread's
  std::uint64_t lost_untold_ = 0;  // the same
  io::Alerts alerts_;
  std::unique_ptr<io::Tracer> tracer_;
  std::unique_ptr<io::Outbound> outbound_;
};

}  // namespace tollgate::app
