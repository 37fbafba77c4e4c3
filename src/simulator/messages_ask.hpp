#pragma once
#include "tollgate/base/result.hpp"

#include "simulator/call.hpp"
#include "simulator/prompt_cache.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tollgate::simulator {

/// What a request of the Messages endpoint says beyond what every call says.
struct MessagesAsk {
  bool thinks = false;
  bool shows_thinking = true;  ///< else the block has its signature alone
  bool redacts = false;        ///< a redacted_thinking block follows the thinking
  std::vector<std::string> stop_sequences;
  std::vector<PrefixEnd> prefix_ends;
};

/// Reads and checks the body of /v1/messages or /v1/messages/count_tokens as Anthropic would, by the rules of
/// `version`, the header anthropic-version. A failure has the status and the type of its envelope.
Result<Call> read_messages_call(Endpoint endpoint, std::string_view body, std::string_view version);

}  // namespace tollgate::simulator
