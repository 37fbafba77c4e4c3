#pragma once
// What a translation between two APIs is to the one who calls it: the pairs differ in what they write, not in how they
// are used. Pure: no clock, no randomness, no I/O; what is needed of those is handed in.
#include "tollgate/base/result.hpp"
#include "tollgate/protocol/usage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol {

/// What was thought before tools were called, kept so that it can stand where it stood when the tools' results come:
/// clients of the chat API drop it, and Anthropic refuses a turn without it.
struct Thoughts {
  std::vector<std::string> calls;  ///< ids of the tool calls of the turn, as the client was told them
  std::string blocks;  ///< thinking and redacted_thinking blocks as they came, with commas between; not empty
};

/// Where thoughts of earlier turns are found.
class ThoughtSource {
 public:
  virtual ~ThoughtSource() = default;
  /// Thoughts::blocks of the turn that called the tool; empty: none are known.
  virtual std::string find(std::string_view call) const = 0;
};

/// An answer under which the gateway's own words stand: what the provider did not say, or says otherwise.
struct AnswerNames {
  std::string_view id;       ///< of the request, any text fit for an id: the answer's id is made of it
  std::string_view model;    ///< what the client has asked for
  std::int64_t created = 0;  ///< Unix time in seconds
};

/// A whole answer in the client's API.
struct TranslatedReply {
  std::string body;
  std::optional<Usage> usage;        ///< as the provider has counted it, in its own classes
  std::optional<Thoughts> thoughts;  ///< to be kept
};

/// An error in the client's API.
struct TranslatedError {
  std::uint16_t status = 0;
  std::string body;
};

/// Turns the events of one provider's stream into those of the client's API, as they come. What it gives does not
/// depend on how the input is cut. Memory: one event, and what an event of the client's API needs of earlier ones.
class StreamTranslator {
 public:
  virtual ~StreamTranslator() = default;

  /// Appends what the bytes become, whole events only. After a fault() or a completed stream it gives nothing more.
  virtual void take(std::string_view bytes, std::string& out) = 0;
  /// The provider's body has ended in good order: appends what is still owed to a stream that has said its last word.
  /// One that has not is left without its end, for the caller to see.
  virtual void end(std::string& out) = 0;

  /// What the provider has counted so far, in its own classes.
  virtual const std::optional<Usage>& usage() const = 0;
  /// To be kept, once the turn is complete; then nothing.
  virtual std::optional<Thoughts> take_thoughts() = 0;
  /// Why the stream cannot be understood, as "an event ...", for an error's message; empty: it can.
  virtual std::string_view fault() const = 0;
};

}  // namespace tollgate::protocol
