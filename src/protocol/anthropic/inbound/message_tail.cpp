#include "protocol/anthropic/inbound/message_tail.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::inbound {
namespace {

std::string_view stop_reason(const Ending& ending) {
  const std::string_view finish = ending.finish_reason;
  if (ending.calls && !(finish == "length" && ending.cut_short)) return "tool_use";
  if (finish == "length") return "max_tokens";
  if (finish == "content_filter" || !ending.refusal.empty()) return "refusal";
  return "end_turn";
}

}  // namespace

void write_ending(json::Writer& out, const Ending& ending) {
  const std::string_view reason = stop_reason(ending);
  out.key("stop_reason").text(reason).key("stop_sequence").null();
  if (reason != "refusal") return;
  out.key("stop_details").open_object().key("type").raw("\"refusal\"").key("category").null().key("explanation");
  ending.refusal.empty() ? out.null() : out.escaped(ending.refusal);
  out.close_object();
}

void write_usage(json::Writer& out, const std::optional<Usage>& usage) {
  const Usage counts = usage.value_or(Usage());
  const std::uint64_t written = counts.cache_write + counts.cache_write_long;
  out.open_object();
  out.key("input_tokens").number(counts.input - std::min(counts.input, counts.cached_input + written));
  out.key("cache_creation_input_tokens").number(written);
  out.key("cache_read_input_tokens").number(counts.cached_input);
  out.key("output_tokens").number(counts.output);
  if (counts.reasoning > 0)
    out.key("output_tokens_details").open_object().key("thinking_tokens").number(counts.reasoning).close_object();
  out.close_object();
}

}  // namespace tollgate::protocol::anthropic::inbound
