#pragma once
// The blocks of a streamed message: one after the other, each opened and closed once, whatever order their pieces come
// in. What belongs to a later block is held back until those before it are whole.
#include "protocol/anthropic/inbound/call_arguments.hpp"
#include "protocol/anthropic/inbound/call_ids.hpp"
#include "protocol/anthropic/inbound/chat_delta.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic::inbound {

class MessageBlocks {
 public:
  static constexpr std::size_t most_calls = 256;
  static constexpr std::size_t most_waiting = 1024;          ///< blocks
  static constexpr std::size_t most_held = 4 * 1024 * 1024;  ///< bytes

  /// `answer` names the answer, by text fit for an id.
  explicit MessageBlocks(std::string_view answer) : signature_(answer), ids_(answer) {}

  // Each appends the events that can be sent. Texts are insides of JSON strings.
  void add_thinking(std::string_view inside, std::string& out) { add_text(Kind::thinking, inside, out); }
  void add_text(std::string_view inside, std::string& out) { add_text(Kind::text, inside, out); }
  void add_call(const CallPart& part, std::string& out);
  /// Nothing more comes: sends all that is held and closes what is open.
  void finish(std::string& out);

  /// Nothing has come that belongs into a block.
  bool empty() const { return index_ == 0 && queue_.empty(); }
  bool any_call() const { return any_call_; }
  /// Once finished: the last call's arguments are not whole.
  bool cut_short() const { return cut_short_; }
  /// More calls or more to hold than is allowed, as "an event ..."; empty: none.
  std::string_view fault() const { return fault_; }

 private:
  enum class Kind : unsigned char { thinking, text, call };
  /// What is known of a call, also after its block is closed: its pieces must be told from those of others.
  struct Call {
    std::optional<std::int64_t> index;
    std::string id, name;
    ObjectEnd end;
    bool odd = false;  ///< does not begin as an object: kept until it is whole, then put into one
  };
  struct Block {
    Kind kind;
    std::size_t call = 0;  ///< of a call: its place in calls_
    std::string held;      ///< insides of a text, or decoded arguments
    bool blank = true;     ///< of a text: nothing but blanks so far
    bool open = false;
  };

  void add_text(Kind kind, std::string_view inside, std::string& out);
  Call* find_call(const CallPart& part);
  Call* begin_call(const CallPart& part);
  void fail(std::string_view why);
  void add_arguments(Block& block, Call& call, std::string_view arguments);
  Block& add_block(Kind kind);
  void hold(std::size_t bytes);
  void settle(std::string& out);
  bool is_whole(const Block& block) const;
  void send(Block& block, std::string& out);
  void send_call(Block& block, std::string& out);
  void close(Block& block, std::string& out);
  void close_call(Block& block, std::string& out);
  void start(Block& block, std::string& out);
  void send_delta(Kind kind, std::string& held, std::string& out);

  std::string signature_;
  CallIds ids_;
  std::deque<Block> queue_;  ///< the first one is being sent
  std::vector<Call> calls_;
  std::size_t held_ = 0;
  std::size_t index_ = 0;  ///< of the next block to be opened
  bool any_call_ = false, cut_short_ = false;
  std::string_view fault_;
};

}  // namespace tollgate::protocol::anthropic::inbound
