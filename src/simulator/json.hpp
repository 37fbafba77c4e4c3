#pragma once
#include <nlohmann/json.hpp>

#include <string>

namespace tollgate::simulator {

/// Members in the order they are set, as a reader of a captured answer expects them.
using OrderedJson = nlohmann::ordered_json;

/// Text of a JSON value. Bytes that are not UTF-8 (only a path can hold them) become U+FFFD.
inline std::string text_of_json(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

/// usage of chat, completions and embeddings.
inline OrderedJson usage_json(std::size_t prompt_tokens, std::size_t completion_tokens) {
  OrderedJson usage;
  usage["prompt_tokens"] = prompt_tokens;
  usage["completion_tokens"] = completion_tokens;
  usage["total_tokens"] = prompt_tokens + completion_tokens;
  usage["prompt_tokens_details"] = {{"cached_tokens", 0}, {"audio_tokens", 0}};
  usage["completion_tokens_details"] = {{"reasoning_tokens", 0},
                                        {"audio_tokens", 0},
                                        {"accepted_prediction_tokens", 0},
                                        {"rejected_prediction_tokens", 0}};
  return usage;
}

}  // namespace tollgate::simulator
