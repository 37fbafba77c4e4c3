#pragma once
#include "tollgate/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::simulator {

enum class Endpoint : std::uint8_t { chat, completions, embeddings, responses, moderations };

/// The POST endpoint of that path; nothing if there is none.
std::optional<Endpoint> endpoint_of(std::string_view path);

/// One item of `input` or `prompt`.
struct Input {
  std::uint64_t digest = 0;
  std::size_t tokens = 0;
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
  std::uint64_t digest = 0;         ///< of the prompt's text: the same question gets the same answer
  std::optional<std::string> tool;  ///< answer by calling this function
  std::vector<Input> inputs;        ///< embeddings and moderations
  std::size_t dimensions = 1536;
  bool base64 = false;

  /// The model's name without the steering after its first comma.
  std::string base_model() const { return model.substr(0, model.find(',')); }
  /// The steering after the first comma; may be empty.
  std::string_view steering_text() const;
};

/// Reads and checks `body` as OpenAI would. A failure is a 400; its code and param go into the envelope.
Result<Call> read_call(Endpoint endpoint, std::string_view body);

}  // namespace tollgate::simulator
