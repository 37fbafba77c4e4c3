#pragma once
#include <string>
#include <string_view>

namespace tollgate::protocol::openai {

/// The words of a whole answer, chat or completions, of all its choices: content, refusal, reasoning, and the arguments
/// of tool calls, one after the other. For counting what its provider has not counted; empty where there are none, or
/// the text is no JSON object.
std::string answer_text(std::string_view json);

}  // namespace tollgate::protocol::openai
