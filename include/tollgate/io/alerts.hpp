#pragma once
// Alerts to named webhooks. Each one also goes to the log, so that one without an address, or one that cannot be
// delivered, is not lost. docs/operations.md prints what is sent and how its signature is checked.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/io/outbound.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::io {

class Diagnostics;

enum class AlertKind : std::uint8_t {
  budget_threshold,  ///< that share of a budget is spent
  budget_forecast,   ///< at this rate a budget will be spent before its window ends
  budget_spent,      ///< a budget has turned the first request away
  budget_overshoot,  ///< more was spent than the budget allows
  ledger_unwritable  ///< what is spent cannot be written down: requests that need it are refused
};
std::string_view name_of(AlertKind kind);

/// What does not apply stays empty.
struct AlertEvent {
  AlertKind kind = AlertKind::budget_threshold;
  std::string id;  ///< that receivers drop doubles by; empty: a new one. Visible ASCII, 128 bytes at most
  std::string tenant, budget;
  std::optional<SystemTime> window_start;
  std::string threshold;  ///< "80%"
  std::optional<Money> spent, limit;
  std::string message;  ///< for people, without secrets
};

struct AlertCounts {
  OutboundCounts posts;
  std::uint64_t logged = 0;  ///< had no address: went to the log only
};

class Alerts {
 public:
  struct Options {
    std::string version = "unknown";  ///< of the gateway
    std::uint64_t seed = 0;           ///< of ids
    Millis backoff_base{1000};        ///< of repeats; doubled up to 300 times as much
  };
  /// `outbound`: asked for once a webhook is there; on the thread that calls adopt(). Both outlive the last send().
  Alerts(Diagnostics& diagnostics, std::function<Outbound&()> outbound, Options options);
  ~Alerts();
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;

  /// The channels from here on. One whose settings did not change stays, with what it has still to send; what waits at
  /// one that goes is still sent. Reads certificates: not for a loop's thread.
  void adopt(const std::vector<config::AlertChannel>& channels);
  /// Any thread; returns at once. Sent at least once while the process lives, repeated for about an hour where the
  /// receiver fails. A name that there is no channel of goes to the log only.
  void send(std::string_view channel, AlertEvent event);
  /// Any thread.
  AlertCounts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The body of a post.
std::string alert_body(config::AlertFormat format, const AlertEvent& event, SystemTime when);
/// "t=UNIX,v1=HEX": HMAC-SHA256, by the secret, of the time in decimal digits, a dot and the body.
std::string alert_signature(std::string_view secret, std::string_view body, SystemTime when);

}  // namespace tollgate::io
