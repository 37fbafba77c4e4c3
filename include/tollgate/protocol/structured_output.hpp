#pragma once
// Answers that are to be JSON of a certain form: what was asked for, what was said, and how to ask once more. Of whole
// requests and answers of either API; what cannot be read is taken for nothing of the kind.
#include "tollgate/protocol/surface.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol {

/// The JSON schema that the answer is to match (response_format of a chat completion, output_config.format of a
/// message), as written there; for response_format json_object one of any object. Empty: none, or several answers are
/// asked for. May view `request`.
std::string_view schema_asked_for(Surface surface, std::string_view request);

/// The words of an answer that has come to its own end. Nothing: it was cut off, calls a tool, refuses, or has no words
/// or no single answer.
std::optional<std::string> finished_text(Surface surface, std::string_view answer);

/// The request with two turns more, which look the same in both APIs: the answer `said`, and what is wrong with it.
/// Empty: it has no turns.
std::string asking_again(std::string_view request, std::string_view said, std::string_view fault);

}  // namespace tollgate::protocol
