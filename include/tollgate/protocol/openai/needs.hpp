#pragma once
// What a request needs of whoever answers it, beyond words: read only where it makes a difference.
#include <string_view>

namespace tollgate::protocol::openai {

struct Needs {
  bool tools = false;        ///< `tools` or `functions` that are not empty
  bool vision = false;       ///< a part that is a picture
  bool json_schema = false;  ///< `response_format`, `text.format` or `output_config.format` of the type json_schema
  bool operator==(const Needs&) const = default;
};

/// Of a body that scan_request() accepts: a chat completion, a response or a message request. Linear.
Needs read_needs(std::string_view body);

/// What all turns of a conversation have in common, as it stands in the body: the value of `prompt_cache_key`, else the
/// messages up to the first one of the user, without a mark for the cache at its end. Empty where there is neither.
/// Linear.
std::string_view conversation_start(std::string_view body);

}  // namespace tollgate::protocol::openai
