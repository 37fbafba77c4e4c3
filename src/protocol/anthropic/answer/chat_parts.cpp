// Small pieces of answers, each in the words of both APIs. What a provider has written as JSON text goes over as it is
// wherever it is valid: nothing is decoded only to be escaped again.
#include "protocol/anthropic/answer/chat_parts.hpp"

#include "protocol/json_text.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::answer {
namespace {

using json::Value;

bool is_plain_ascii(std::string_view inside) {
  return std::ranges::none_of(inside, [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; }) &&
         inside.find("\\u") == inside.npos;
}

}  // namespace

std::string_view clean(std::string_view inside, std::string& scratch) {
  if (is_plain_ascii(inside) || json::decode(inside)) return inside;
  scratch.clear();
  json::append_escaped(scratch, json::decode_lossy(inside));
  return scratch;
}

std::uint64_t count_characters(std::string_view inside) {
  const bool plain = inside.find('\\') == inside.npos && is_plain_ascii(inside);
  if (plain) return inside.size();
  const std::string text = json::decode_lossy(inside);
  const auto begins = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
  return static_cast<std::uint64_t>(std::ranges::count_if(text, begins));
}

std::string compact(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char byte = json[at];
    if (in_string && byte == '\\' && at + 1 < json.size()) {
      out += byte;
      ++at;
    } else if (byte == '"') {
      in_string = !in_string;
    } else if (!in_string && (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')) {
      continue;
    }
    out += json[at];
  }
  return out;
}

Call read_call(const Value& id, const Value& name, const ChatShape& shape, std::string_view request_id,
               std::uint64_t number) {
  Call call{json::decode_lossy(inside_of(id)), json::decode_lossy(inside_of(name))};
  if (call.id.empty()) call.id = "call_" + std::string(request_id) + "_" + std::to_string(number);
  call.is_custom = std::ranges::find(shape.custom_tools, call.name) != shape.custom_tools.end();
  return call;
}

void write_call(json::Writer& writer, const Call& call, std::string_view input) {
  const std::string_view kind = call.is_custom ? "custom" : "function";
  writer.key("id").text(call.id).key("type").text(kind).key(kind).open_object();
  writer.key("name").text(call.name).key(call.is_custom ? "input" : "arguments").escaped(input).close_object();
}

std::string read_citation(std::string_view citation) {
  const auto [url, title] = json::pick<2>(citation, {"url", "title"});
  std::string members, scratch;
  if (inside_of(url).empty()) return members;
  json::Writer writer(members);
  writer.key("url").escaped(clean(inside_of(url), scratch));
  writer.key("title").escaped(clean(inside_of(title), scratch));
  return members;
}

void write_annotation(json::Writer& writer, std::string_view citation, std::uint64_t begin, std::uint64_t end) {
  writer.open_object().key("type").text("url_citation").key("url_citation").open_object();
  writer.key("start_index").number(begin).key("end_index").number(end).raw(citation).close_object().close_object();
}

std::string_view finish_reason(const Value& stop_reason, bool calls) {
  if (is(stop_reason, "max_tokens") || is(stop_reason, "model_context_window_exceeded")) return "length";
  if (is(stop_reason, "refusal")) return "content_filter";
  return calls ? "tool_calls" : "stop";
}

std::string refusal_text(const Value& stop_details) {
  const auto [explanation, category] = json::pick<2>(stop_details.text, {"explanation", "category"});
  if (!inside_of(explanation).empty()) return json::decode_lossy(explanation.inside());
  std::string text = "refused by the provider";
  if (!inside_of(category).empty()) text += ": " + json::decode_lossy(category.inside());
  return text;
}

void write_head(json::Writer& writer, std::string_view object, const AnswerNames& names) {
  writer.key("id").text("chatcmpl-" + std::string(names.id)).key("object").text(object);
  writer.key("created").number(static_cast<std::uint64_t>(std::max<std::int64_t>(names.created, 0)));
  writer.key("model").text(names.model);
}

void write_usage(json::Writer& writer, const Usage& usage) {
  writer.open_object();
  writer.key("prompt_tokens").number(usage.input).key("completion_tokens").number(usage.output);
  writer.key("total_tokens").number(usage.input + usage.output);
  writer.key("prompt_tokens_details").open_object().key("cached_tokens").number(usage.cached_input);
  writer.key("cache_write_tokens").number(usage.cache_write + usage.cache_write_long).close_object();
  if (usage.reasoning > 0)
    writer.key("completion_tokens_details")
        .open_object()
        .key("reasoning_tokens")
        .number(usage.reasoning)
        .close_object();
  writer.close_object();
}

}  // namespace tollgate::protocol::anthropic::answer
