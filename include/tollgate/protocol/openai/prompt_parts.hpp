#pragma once
// All that a model reads of a request, to be counted: every text of the body that becomes part of the prompt, and how
// many there are of what is no text.
#include <cstdint>
#include <functional>
#include <string_view>

namespace tollgate::protocol::openai {

struct PromptShape {
  std::uint64_t messages = 0;    ///< of `messages`; objects of `input`; `instructions` or `system`
  std::uint64_t names = 0;       ///< messages with a `name`
  std::uint64_t pictures = 0;    ///< parts that are one, whatever they link to or hold
  std::uint64_t low_detail = 0;  ///< of these, the ones with the detail `low`
  std::uint64_t files = 0;       ///< parts that are a file or sound
  std::uint64_t tools = 0;       ///< of `tools` and `functions`
  std::uint64_t properties = 0;  ///< of the tools' parameters, those of nested objects too
  std::uint64_t token_ids = 0;   ///< numbers given in place of a text, one a token
  bool operator==(const PromptShape&) const = default;
};

/// A text with escapes is handed on in parts of at most so many bytes, cut at a blank where there is one near.
inline constexpr std::size_t prompt_part_decoded = 64 * 1024;

/// Reads a body that scan_request() accepts: a chat completion, a response, a completion, an embedding or a message
/// request. Calls `text` with each text, decoded, valid during the call: roles, names, contents, thinking, calls of
/// tools (inputs that are no text as they are written) and what these answered, tools with the names, descriptions and
/// choices of their parameters, and a schema that is asked for as it is written. Links, `data:` or other, are no text,
/// nor is what a file holds. Where the body is broken inside, comes what stands before the fault. Linear, and keeps no
/// more than a part.
PromptShape read_prompt_parts(std::string_view body, const std::function<void(std::string_view)>& text);

}  // namespace tollgate::protocol::openai
