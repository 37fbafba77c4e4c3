#pragma once
// One attempt, as a machine that goes as far as it can at each advance(): connection, request, head, body. It waits for
// nothing itself; whoever drives it does.
#include "tollgate/base/block_pool.hpp"
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/io/timers.hpp"
#include "tollgate/pipeline/ports.hpp"

#include "body_reader.hpp"
#include "provider.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::io {

class Call final : public pipeline::UpstreamCall, public Pooled {
 public:
  Call(std::shared_ptr<Provider> provider, const pipeline::UpstreamRequest& request, WaitPoint& point);
  ~Call() override;

  Progress advance() override;
  const protocol::http::ResponseHead& head() const override { return provider_->head(); }
  std::string_view data() const override { return data_; }
  const Failure& failure() const override { return *failure_; }
  pipeline::Phase phase() const override;
  bool reused() const override { return reused_; }
  bool replayed() const override { return replayed_; }
  void finish() override;

  /// Signals this call's WaitPoint from the loop, unless the call is gone by then.
  void wake_later();

 private:
  enum class State : std::uint8_t {
    begin,
    queued,
    resolving,
    connecting,
    handshaking,
    sending,
    awaiting_head,
    body,
    ended,
    failed
  };
  enum class Step : std::uint8_t { again, blocked, head, data, end, failed };

  Step begin();
  Step open();
  Step resolve();
  Step connect_next();
  Step connecting();
  Step handshaking();
  std::size_t gather(std::span<std::string_view> pieces) const;
  Step send();
  Step read_head();
  Step take_head(std::span<char> bytes);
  Step read_body();
  Step deliver(std::span<char> bytes);
  Step ended();
  Step fail(std::string message);
  Step fail_here();  ///< no socket can be had: the gateway's own lack, by errno
  Step lost(const std::string& why);
  void attach(Connection::Pointer connection);
  void close_connection();
  Step block();

  /// Survives the call, so that a wake-up on its way finds out whether anybody is left. Made for the first one.
  struct Token {
    WaitPoint* point;
  };
  const std::shared_ptr<Token>& token();

  std::shared_ptr<Provider> provider_;
  WaitPoint& point_;
  std::shared_ptr<Token> token_;
  const pipeline::UpstreamRequest& request_;
  std::size_t sent_ = 0;  ///< bytes of head and body that have gone out
  Millis connect_timeout_;

  State state_ = State::begin;
  pipeline::Phase failed_in_ = pipeline::Phase::queue;
  Connection::Pointer connection_;
  Timer address_timer_;
  std::size_t next_address_ = 0;
  std::string last_error_;
  bool holds_slot_ = false;
  bool reused_ = false;
  bool replayed_ = false;
  bool early_ = false;       ///< the response came before the request had gone out whole
  bool awaiting_ = false;    ///< nothing can have come yet: wait before the next read
  bool keep_alive_ = false;  ///< the upstream's word on the connection
  bool got_bytes_ = false;   ///< of the response, on this connection

  ByteBuffer partial_;        ///< a head that did not come in one piece
  std::span<char> leftover_;  ///< body bytes that came with the head
  BodyReader reader_;
  std::string_view data_;
  std::unique_ptr<Failure> failure_;  ///< once failed
};

}  // namespace tollgate::io
