#pragma once
// What a request asks, in words: its system text, the user's last turn and the names of its tools, out of the body of a
// chat completion, a response, a completion or a message request.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::openai {

/// A longer text is kept by at most so many bytes of its beginning and its end, with a line end between them.
inline constexpr std::size_t prompt_head_kept = 8 * 1024;
inline constexpr std::size_t prompt_tail_kept = 24 * 1024;
inline constexpr std::size_t most_tool_names = 256;
inline constexpr std::size_t longest_tool_name = 256;  ///< bytes as written

struct PromptText {
  /// `instructions` or `system`, then all messages of the roles system and developer, a line end between each two
  /// texts.
  std::string system;
  /// The last message of the role user; `input` or `prompt` where that is a text. Empty where it holds no text. One
  /// that holds only what tools have answered (a message request has them there) is none of the user's.
  std::string user;
  /// Bytes of that turn's texts as written, escapes not decoded; what `user` leaves out counts.
  std::size_t user_length = 0;
  /// Of `tools` and `functions`, in their order; tools without a name by their type. Longer ones are left out.
  std::vector<std::string> tool_names;
};

/// Reads a body that scan_request() accepts. Where it is broken inside, comes what stands before the fault. Of a key
/// given twice the last one counts; `messages` count before `input`, that before `prompt`. Linear, and keeps no more
/// than the bounds above. Escapes are decoded; bytes that are no UTF-8 are passed on. Texts are not cut within a
/// character or an escape.
PromptText read_prompt(std::string_view body);

}  // namespace tollgate::protocol::openai
