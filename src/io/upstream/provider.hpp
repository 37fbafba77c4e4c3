#pragma once
// One provider on one worker: idle connections, the newest first; those that wait for a response's last bytes; calls
// that wait for a connection; and the request head's ready-made parts.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/io/connection.hpp"
#include "tollgate/io/tls_context.hpp"
#include "tollgate/pipeline/ports.hpp"

#include "body_reader.hpp"

#include <deque>
#include <list>
#include <memory>
#include <string>

struct ssl_session_st;

namespace tollgate::io {

class Loop;
class Resolver;
class WorkerMetrics;
class Call;

class Provider final : public pipeline::UpstreamProvider, public std::enable_shared_from_this<Provider> {
 public:
  struct Settings {
    config::Provider provider;
    std::size_t max_connections = 1;
  };
  Provider(Loop& loop, Resolver& resolver, WorkerMetrics& metrics, Settings settings, SslContext tls);
  ~Provider() override;

  std::unique_ptr<pipeline::UpstreamCall> start(const pipeline::UpstreamRequest& request, WaitPoint& point) override;
  void sweep(SteadyTime now);

  // For calls:
  Loop& loop() { return loop_; }
  Resolver& resolver() { return resolver_; }
  const config::Provider& settings() const { return settings_.provider; }
  /// Put together anew each time it is asked for, which is once but where a request does not go out at once. Valid
  /// until the next call.
  std::string_view request_head(const pipeline::UpstreamRequest& request);
  /// Where every call parses its answer's head: a few KB that no waiting stream has to hold. Valid until the next wait.
  protocol::http::ResponseHead& head() { return head_; }

  /// The newest idle connection that is young enough, or null.
  Connection::Pointer take_idle();
  /// Room for one more connection: counts it. Without room the call queues itself and is signalled.
  bool take_slot();
  void queue(Call& call);
  void leave_queue(Call& call);
  /// A connection of a call is over, or has become idle, or is to become idle once its response has ended.
  void drop(Connection::Pointer connection);
  void keep(Connection::Pointer connection);
  void keep_after(Connection::Pointer connection, BodyReader reader);
  /// A new SSL for a connection, with the name to verify and the last session to resume.
  Result<SSL*> new_ssl();

 private:
  struct Resting {
    Provider* owner = nullptr;
    Connection::Pointer connection{};
    SteadyTime since{};
    bool draining = false;
    BodyReader reader{};
    std::list<Resting>::iterator self{};
  };
  void rest(Connection::Pointer connection, bool draining, BodyReader reader);
  void remove(std::list<Resting>::iterator resting);
  void close_idle(std::list<Resting>::iterator resting);
  static void stirred(void* resting);
  void remember_session(Connection& connection);
  void wake_one();

  Loop& loop_;
  Resolver& resolver_;
  WorkerMetrics& metrics_;
  Settings settings_;
  SslContext tls_;
  ssl_session_st* session_ = nullptr;  ///< the last one, for resumption; owned
  bool speaks_anthropic() const { return settings_.provider.protocol == config::Protocol::anthropic; }
  void append_version(ByteBuffer& head, std::string_view fields) const;
  void append_fields(ByteBuffer& head, std::string_view fields) const;
  void append_trace(ByteBuffer& head, const pipeline::UpstreamRequest& request) const;
  std::string head_start_, head_middle_;
  std::string credential_;               ///< the configured one; empty: none is sent
  std::vector<std::string> own_fields_;  ///< lower-case names that the configuration sets itself
  protocol::http::ResponseHead head_;
  ByteBuffer request_head_;
  std::size_t connections_ = 0;
  std::list<Resting> idle_, draining_;
  std::list<Resting> spare_;  ///< nodes for the next that rest
  std::deque<Call*> waiting_;
};

}  // namespace tollgate::io
