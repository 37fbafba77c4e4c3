#pragma once
// The way in for clients that speak Anthropic's Messages API, where a provider of the chat API answers: the request as
// a chat completion, the answer as a message, whole, as a stream, and errors. docs/messages.md has the tables.
#include "tollgate/protocol/translation.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic {

struct ToChat {
  std::string_view model;              ///< the provider's name of it
  bool max_completion_tokens = false;  ///< the provider wants the limit by that name; else max_tokens
  bool inject_usage = true;            ///< a stream is asked for its usage
  bool strict = false;                 ///< what would be dropped is refused
};

struct ChatRequest {
  std::string body;
  std::vector<std::string> dropped;  ///< the client's fields that have no effect, by name, in the table's order
};

/// Translates the body of a message request that is one JSON object. Refused with bad_request, `param` naming the
/// field, is what has no equal and would change the answer's meaning. Linear in the body.
Result<ChatRequest> to_chat(std::string_view message_request, const ToChat& terms);

/// Fails with upstream_error where the text is no chat completion.
Result<TranslatedReply> to_message(std::string_view chat_reply, const AnswerNames& names);

/// Chunks in, Anthropic's events out: message_start (its usage is zeros: not known yet), blocks one after the other,
/// message_delta with all usage, message_stop. Calls that come interleaved are put in order. An error becomes an
/// `error` event and ends the stream. What the names view is copied; the id must be fit for one.
std::unique_ptr<StreamTranslator> make_message_stream(const AnswerNames& names);

/// Thinking that is not Anthropic's own bears this at the start of its signature: it is cut out of what goes there.
inline constexpr std::string_view foreign_signature = "tollgate-foreign-";

/// An error in Anthropic's envelope. `type` by status, as the API documents them; `code` stands in
/// `details.error_code`.
std::string error_body(std::uint16_t status, std::string_view message, std::string_view request_id,
                       std::string_view code = {});
/// One that came in OpenAI's envelope, or in none.
TranslatedError to_message_error(std::uint16_t status, std::string_view body, std::string_view request_id);

}  // namespace tollgate::protocol::anthropic
