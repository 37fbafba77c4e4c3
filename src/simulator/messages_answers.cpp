// Answers of the Messages endpoint: which blocks there are, what each says, and the message that holds them all. The
// stream says the same piece by piece, so all that both need is here.
#include "simulator/messages_ask.hpp"
#include "simulator/messages_content.hpp"
#include "simulator/thinking.hpp"

#include <algorithm>

namespace tollgate::simulator {

namespace {

using Kind = ContentBlock::Kind;

constexpr std::uint64_t thinking_part = 0x7468696e6b;  // far from those of calls
constexpr const char* refusal_explanation = "The simulator was asked for a refusal.";

/// The value of what a call's text says; nothing of a text that was cut.
OrderedJson input_of(const std::string& text) {
  OrderedJson input = OrderedJson::parse(text, nullptr, false);
  return input.is_object() ? input : OrderedJson::object();
}

OrderedJson finished_block(const ContentBlock& block, const Call& call, const Plan& plan, const Identity& identity) {
  std::string said;
  BlockText text(block, call, plan);
  while (!text.at_end()) text.next(said);
  OrderedJson json = opened_block(block, call, plan, identity);
  switch (block.kind) {
    case Kind::thinking:
      json["thinking"] = said;
      json["signature"] = signature_of(said);
      break;
    case Kind::redacted: break;
    case Kind::text: json["text"] = said; break;
    case Kind::call: json["input"] = input_of(said); break;
  }
  return json;
}

TokenText source_of(const ContentBlock& block, const Call& call, const Plan& plan) {
  if (block.kind == Kind::text && call.fixed_text) return TokenText(*call.fixed_text);
  return TokenText(part_seed(plan.text_seed, 0, block.kind == Kind::thinking ? thinking_part : block.index));
}

}  // namespace

std::vector<ContentBlock> content_blocks(const Call& call, const Plan& plan) {
  std::vector<ContentBlock> blocks;
  if (call.choices == 0 || call.refuses) return blocks;
  std::size_t left = answer_length(call, plan);
  bool cut = call.max_tokens == 0;
  const auto add = [&](Kind kind, std::size_t tokens, std::size_t index = 0) {
    if (cut) return;
    const std::size_t given = std::min(tokens, left);
    left -= given;
    cut = given < tokens;
    if (given > 0 || tokens == 0) blocks.push_back({kind, given, !cut, index});
  };
  if (call.messages->thinks) add(Kind::thinking, plan.thinking_tokens);
  if (call.messages->redacts) add(Kind::redacted, 0);
  if (call.tools.empty() && plan.answer_tokens > 0) add(Kind::text, plan.answer_tokens);
  for (std::size_t i = 0; i < call.tools.size(); ++i) {
    add(Kind::call, call.tools[i].takes_nothing ? 0 : plan.answer_tokens, i);
  }
  return blocks;
}

BlockText::BlockText(const ContentBlock& block, const Call& call, const Plan& plan)
    : text_(source_of(block, call, plan)),
      tokens_(block.tokens),
      room_(block.kind == Kind::text && plan.stop ? plan.stop->bytes : std::string::npos),
      call_(block.kind == Kind::call),
      whole_(block.whole) {}

void BlockText::next(std::string& out) {
  if (call_ && given_ == 0) out += R"({"text":")";
  const std::size_t before = out.size();
  text_.next(out);
  if (out.size() - before > room_) out.resize(before + room_);
  if (room_ != std::string::npos) room_ -= out.size() - before;
  ++given_;
  if (call_ && whole_ && at_end()) out += R"("})";
}

OrderedJson opened_block(const ContentBlock& block, const Call& call, const Plan& plan, const Identity& identity) {
  OrderedJson json;
  switch (block.kind) {
    case Kind::thinking:
      json["type"] = "thinking";
      json["thinking"] = "";
      json["signature"] = "";
      return json;
    case Kind::redacted:
      json["type"] = "redacted_thinking";
      json["data"] = redacted_data(std::to_string(plan.text_seed));
      return json;
    case Kind::text:
      json["type"] = "text";
      json["text"] = "";
      return json;
    case Kind::call: break;
  }
  const std::string_view prefix = call.messages->thinks ? thought_call_prefix : plain_call_prefix;
  json["type"] = "tool_use";
  json["id"] = std::string(prefix) + identity.suffix + std::to_string(block.index);
  json["name"] = call.tools[block.index].name;
  json["input"] = OrderedJson::object();
  return json;
}

std::string_view stop_reason(const Call& call, const Plan& plan) {
  if (call.max_tokens == 0) return "max_tokens";
  if (call.refuses) return "refusal";
  if (is_cut(call, plan)) return "max_tokens";
  if (!call.tools.empty()) return "tool_use";
  return plan.stop ? "stop_sequence" : "end_turn";
}

void add_stop(OrderedJson& object, const Call& call, const Plan& plan) {
  const std::string_view reason = stop_reason(call, plan);
  object["stop_reason"] = reason;
  object["stop_sequence"] = reason == "stop_sequence" ? OrderedJson(plan.stop->sequence) : OrderedJson(nullptr);
  object["stop_details"] = nullptr;
  if (reason != "refusal") return;
  object["stop_details"] = {{"type", "refusal"}, {"category", "general_harms"}, {"explanation", refusal_explanation}};
}

OrderedJson messages_usage(const Call& call, const Plan& plan, std::size_t output, std::size_t thought) {
  const CacheUse& cache = plan.cache;
  OrderedJson usage;
  usage["input_tokens"] = call.prompt_tokens - cache.all();
  usage["cache_creation_input_tokens"] = cache.written_5m + cache.written_1h;
  usage["cache_read_input_tokens"] = cache.read;
  usage["cache_creation"] = {{"ephemeral_5m_input_tokens", cache.written_5m},
                             {"ephemeral_1h_input_tokens", cache.written_1h}};
  usage["output_tokens"] = output;
  usage["output_tokens_details"] = {{"thinking_tokens", thought}};
  usage["server_tool_use"] = nullptr;
  usage["service_tier"] = "standard";
  return usage;
}

OrderedJson message_shell(const Call&, const Plan&, const Identity& identity) {
  OrderedJson message;
  message["id"] = "msg_sim_" + identity.suffix;
  message["type"] = "message";
  message["role"] = "assistant";
  message["model"] = identity.model;
  message["content"] = OrderedJson::array();
  return message;
}

Answer messages_answer(const Call& call, const Plan& plan, const Identity& identity) {
  OrderedJson message = message_shell(call, plan, identity);
  std::size_t tokens = 0, thought = 0;
  for (const ContentBlock& block : content_blocks(call, plan)) {
    message["content"].push_back(finished_block(block, call, plan, identity));
    tokens += block.tokens;
    if (block.kind == Kind::thinking) thought = block.tokens;
  }
  add_stop(message, call, plan);
  message["usage"] = messages_usage(call, plan, tokens, thought);
  Answer answer;
  answer.completion_tokens = tokens;
  answer.body = text_of_json(message);
  return answer;
}

Answer count_tokens_answer(const Call& call) {
  OrderedJson body;
  body["input_tokens"] = call.prompt_tokens;
  Answer answer;
  answer.body = text_of_json(body);
  return answer;
}

}  // namespace tollgate::simulator
