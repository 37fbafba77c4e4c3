#pragma once
// Every field of a chat completion request and what becomes of it on the way to Anthropic: what the translation drops
// and refuses it knows from here, and docs/claude.md prints these rows, as a test makes sure.
#include "protocol/json_pick.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/json_text.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace tollgate::protocol::anthropic::request {

enum class Fate : std::uint8_t {
  mapped,   ///< the code knows how; where a model cannot have it, it is dropped
  dropped,  ///< has no effect, and the client is told so
  refused   ///< has no equal, and the answer would mean something else
};
inline std::string_view name_of(Fate fate) {
  return fate == Fate::mapped ? "mapped" : fate == Fate::dropped ? "dropped" : "refused";
}

/// In the order of the table.
enum class Field : std::uint8_t {
  model,
  messages,
  max_completion_tokens,
  max_tokens,
  temperature,
  top_p,
  top_k,
  stop,
  stream,
  stream_options,
  response_format,
  tools,
  tool_choice,
  parallel_tool_calls,
  functions,
  function_call,
  reasoning_effort,
  thinking,
  safety_identifier,
  user,
  metadata,
  service_tier,
  cache_control,
  prompt_cache_options,
  n,
  logprobs,
  modalities,
  web_search_options,
  frequency_penalty,
  presence_penalty,
  logit_bias,
  top_logprobs,
  seed,
  verbosity,
  audio,
  prediction,
  store,
  prompt_cache_key,
  prompt_cache_retention,
  moderation,
  message_name,
  message_refusal,
  message_audio,
  message_tool_calls,
  message_function_call,
  message_reasoning,
  part_text,
  part_image,
  part_image_detail,
  part_file,
  part_file_id,
  part_input_audio,
  part_cache,
  part_breakpoint,
  tool_function,
  tool_strict,
  tool_custom,
  tool_custom_format,
  tool_cache,
  count
};

struct ChatField {
  Field field;
  std::string_view name;  ///< of the body's top level, if it has no dot
  Fate fate;
  std::string_view how;
  /// Of a field that is dropped or refused: the value that is as good as none.
  bool (*idle)(const json::Value& value) = nullptr;
};

inline bool idle_if_null(const json::Value& value) { return value.is_null(); }
/// Null, false, zero or empty.
inline bool idle_if_falsy(const json::Value& value) { return !value.truthy(); }
inline bool idle_if_one(const json::Value& value) {
  return value.is_null() || (value.kind == json::Kind::number && json::whole_number(value.text) == 1);
}
/// A list of nothing but "text".
inline bool idle_if_text(const json::Value& value) {
  json::Reader reader(value.text);
  if (!reader.enter_array()) return value.is_null();
  while (reader.next_element())
    if (reader.take().text != "\"text\"") return false;
  return true;
}

inline constexpr std::array<ChatField, static_cast<std::size_t>(Field::count)> chat_fields{{
    {Field::model, "model", Fate::mapped, "the provider's name of it"},
    {Field::messages, "messages", Fate::mapped,
     "turns; those of system and developer, wherever they stand, as `system`"},
    {Field::max_completion_tokens, "max_completion_tokens", Fate::mapped,
     "`max_tokens`, at most what the model has; without one the configured limit, else the model's"},
    {Field::max_tokens, "max_tokens", Fate::mapped, "the same, where `max_completion_tokens` is not given"},
    {Field::temperature, "temperature", Fate::mapped,
     "at most 1; dropped while the model thinks, on models without sampling and in version 2026-10-21"},
    {Field::top_p, "top_p", Fate::mapped, "as `temperature`, beside which most models do not take it: then dropped"},
    {Field::top_k, "top_k", Fate::mapped, "an extension; as `temperature`"},
    {Field::stop, "stop", Fate::mapped, "`stop_sequences`, without those that are blank"},
    {Field::stream, "stream", Fate::mapped, "as it is"},
    {Field::stream_options, "stream_options", Fate::mapped, "the gateway's own work: usage at the stream's end"},
    {Field::response_format, "response_format", Fate::mapped,
     "json_schema: `output_config.format`, the schema cleaned, or a tool that must be called; json_object: a line in "
     "`system`"},
    {Field::tools, "tools", Fate::mapped, "functions and custom tools; another type is refused"},
    {Field::tool_choice, "tool_choice", Fate::mapped,
     "auto, none, any or tool; auto where the model cannot be forced, and then dropped"},
    {Field::parallel_tool_calls, "parallel_tool_calls", Fate::mapped, "false: `tool_choice.disable_parallel_tool_use`"},
    {Field::functions, "functions", Fate::mapped, "as `tools`; called by `tool_calls`"},
    {Field::function_call, "function_call", Fate::mapped, "as `tool_choice`"},
    {Field::reasoning_effort, "reasoning_effort", Fate::mapped,
     "`thinking` and `output_config.effort`, by model; dropped where it cannot think"},
    {Field::thinking, "thinking", Fate::mapped, "an extension: as it is"},
    {Field::safety_identifier, "safety_identifier", Fate::mapped, "`metadata.user_id`, hashed"},
    {Field::user, "user", Fate::mapped, "the same, where `safety_identifier` is not given"},
    {Field::metadata, "metadata", Fate::mapped,
     "its `user_id` the same, where neither is given; `task_type` is the gateway's; dropped if it has anything else"},
    {Field::service_tier, "service_tier", Fate::mapped,
     "auto and priority: auto; default: standard_only; fast: `speed` where the model has it; others are dropped"},
    {Field::cache_control, "cache_control", Fate::mapped, "an extension: as it is, and counts as one of four marks"},
    {Field::prompt_cache_options, "prompt_cache_options", Fate::mapped, "its `ttl` is that of breakpoints"},
    {Field::n, "n", Fate::refused, "more than one answer", idle_if_one},
    {Field::logprobs, "logprobs", Fate::refused, "there are none, and clients read them", idle_if_falsy},
    {Field::modalities, "modalities", Fate::refused, "anything but text", idle_if_text},
    {Field::web_search_options, "web_search_options", Fate::refused, "the answer would lack what was searched for",
     idle_if_null},
    {Field::frequency_penalty, "frequency_penalty", Fate::dropped, "has no equal", idle_if_falsy},
    {Field::presence_penalty, "presence_penalty", Fate::dropped, "has no equal", idle_if_falsy},
    {Field::logit_bias, "logit_bias", Fate::dropped, "names another model's tokens", idle_if_falsy},
    {Field::top_logprobs, "top_logprobs", Fate::dropped, "has no equal", idle_if_falsy},
    {Field::seed, "seed", Fate::dropped, "has no equal", idle_if_null},
    {Field::verbosity, "verbosity", Fate::dropped, "has no equal", idle_if_null},
    {Field::audio, "audio", Fate::dropped, "has no equal", idle_if_null},
    {Field::prediction, "prediction", Fate::dropped, "has no equal", idle_if_null},
    {Field::store, "store", Fate::dropped, "nothing is stored", idle_if_falsy},
    {Field::prompt_cache_key, "prompt_cache_key", Fate::dropped, "has no equal", idle_if_null},
    {Field::prompt_cache_retention, "prompt_cache_retention", Fate::dropped, "has no equal", idle_if_null},
    {Field::moderation, "moderation", Fate::dropped, "has no equal", idle_if_null},
    {Field::message_name, "messages[].name", Fate::dropped, "turns have no names", idle_if_falsy},
    {Field::message_refusal, "messages[].refusal", Fate::mapped, "a text"},
    {Field::message_audio, "messages[].audio", Fate::refused, "was said elsewhere", idle_if_null},
    {Field::message_tool_calls, "messages[].tool_calls", Fate::mapped,
     "`tool_use`, after the thinking that belongs there; ids that the API does not take are rewritten"},
    {Field::message_function_call, "messages[].function_call", Fate::mapped, "the same, with an id of its own"},
    {Field::message_reasoning, "messages[].reasoning_content", Fate::mapped,
     "left out: what was thought before a call the gateway has kept"},
    {Field::part_text, "content[].text", Fate::mapped, "a text; blank ones are left out"},
    {Field::part_image, "content[].image_url", Fate::mapped,
     "`image`: https, or a data URL of JPEG, PNG, GIF or WebP; others are refused"},
    {Field::part_image_detail, "content[].image_url.detail", Fate::dropped, "has no equal", idle_if_falsy},
    {Field::part_file, "content[].file", Fate::mapped, "`document`: a PDF or text as a data URL; others are refused"},
    {Field::part_file_id, "content[].file.file_id", Fate::refused, "is stored elsewhere", idle_if_null},
    {Field::part_input_audio, "content[].input_audio", Fate::refused, "cannot be heard", idle_if_null},
    {Field::part_cache, "content[].cache_control", Fate::mapped, "the last four marks; 12h as 1h, 30m as 5m"},
    {Field::part_breakpoint, "content[].prompt_cache_breakpoint", Fate::mapped, "`cache_control`"},
    {Field::tool_function, "tools[].function", Fate::mapped, "name, description, parameters as `input_schema`"},
    {Field::tool_strict, "tools[].function.strict", Fate::mapped,
     "as it is, the schema cleaned; dropped where the model or the schema does not allow it"},
    {Field::tool_custom, "tools[].custom", Fate::mapped, "a tool with one string, which is taken out of the answer"},
    {Field::tool_custom_format, "tools[].custom.format", Fate::dropped,
     "a grammar is told in the description and not enforced", idle_if_null},
    {Field::tool_cache, "tools[].cache_control", Fate::mapped, "as in content"},
}};

static_assert([] {
  for (std::size_t at = 0; at < chat_fields.size(); ++at)
    if (static_cast<std::size_t>(chat_fields[at].field) != at) return false;
  return true;
}());

constexpr const ChatField& chat_field(Field field) { return chat_fields[static_cast<std::size_t>(field)]; }

}  // namespace tollgate::protocol::anthropic::request
