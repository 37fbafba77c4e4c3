#pragma once
// The messages of a chat completion as turns. They are read first and written then, since what stands at the end
// decides whether the model thinks, and that decides what is written.
#include "tollgate/protocol/translation.hpp"

#include "protocol/anthropic/request/blocks.hpp"
#include "protocol/anthropic/request/call_ids.hpp"
#include "protocol/anthropic/request/chat_parts.hpp"

#include <map>
#include <string>
#include <vector>

namespace tollgate::protocol::anthropic::request {

enum class Role { system, user, assistant, tool, function };

/// A message's members where they lie.
struct ChatMessage {
  Role role = Role::user;
  json::Value content, calls, call_id, function_call, refusal, audio, name, cache_control;
};

/// False where it is refused.
bool read_messages(const json::Value& messages, std::vector<ChatMessage>& read, Findings& findings);

/// The id, as the client has it, of the first tool call of an assistant's message; empty: it has none.
std::string first_call(const ChatMessage& message);

/// The last turn brings results of calls before which nothing is known to have been thought.
bool ends_unthought(const std::vector<ChatMessage>& messages, const ThoughtSource* thoughts);

/// What the turns are written by.
struct TurnTerms {
  const ThoughtSource* thoughts = nullptr;  ///< null: none are put in
  bool prefill = false;                     ///< the last turn may be the assistant's
  bool breakpoint_hour = false;
};

class TurnWriter {
 public:
  TurnWriter(const TurnTerms& terms, Findings& findings) : terms_(terms), findings_(findings) {}

  /// False where they are refused.
  bool write(const std::vector<ChatMessage>& messages);

  /// With commas between; not empty once they are written.
  Marked& turns() { return turns_; }
  /// Text blocks.
  Blocks& system() { return system_; }

 private:
  /// A call of the turn at hand.
  struct Call {
    std::size_t place = 0;
    std::string id;
    bool answered = false;
  };

  /// A call as it is written, of whichever kind.
  struct NamedCall {
    std::string key;  ///< what its result will name it by: "i" and its id, or "f" and its function's name
    json::Value name, input;
    bool free_text = false;
  };

  bool write_one(const ChatMessage& message, std::size_t index);
  bool write_system(const ChatMessage& message, std::size_t index);
  bool write_user(const ChatMessage& message, std::size_t index);
  bool write_assistant(const ChatMessage& message, std::size_t index);
  bool write_words(const ChatMessage& message, std::size_t index, Blocks& blocks);
  bool write_calls(const ChatMessage& message, std::size_t index, Blocks& blocks);
  bool write_call(const json::Value& call, const std::string& param, Blocks& blocks);
  bool write_function_call(const json::Value& call, const std::string& param, Blocks& blocks);
  bool write_use(const NamedCall& call, const std::string& param, Blocks& blocks);
  bool write_result(const ChatMessage& message, std::size_t index);
  void write_thoughts(const ChatMessage& message, Blocks& blocks);
  bool mark(const ChatMessage& message, Blocks& blocks);
  bool answered();
  void end_results();
  void begin_turn(std::string_view role);
  void add_turn(std::string_view role, const Blocks& blocks);
  void add_turn(std::string_view role, std::string_view inside);
  void end_well();
  void cut_end_blanks();
  bool make_turn_of_system(const std::vector<ChatMessage>& messages);

  const TurnTerms terms_;
  Findings& findings_;
  Marked turns_;
  Blocks system_;
  Blocks results_;  ///< the user's turn that answers the calls, until it is complete
  CallIds ids_;
  std::map<std::string, Call, std::less<>> calls_;  ///< of the last assistant's turn, by what the client calls them by
  std::size_t calls_at_ = 0;                        ///< the message that has them
  std::size_t open_calls_ = 0;
  std::size_t last_system_ = 0, last_system_begin_ = 0;
  std::size_t last_turn_begin_ = 0;
  std::string_view last_role_;
  bool has_user_ = false;
};

}  // namespace tollgate::protocol::anthropic::request
