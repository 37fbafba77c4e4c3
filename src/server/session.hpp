#pragma once
// One client connection: reads requests one after the other, answers what the gateway answers itself, hands the rest to
// the pipeline, and is the client's side of it. At rest between two requests it holds no buffer.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/base/ids.hpp"
#include "tollgate/io/connection.hpp"
#include "tollgate/io/timers.hpp"
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/server/admin.hpp"
#include "tollgate/server/worker.hpp"

#include "routes.hpp"

#include <boost/intrusive/list.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::server {

class Session final : public pipeline::Client, public boost::intrusive::list_base_hook<> {
 public:
  /// Serves until the connection ends, then deletes itself. `family` tells a Unix socket, whose peer needs no Host
  /// check.
  static void start(Worker& worker, io::Connection::Pointer connection, int family, Plane plane);
  ~Session() override;

  Plane plane() const { return plane_; }
  /// Wakes the session so that it sees that the worker drains or cuts.
  void nudge() { point_.signal(Signal::stop); }

  // pipeline::Client
  bool take_ready_body(ByteBuffer& into) override;
  Task<Result<void>> read_body(ByteBuffer& into) override;
  void watch() override;
  void look() override;
  bool left() const override { return left_; }
  bool must_stop() const override { return worker_.cutting(); }
  void begin(std::uint16_t status, std::string_view fields, pipeline::BodyForm form) override;
  bool begun() const override { return request_->begun; }
  void write(std::span<const std::string_view> pieces) override;
  void end() override;
  void abort() override;
  bool drained() override;
  SteadyTime last_taken() const override { return request_->last_taken; }

 private:
  using Head = protocol::http::RequestHead;

  /// What is known of the request at hand; lives in serve_one()'s frame.
  struct Request {
    SteadyTime began{}, last_taken{};
    SystemTime began_at{};
    std::optional<Uuid> id;
    RouteMatch route;
    pipeline::Inbound inbound;
    pipeline::Caller caller;
    std::unique_ptr<AdminActor> actor;  ///< on the admin plane
    std::string_view method = "other";
    std::string path;                               ///< where it is not one of the route table's own
    std::string client_id;                          ///< the client's own x-request-id
    std::optional<protocol::TraceContext> trace{};  ///< the client's own
    std::string cors;                               ///< header lines for a permitted origin
    ByteBuffer reply_head;                          ///< formed by begin(), sent with the first bytes after it
    std::uint64_t content_length = 0;
    std::size_t budgeted = 0;  ///< bytes taken from the body budget
    protocol::http::Framing framing = protocol::http::Framing::none;
    bool http_1_0 = false, head_only = false, expects_continue = false;
    bool keep_alive = false, body_read = false, begun = false, chunked = false;
    bool counted = false;  ///< as in flight
    bool events = false;   ///< as an active stream
  };

  /// Whose key the last request had. The next one of a connection has the same, as a rule, and is then spared the look
  /// through all keys.
  struct LastCaller {
    std::string credential;
    std::shared_ptr<const policy::KnownKey> key;
    const config::Tenant* tenant = nullptr;  ///< of the configuration at that version
    std::uint64_t keys_version = 0;
  };

  Session(Worker& worker, io::Connection::Pointer connection, int family, Plane plane);
  Task<void> run();
  Task<bool> shake_hands();
  Task<bool> wait_for_request();
  Task<bool> serve_one();
  Task<bool> read_head();
  bool take_head(bool& accepted);
  Task<void> forward();
  Task<void> administer();
  Task<void> flush();
  Task<void> linger();

  // Judged by the head alone. Each answers by itself where it refuses, and returns false.
  bool accept_head(const Head& head, std::size_t size);
  bool judge_host_and_origin(const Head& head);
  bool judge_token(const Head& head);
  bool judge_key(const Head& head);
  bool find_caller(std::string_view credential);
  bool judge_address(const Head& head, const policy::KnownKey& key);
  bool judge_provider_credential(std::string_view given);
  bool refuse_key();
  bool judge_route(const Head& head);
  bool find_route(const Head& head, std::optional<RouteMatch>& route);
  void answer_preflight(const Head& head);
  bool read_inbound(const Head& head);
  bool read_own_fields(const Head& head);
  bool read_priority(const Head& head);
  bool read_money_fields(const Head& head);
  bool refuse_field(std::string_view field, std::string_view what);
  bool take_idempotency_key(std::string_view key);
  void read_trace(const Head& head);

  void answer();
  void answer_models();
  void reply(std::uint16_t status, std::string_view content_type, std::string_view body,
             std::string_view more_fields = {});
  void refuse(const Failure& failure, std::string_view more_fields = {});
  void refuse_head(const protocol::http::Refusal& refusal);
  void refuse_with(std::uint16_t status, std::string_view body, std::string_view code, std::string_view more_fields);
  const Uuid& request_id() const;
  std::string id_fields() const;
  void begin_record(pipeline::RequestRecord& record) const;
  void begin_trace(pipeline::RequestRecord& record) const;
  void close_record(pipeline::RequestRecord& record);

  Task<Result<void>> read_known_length(ByteBuffer& into);
  Task<Result<void>> read_chunked(ByteBuffer& into);
  Task<Result<void>> wait_for_body(SteadyTime body_began, std::size_t so_far);
  Result<void> take_budget(std::size_t held);
  void keep_rest();
  void send(std::span<const std::string_view> pieces);
  const pipeline::World& world() const { return world_ ? *world_ : *worker_.world(); }
  const config::ServerSettings& settings() const { return world().snapshot->server; }

  Worker& worker_;
  io::Connection::Pointer connection_;
  WaitPoint point_;
  io::Timer timer_;
  std::shared_ptr<const pipeline::World> world_;  ///< pinned while a request is served
  std::unique_ptr<LastCaller> last_caller_;       ///< null: none so far
  Request* request_ = nullptr;
  ByteBuffer inbox_;       ///< bytes that came and are not used yet: part of a head, or the next requests
  ByteBuffer outbox_;      ///< bytes of the reply that the socket did not take yet
  std::string_view rest_;  ///< what came with the head in the same read; gone at the next wait
  int family_;
  Plane plane_;
  bool served_any_ = false;
  bool left_ = false;
};

}  // namespace tollgate::server
