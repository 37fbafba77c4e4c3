// A message request as a chat completion. Every member is looked up in the one table of fields; what has an equal is
// gathered first, since the body comes in any order, and then written in the order that people write chats in.
#include "tollgate/protocol/anthropic/to_chat.hpp"

#include "protocol/anthropic/inbound/chat_tools.hpp"
#include "protocol/anthropic/inbound/chat_turns.hpp"
#include "protocol/anthropic/inbound/message_fields.hpp"
#include "protocol/anthropic/inbound/strict_schema.hpp"
#include "protocol/anthropic/inbound/to_chat_notes.hpp"
#include "protocol/anthropic/inbound/tool_ids.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"
#include "protocol/json_write.hpp"

#include <array>

namespace tollgate::protocol::anthropic {

using namespace inbound;
namespace {

using json::Kind;
using json::pick;
using json::Value;
using json::Writer;

std::string text_of(const Value& value) {
  return value.kind == Kind::string ? json::decode_lossy(value.inside()) : std::string();
}

class ChatWriter {
 public:
  ChatWriter(std::string_view request, const ToChat& terms) : request_(request), terms_(terms) {}
  Result<ChatRequest> run();

 private:
  bool gather();
  bool take_member(std::string_view name, const Value& value);
  bool write();
  bool write_limits(Writer& out);
  bool write_numbers(Writer& out);
  bool write_stream(Writer& out);
  bool write_reasoning(Writer& out);
  bool write_format(Writer& out);
  void write_user(Writer& out);
  bool write_tier(Writer& out);

  const Value& operator[](std::size_t field) const { return values_[field]; }

  std::string_view request_;
  const ToChat& terms_;
  std::array<Value, message_fields.size()> values_{};
  Value output_config_, metadata_;
  Notes notes_;
  std::string body_;
};

Result<ChatRequest> ChatWriter::run() {
  // One level deeper than the chat, whose tools nest once more. From here on every value is known to be valid.
  if (!json::is_valid(request_, json::max_depth - 1)) {
    notes_.refuse("the request body is not valid JSON, or nested more than 63 levels deep", "");
  } else if (gather()) {
    write();
  }
  if (terms_.strict && !notes_.failure()) {
    if (const std::string loss = notes_.loss(); !loss.empty())
      notes_.refuse("'" + loss + "' cannot be kept for the provider of this model", loss);
  }
  if (notes_.failure()) return *notes_.failure();
  return ChatRequest{.body = std::move(body_), .dropped = notes_.names()};
}

bool ChatWriter::gather() {
  json::Reader reader(request_);
  if (!reader.enter_object()) return notes_.refuse("the request body must be a JSON object", "");
  while (reader.next_member()) {
    const std::string name(reader.key());
    if (!take_member(name, reader.take())) return false;
  }
  const auto [effort, format] = pick<2>(output_config_.text, {"effort", "format"});
  values_[message_field("output_config.effort")] = effort;
  values_[message_field("output_config.format")] = format;
  values_[message_field("metadata.user_id")] = pick(metadata_.text, "user_id");
  return true;
}

/// One of the body's own members.
bool ChatWriter::take_member(std::string_view name, const Value& value) {
  const bool inner = name.find('.') != name.npos;
  const auto field = inner ? std::nullopt : find_message_field("", name);
  Value* const place = name == "output_config" ? &output_config_
                       : name == "metadata"    ? &metadata_
                       : field                 ? &values_[*field]
                                               : nullptr;
  if (place == nullptr) return notes_.leave_out_unknown(name), true;
  if (place->kind != Kind::none) return notes_.refuse("'" + std::string(name) + "' is given twice", name);
  *place = value;
  if (!field || !value.truthy()) return true;
  const Fate fate = message_fields[*field].fate;
  if (fate == Fate::ignored || fate == Fate::dropped) notes_.leave_out(*field);
  if (fate != Fate::refused) return true;
  if (name == "inference_geo" && value.text == "\"global\"") return notes_.leave_out(*field), true;
  return notes_.refuse("'" + std::string(name) + "' cannot be kept for the provider of this model", name);
}

bool ChatWriter::write() {
  body_.reserve(request_.size() + request_.size() / 8 + 256);
  Writer out(body_);
  out.open_object().key("model").text(terms_.model).key("messages").open_array();
  if (!write_turns((*this)[message_field("system")], (*this)[message_field("messages")], out, notes_)) return false;
  out.close_array();
  const bool whole = write_limits(out) && write_numbers(out) && write_stream(out) &&
                     write_tools((*this)[message_field("tools")], (*this)[message_field("tool_choice")], out, notes_) &&
                     write_reasoning(out) && write_format(out) && write_tier(out);
  write_user(out);
  out.close_object();
  return whole;
}

bool ChatWriter::write_limits(Writer& out) {
  if (const Value& limit = (*this)[message_field("max_tokens")]; limit.is_given()) {
    const auto tokens = limit.kind == Kind::number ? json::whole_number(limit.text) : std::nullopt;
    if (!tokens || *tokens < 1) return notes_.refuse("'max_tokens' must be a whole number of at least 1", "max_tokens");
    out.key(terms_.max_completion_tokens ? "max_completion_tokens" : "max_tokens").raw(limit.text);
  }
  const Value& stops = (*this)[message_field("stop_sequences")];
  if (!stops.is_given()) return true;
  if (stops.kind != Kind::array) return notes_.refuse("'stop_sequences' must be a list", "stop_sequences");
  if (stops.truthy()) out.key("stop").raw(stops.text);
  return true;
}

bool ChatWriter::write_numbers(Writer& out) {
  for (const std::size_t field : {message_field("temperature"), message_field("top_p")}) {
    const Value& value = (*this)[field];
    const std::string_view name = message_fields[field].name;
    if (!value.is_given()) continue;
    if (value.kind != Kind::number) return notes_.refuse("'" + std::string(name) + "' must be a number", name);
    out.key(name).raw(value.text);
  }
  return true;
}

bool ChatWriter::write_stream(Writer& out) {
  const Value& stream = (*this)[message_field("stream")];
  if (!stream.is_given()) return true;
  if (stream.kind != Kind::boolean) return notes_.refuse("'stream' must be true or false", "stream");
  out.key("stream").raw(stream.text);
  if (stream.is_true() && terms_.inject_usage)
    out.key("stream_options").open_object().key("include_usage").boolean(true).close_object();
  return true;
}

bool ChatWriter::write_reasoning(Writer& out) {
  constexpr std::int64_t low_below = 2048, medium_below = 8192;
  const Value& thinking = (*this)[message_field("thinking")];
  const Value& effort = (*this)[message_field("output_config.effort")];
  const auto [type, budget] = pick<2>(thinking.text, {"type", "budget_tokens"});
  const std::string kind = text_of(type);
  if (thinking.is_given() && kind.empty()) return notes_.refuse("'thinking' needs a 'type'", "thinking");
  if (kind == "disabled") {
    notes_.leave_out(message_field("thinking"));
    if (effort.is_given()) notes_.leave_out(message_field("output_config.effort"));
  } else if (effort.is_given()) {
    if (effort.kind != Kind::string)
      return notes_.refuse("'output_config.effort' must be a string", "output_config.effort");
    out.key("reasoning_effort").raw(effort.text);
  } else if (const auto tokens = budget.kind == Kind::number ? json::whole_number(budget.text) : std::nullopt; tokens) {
    out.key("reasoning_effort").text(*tokens < low_below ? "low" : *tokens < medium_below ? "medium" : "high");
  }
  return true;
}

bool ChatWriter::write_format(Writer& out) {
  const Value& newer = (*this)[message_field("output_config.format")];
  const Value& format = !newer.is_given() ? (*this)[message_field("output_format")] : newer;
  if (!format.is_given()) return true;
  const auto [type, schema] = pick<2>(format.text, {"type", "schema"});
  if (text_of(type) != "json_schema" || schema.kind != Kind::object)
    return notes_.refuse("'output_config.format' must be a json_schema with a 'schema'", "output_config.format");
  out.key("response_format").open_object().key("type").raw("\"json_schema\"").key("json_schema");
  out.open_object().key("name").raw("\"answer\"").key("schema").raw(schema.text);
  out.key("strict").boolean(fits_strict(schema.text)).close_object().close_object();
  return true;
}

void ChatWriter::write_user(Writer& out) {
  const std::string user = text_of((*this)[message_field("metadata.user_id")]);
  if (!user.empty()) out.key("user").text(stand_in(user));
}

bool ChatWriter::write_tier(Writer& out) {
  const Value& tier = (*this)[message_field("service_tier")];
  if (!tier.is_given() || tier.text == "\"auto\"") return true;
  if (tier.text != "\"standard_only\"")
    return notes_.refuse("'service_tier' must be auto or standard_only", "service_tier");
  out.key("service_tier").raw("\"default\"");
  return true;
}

}  // namespace

Result<ChatRequest> to_chat(std::string_view message_request, const ToChat& terms) {
  return ChatWriter(message_request, terms).run();
}

}  // namespace tollgate::protocol::anthropic
