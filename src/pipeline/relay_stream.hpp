#pragma once
// Passes a stream of events on, whole events at a time, and knows at each moment what may still be done: before content
// nothing has been sent and another answer is possible; after it the stream can only go on, end, or end with an error
// event.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/protocol/sse.hpp"

#include "charge.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::pipeline {

class StreamRelay {
 public:
  /// Both must outlive it.
  StreamRelay(Exchange& exchange, Charge& charge)
      : exchange_(exchange),
        charge_(charge),
        tells_cost_(exchange.inbound.money && exchange.inbound.money->include_cost) {}

  /// The upstream's header lines that cross, for the head when it goes out.
  void upstream_fields(ByteBuffer fields) { upstream_fields_ = std::move(fields); }

  /// Its usage is told by whoever translates it.
  void usage_is_told() { usage_is_told_ = true; }

  /// Sends the 200 and its fields, ahead of any content, so that whatever stands between here and the client keeps the
  /// connection.
  void commit_head();
  /// A comment, to show life. Never while an event is half sent.
  void heartbeat();
  bool in_event() const { return passed_ > 0; }

  enum class State : std::uint8_t {
    open,
    complete,  ///< the stream has said its last word; whatever the upstream still sends is not waited for
    refused,   ///< an error came before any content: refusal() is its body; nothing of it was sent
    broken     ///< failure() has to be told to the client
  };
  /// Takes the next bytes of the upstream's body and sends what can go.
  State take(std::string_view bytes);
  /// The upstream's body has ended in good order.
  State upstream_ended();
  /// It said finish_reason and then nothing more for the grace period: completes the stream.
  State finished_silently();

  /// Before an error event: ends an event that was passed on in part.
  void close_event();

  /// All that was asked for is there, only the end marker is missing.
  bool finished() const { return finishes_ > 0 && finishes_ >= exchange_.scan.choices; }
  /// Content, or what counts as such, has gone to the client: nothing may be replayed.
  bool opened() const { return opened_; }
  const std::string& refusal() const { return refusal_; }
  const Failure& failure() const { return *failure_; }

 private:
  State event(std::string_view bytes);
  State data_event(std::string_view bytes, std::string_view text, const protocol::SseEvent& event);
  void open_content();
  void hold(std::string_view bytes);
  void emit(std::string_view bytes);
  void flush();
  bool ends_overrun() const;
  State end_overrun(std::string_view last);
  void emit_with_cost(std::string_view bytes, std::string_view data);
  State failed_in_band(std::string_view event);
  void complete_tail();
  State pass_unfinished();
  State done();
  State fail(std::string message);

  Exchange& exchange_;
  Charge& charge_;
  protocol::SseScanner scanner_;
  ByteBuffer upstream_fields_;
  ByteBuffer tail_;                    ///< an event that has not ended yet
  ByteBuffer held_;                    ///< whole events before the first content
  std::vector<std::string_view> out_;  ///< what goes out with the next flush
  std::size_t passed_ = 0;             ///< bytes of the current event that were passed on before its end
  std::uint64_t finishes_ = 0;
  bool tells_cost_;
  bool usage_is_told_ = false;
  bool first_event_ = true;
  bool opened_ = false;
  State state_ = State::open;
  std::string refusal_;
  std::unique_ptr<Failure> failure_;  ///< once broken
};

}  // namespace tollgate::pipeline
