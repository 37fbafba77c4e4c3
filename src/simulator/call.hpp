#pragma once
#include "tollgate/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::simulator {

struct MessagesAsk;

enum class Endpoint : std::uint8_t { chat, completions, embeddings, responses, moderations, messages, count_tokens };

/// Whose API a request speaks, and with it the shape of every answer to it.
enum class Dialect : std::uint8_t { openai, anthropic };

/// The POST endpoint of that path; nothing if there is none.
std::optional<Endpoint> endpoint_of(std::string_view path);

/// One item of `input` or `prompt`.
struct Input {
  std::uint64_t digest = 0;
  std::size_t tokens = 0;
};

/// A function that the answer calls. Its arguments are a JSON object around a text, or nothing at all.
struct CalledTool {
  std::string name;
  bool takes_nothing = false;
};

/// What words in the last text of the user ask for.
struct Wishes {
  bool tool = false;      ///< "tool"
  bool tools = false;     ///< "tools": two calls in parallel
  bool refusal = false;   ///< "refusal"
  bool redacted = false;  ///< "redacted"
  void read(std::string_view text);
};

/// What the simulator reads out of a request's body.
struct Call {
  Endpoint endpoint = Endpoint::chat;
  std::string model;  ///< as sent, steering and all
  bool stream = false;
  bool include_usage = false;             ///< stream_options.include_usage
  std::size_t choices = 1;                ///< `n`
  std::optional<std::size_t> max_tokens;  ///< by whichever name the endpoint has for it
  std::size_t prompt_tokens = 0;
  std::uint64_t digest = 0;                     ///< of the prompt's text: the same question gets the same answer
  std::vector<CalledTool> tools;                ///< answer by calling these, in parallel
  std::optional<std::string> fixed_text;        ///< answer with this instead of words
  bool refuses = false;                         ///< answer with a refusal
  std::shared_ptr<const MessagesAsk> messages;  ///< set: the request speaks Anthropic's dialect
  std::vector<Input> inputs;                    ///< embeddings and moderations
  std::size_t dimensions = 1536;
  bool base64 = false;

  /// The model's name without the steering after its first comma.
  std::string base_model() const { return model.substr(0, model.find(',')); }
  /// The steering after the first comma; may be empty.
  std::string_view steering_text() const;
  /// Another text of the prompt: counts its words and lets the answer depend on it.
  void add_text(std::string_view text);
};

/// What Call::digest begins with.
inline constexpr std::uint64_t digest_start = 0xCBF29CE484222325u;

/// Reads and checks `body` as OpenAI would. A failure is a 400; its code and param go into the envelope.
Result<Call> read_call(Endpoint endpoint, std::string_view body);

}  // namespace tollgate::simulator
