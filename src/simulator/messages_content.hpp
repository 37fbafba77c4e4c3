#pragma once
#include "simulator/answers.hpp"
#include "simulator/json.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tollgate::simulator {

/// One content block of a message before it is said.
struct ContentBlock {
  enum class Kind : std::uint8_t { thinking, redacted, text, call };
  Kind kind = Kind::text;
  std::size_t tokens = 0;
  bool whole = true;      ///< not cut by the request's cap
  std::size_t index = 0;  ///< calls: which
};

/// The blocks that an answer has, after the request's cap.
std::vector<ContentBlock> content_blocks(const Call& call, const Plan& plan);

/// What one block says, token by token; the same for the whole answer and for the stream.
class BlockText {
 public:
  BlockText(const ContentBlock& block, const Call& call, const Plan& plan);
  bool at_end() const { return given_ == tokens_; }
  void next(std::string& out);

 private:
  TokenText text_;
  std::size_t given_ = 0;
  std::size_t tokens_;
  std::size_t room_;  ///< bytes until a stop sequence
  bool call_;
  bool whole_;
};

/// A block as a stream begins it: whole but for its text, input or signature.
OrderedJson opened_block(const ContentBlock& block, const Call& call, const Plan& plan, const Identity& identity);

/// "end_turn", "max_tokens", "stop_sequence", "tool_use" or "refusal".
std::string_view stop_reason(const Call& call, const Plan& plan);
/// Adds stop_reason, stop_sequence and stop_details.
void add_stop(OrderedJson& object, const Call& call, const Plan& plan);

/// The message without its content: of the end, or of a stream's begin with next to no output yet.
OrderedJson message_shell(const Call& call, const Plan& plan, const Identity& identity);
/// `output` tokens, of which `thought` were thinking.
OrderedJson messages_usage(const Call& call, const Plan& plan, std::size_t output, std::size_t thought);

}  // namespace tollgate::simulator
