#pragma once
// Answers of Anthropic's Messages API as those of a chat completion: whole, as a stream, and errors.
#include "tollgate/base/clock.hpp"
#include "tollgate/protocol/anthropic/to_messages.hpp"
#include "tollgate/protocol/http/head.hpp"
#include "tollgate/protocol/translation.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic {

/// Fails with upstream_error where the text is no message.
Result<TranslatedReply> to_chat_reply(std::string_view message, const ChatShape& shape, const AnswerNames& names);

/// What the names view is copied. The events are `data:` lines; the last one is [DONE], after a usage chunk where that
/// was asked for. An `error` event becomes an event with OpenAI's envelope and no [DONE].
std::unique_ptr<StreamTranslator> make_chat_stream(const ChatShape& shape, const AnswerNames& names);

/// The error of a provider that speaks Anthropic's protocol, in OpenAI's envelope, by the table in
/// docs/claude-answers.md. A body that is no such error gives a general one by the status; its text is kept where it is
/// text. Status 0: it came in a stream. `own_credential`: the client's own went there, so that a refusal of it is the
/// client's to read.
TranslatedError to_chat_error(std::uint16_t status, std::string_view body, bool own_credential = false);

/// The header lines for the client, each with CRLF, that Anthropic's rate fields stand for (x-ratelimit-...), given the
/// time of the answer, since Anthropic names times and OpenAI durations.
std::string to_chat_rate_fields(const http::Fields& fields, SystemTime now);

}  // namespace tollgate::protocol::anthropic
