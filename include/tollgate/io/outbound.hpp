#pragma once
// What the gateway sends on its own account: alerts and traces. Everything waits and goes out on one thread of its own,
// so that a receiver that is slow or gone costs posts, which are counted, and never a request's time.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/config/web_address.hpp"
#include "tollgate/io/resolver.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tollgate::io {

/// One POST.
struct OutboundPost {
  std::string id;  ///< goes along as x-client-request-id, the same at each repeat; visible ASCII
  std::string body;
  std::uint64_t items = 1;  ///< what it counts for: the events in it
};

/// What became of the items so far. Those that wait are in none of them.
struct OutboundCounts {
  std::uint64_t sent = 0;     ///< taken by the receiver with a 2xx
  std::uint64_t failed = 0;   ///< refused for good, or tried as often as may be
  std::uint64_t dropped = 0;  ///< did not fit, or were still there when time was up

  OutboundCounts& operator+=(const OutboundCounts& other) {
    sent += other.sent;
    failed += other.failed;
    dropped += other.dropped;
    return *this;
  }
};

/// Statuses after which a repeat may bring another answer: 408, 425, 429 and 5xx.
bool may_pass_later(std::uint16_t status);

struct OutboundSettings {
  config::WebAddress address;
  config::UpstreamTls tls{};  ///< chain and name are always verified; by the system's store where nothing else is said
  std::string fields{};       ///< header lines with each post, each with CRLF
  /// More of them, made anew for each repeat; on the outbound thread.
  std::function<std::string(const OutboundPost& post, SystemTime now)> more_fields{};
  std::size_t most_posts = 256;              ///< that wait
  std::size_t most_bytes = 4 * 1024 * 1024;  ///< of their bodies
  unsigned tries = 8;                        ///< of one post, the first one counted
  Millis backoff_base{1000};                 ///< doubled each time; the wait is a random share of it
  Millis backoff_most = seconds(60);         ///< also the longest Retry-After that is waited for
  Millis timeout = seconds(10);              ///< of one try, whole
  bool (*repeats_after)(std::uint16_t status) = may_pass_later;
  /// A post has failed or was dropped by time; on the outbound thread, to return at once. `why` holds no URL.
  std::function<void(const OutboundPost& post, const std::string& why)> on_failure{};
};

/// Posts to one address, one after the other in their order. A redirect is a failure, as is every status that is not
/// 2xx; proxy variables mean nothing. Any thread. When the last owner lets go, what waits still goes out.
class OutboundChannel {
 public:
  virtual ~OutboundChannel() = default;
  /// Takes it over and returns at once. False: it does not fit, or all is over; it has been counted as dropped.
  virtual bool send(OutboundPost post) = 0;
  virtual OutboundCounts counts() const = 0;
};

class Outbound {
 public:
  explicit Outbound(std::uint64_t seed, Lookup lookup = system_lookup);
  /// stop(), where nobody has said so before.
  ~Outbound();
  Outbound(const Outbound&) = delete;
  Outbound& operator=(const Outbound&) = delete;

  /// Reads certificates: not for a loop's thread. Fails where they cannot be used. A channel outlives this object
  /// without harm: it only drops then.
  Result<std::shared_ptr<OutboundChannel>> open(OutboundSettings settings);
  /// Runs the action on the outbound thread, soon, and every `interval` from then on until stop(), which runs it a last
  /// time before the channels are given their time.
  void every(Millis interval, std::function<void()> action);
  /// Runs the action on the outbound thread, soon; nothing happens after stop(). Any thread.
  void post(std::function<void()> action);

  /// Takes nothing more and gives what waits this long to go out; drops the rest. Only the first call counts. Never
  /// longer than `limit` and the blink that ending takes.
  void stop(Millis limit = seconds(2));

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::io
