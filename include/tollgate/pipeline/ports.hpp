#pragma once
// What the request path needs from the world, named by the pipeline and implemented by `io` and `server`. Nothing here
// blocks: a call either makes progress at once or says that it is blocked, and whoever is blocked waits at the
// request's one WaitPoint.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/base/task.hpp"
#include "tollgate/base/wait_point.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/pipeline/record.hpp"
#include "tollgate/protocol/http/head.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::pipeline {

/// One timer per request, coarse (10 ms). Signals Signal::timer once its time has come.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual SteadyTime now() const = 0;
  /// When the wake-up at hand came: what it brought had happened by then. Cheaper than now().
  virtual SteadyTime woken_at() const { return now(); }
  /// Replaces the time set before; `never` switches it off. A signal on its way may still arrive.
  virtual void set(SteadyTime when) = 0;
};

/// How a reply's body is delimited.
struct BodyForm {
  bool streamed = false;     ///< length unknown: chunked, or until close for HTTP/1.0
  bool events = false;       ///< a stream of events, for the gauge that counts them
  std::uint64_t length = 0;  ///< otherwise
};

/// The client's side of one request, in the order: read the body, begin, write..., end.
class Client {
 public:
  virtual ~Client() = default;
  /// Takes the whole body where it has come with the head, as most do. False: it has not, and nothing has happened.
  virtual bool take_ready_body(ByteBuffer& into) = 0;
  /// Reads the whole body into `into`, under the limits of size, time and memory.
  virtual Task<Result<void>> read_body(ByteBuffer& into) = 0;
  /// From here on watches whether the client leaves; Signal::client_readable tells to look().
  virtual void watch() = 0;
  /// Takes in what the client has sent, to learn whether it left.
  virtual void look() = 0;
  /// The client has closed its side, or a write to it has failed. Final.
  virtual bool left() const = 0;
  /// The gateway's drain limit is over: end now. Signal::stop told so.
  virtual bool must_stop() const = 0;

  /// Fixes the status line and header fields (whole lines, each with CRLF). Sent together with the first write or end.
  virtual void begin(std::uint16_t status, std::string_view fields, BodyForm form) = 0;
  virtual bool begun() const = 0;
  /// Sends the pieces as far as the socket takes them and keeps a copy of the rest. Write again only once drained()
  /// says so.
  virtual void write(std::span<const std::string_view> pieces) = 0;
  virtual void end() = 0;
  /// Ends the reply visibly broken: the body is not completed and the connection closes.
  virtual void abort() = 0;
  /// Tries to send what is kept; true once nothing is. Signal::client_writable tells to try again.
  virtual bool drained() = 0;
  /// When the socket last took a byte of the reply; begin() counts as one.
  virtual SteadyTime last_taken() const = 0;
};

/// What goes upstream, apart from what the provider adds itself (request line prefix, host, credential, framing). It
/// must live, with what it views, until the response head has arrived.
struct UpstreamRequest {
  std::string_view path;    ///< after the provider's base path: "/chat/completions"
  std::string_view query;   ///< without '?'; may be empty
  std::string_view fields;  ///< forwarded header lines, each with CRLF
  std::string_view attempt_id;
  const protocol::TraceContext* trace = nullptr;  ///< for a provider with forward_trace; null: there is none
  std::optional<std::string_view> credential;     ///< instead of the provider's own
  std::vector<std::string_view> body;
  std::uint64_t body_size = 0;
  Millis connect_timeout{0};  ///< shared out over the provider's addresses
};

/// One attempt at one provider. Destroying it before its end closes the connection.
class UpstreamCall {
 public:
  enum class Progress : std::uint8_t {
    blocked,  ///< nothing to do until Signal::upstream_ready
    head,     ///< head() is there
    data,     ///< data() holds the next bytes of the body, without framing
    end,      ///< the body is complete
    failed    ///< failure() says how; final
  };
  virtual ~UpstreamCall() = default;
  /// Does what can be done now. What head() and data() view ends with the next advance() and with the next wait.
  virtual Progress advance() = 0;
  virtual const protocol::http::ResponseHead& head() const = 0;
  virtual std::string_view data() const = 0;
  virtual const Failure& failure() const = 0;
  /// Where the attempt stands, or stood when it failed: queue, connect, send, first_byte, relay.
  virtual Phase phase() const = 0;
  virtual bool reused() const = 0;
  virtual bool replayed() const = 0;
  /// The answer is complete in the eyes of its reader though the framing's end has not been seen: keeps the connection
  /// if the end comes soon.
  virtual void finish() = 0;
};

/// A provider as one worker sees it: its pool and its ready-made request head.
class UpstreamProvider {
 public:
  virtual ~UpstreamProvider() = default;
  /// Begins an attempt; progress is signalled at `point`. The request must live until the response head has arrived.
  virtual std::unique_ptr<UpstreamCall> start(const UpstreamRequest& request, WaitPoint& point) = 0;
};

/// The worker of a request, for other threads.
class Waker {
 public:
  virtual ~Waker() = default;
  /// Runs the action on the worker's thread, later. Any thread.
  virtual void post(std::function<void()> action) = 0;
};

struct BudgetScopes;
class EndUserHashes;
struct Health;
struct LimitScopes;
class IdempotentAnswers;
class Ledger;

/// One generation of the configuration on one worker. A request pins the one it began with.
struct World {
  std::shared_ptr<const config::Snapshot> snapshot;
  std::vector<std::shared_ptr<UpstreamProvider>> providers;  ///< in the order of snapshot->providers
  std::shared_ptr<const LimitScopes> limits;                 ///< live_state.hpp
  std::shared_ptr<const BudgetScopes> budgets;               ///< budget_scopes.hpp
  std::shared_ptr<const Health> health;                      ///< health.hpp
  IdempotentAnswers* answers = nullptr;                      ///< idempotency.hpp; null: keys mean nothing
  Ledger* ledger = nullptr;                                  ///< ledger.hpp; of this worker; null: nothing is written
  EndUserHashes* end_users = nullptr;  ///< end_user_hashes.hpp; of this worker; null: none is remembered
  Waker* waker = nullptr;              ///< of this worker
};

}  // namespace tollgate::pipeline
