#pragma once
// What becomes of each field of a message request that goes to a provider of the chat API: one table that the
// translation goes by and that docs/messages.md prints.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

enum class Fate : std::uint8_t {
  mapped,   ///< has an equal, or as good as one
  ignored,  ///< left out without a loss, and named as such; never a reason to refuse
  dropped,  ///< left out, with a loss that the answer can bear, and named; refused where translation is strict
  refused   ///< has no equal and would change what the answer means
};
std::string_view name_of(Fate fate);

struct MessageField {
  std::string_view
      name;  ///< of the request; after `content.` a kind of block or a member of any, after `tools.` of a tool
  Fate fate;
  std::string_view how;
};

// size: exempt, a table
inline constexpr auto message_fields = std::to_array<MessageField>({
    {"model", Fate::mapped, "the provider's name of it"},
    {"max_tokens", Fate::mapped, "`max_completion_tokens` or `max_tokens`, as the provider calls it; 0 is refused"},
    {"system", Fate::mapped, "one `system` message before all others, blocks with an empty line between them"},
    {"messages", Fate::mapped, "turn by turn; `system` turns stay where they stand"},
    {"stop_sequences", Fate::mapped, "`stop`, all of them: OpenAI itself refuses more than four"},
    {"stream", Fate::mapped, "`stream`, with `stream_options.include_usage`"},
    {"temperature", Fate::mapped, "`temperature`"},
    {"top_p", Fate::mapped, "`top_p`"},
    {"top_k", Fate::dropped, "the chat API has none"},
    {"tools", Fate::mapped, "functions; see below"},
    {"tool_choice", Fate::mapped,
     "`auto`, `any` as `required`, `tool` as that function, `none`; dropped without tools"},
    {"tool_choice.disable_parallel_tool_use", Fate::mapped, "`parallel_tool_calls: false`"},
    {"thinking", Fate::mapped,
     "`reasoning_effort` by its budget: below 2,048 `low`, below 8,192 `medium`, else `high`; `adaptive` leaves it to "
     "the "
     "provider; `disabled` has no equal that every model takes, so it and the effort are dropped"},
    {"output_config.effort", Fate::mapped, "`reasoning_effort`, before what `thinking` says"},
    {"output_config.format", Fate::mapped,
     "`response_format` with the schema as it is; `strict` where OpenAI's rules allow it: every object closed, every "
     "property required"},
    {"output_format", Fate::mapped, "an older name of `output_config.format`"},
    {"metadata.user_id", Fate::mapped, "`user`: the first 16 bytes of its SHA-256 in hex"},
    {"service_tier", Fate::mapped, "`standard_only` is `default`; `auto` is what is meant without it"},
    {"cache_control", Fate::ignored, "wherever it stands: the chat API's providers cache by themselves"},
    {"betas", Fate::ignored, "what they turn on is seen by its own field"},
    {"diagnostics", Fate::ignored, "for Anthropic only"},
    {"context_management", Fate::dropped, "the history goes out whole"},
    {"speed", Fate::dropped, "a matter of Anthropic's prices"},
    {"inference_geo", Fate::refused, "where the data goes is not for a translation to decide; `global` is dropped"},
    {"container", Fate::refused, "runs at Anthropic"},
    {"mcp_servers", Fate::refused, "are called by Anthropic; an empty list is fine"},
    {"content.text", Fate::mapped, "a text part, or the content where it is the only one"},
    {"content.image", Fate::mapped, "`image_url`: base64 as a `data:` link, `http` and `https` links as they are"},
    {"content.document", Fate::mapped,
     "base64 PDF as a `file` part; text and blocks as text with title and context before it; links and `file_id` are "
     "refused"},
    {"content.search_result", Fate::mapped, "a text part of title, source and texts"},
    {"content.tool_use", Fate::mapped, "an entry of `tool_calls`; the input as text, its order and numbers kept"},
    {"content.tool_result", Fate::mapped,
     "a `tool` message, before what else is in the turn; with `is_error` it begins with \"Error: \"; what is no text "
     "follows "
     "in a user message"},
    {"content.tool_reference", Fate::mapped, "the tool's name as text"},
    {"content.thinking", Fate::ignored, "the chat API has no place for earlier thinking"},
    {"content.redacted_thinking", Fate::ignored, "as above"},
    {"content.citations", Fate::dropped, "the provider cites nothing"},
    {"content.file_id", Fate::refused, "the file lies at Anthropic"},
    {"tools.name", Fate::mapped, "`function.name`; OpenAI itself refuses more than 64 characters"},
    {"tools.description", Fate::mapped, "`function.description`"},
    {"tools.input_schema", Fate::mapped, "`function.parameters`"},
    {"tools.strict", Fate::mapped, "`function.strict` where the schema follows OpenAI's rules, else dropped"},
    {"tools.type", Fate::mapped,
     "`custom`; `bash_*`, `text_editor_*` and `memory_*` become functions of the same inputs; all others run at "
     "Anthropic, or "
     "need its models, and are refused"},
    {"tools.defer_loading", Fate::ignored, "all tools are sent at once"},
    {"tools.eager_input_streaming", Fate::ignored, "inputs are streamed as they come"},
    {"tools.input_examples", Fate::dropped, "the chat API has none"},
    {"tools.allowed_callers", Fate::dropped, "only the model calls tools"},
});

/// Its place in the table.
constexpr std::optional<std::size_t> find_message_field(std::string_view prefix, std::string_view name) {
  for (std::size_t at = 0; at < message_fields.size(); ++at) {
    const std::string_view field = message_fields[at].name;
    if (field.size() == prefix.size() + name.size() && field.starts_with(prefix) && field.ends_with(name)) return at;
  }
  return std::nullopt;
}

/// The same of a name that is in it.
consteval std::size_t message_field(std::string_view name) { return find_message_field("", name).value(); }

}  // namespace tollgate::protocol::anthropic::inbound
