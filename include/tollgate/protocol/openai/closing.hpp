#pragma once
// How a stream is ended before its provider has: as one that has reached its limit of tokens.
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/usage.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol::openai {

/// Whether streams of this kind can be ended so: chat and completions.
bool can_be_closed(StreamKind kind);

/// What follows the event whose data `last` is: a chunk with finish_reason "length" for each of `choices` choices, with
/// the id, model and time of `last`; the usage chunk, where `usage` is given; and [DONE].
std::string closing_events(StreamKind kind, std::string_view last, std::uint64_t choices, const Usage* usage);

}  // namespace tollgate::protocol::openai
