#include "simulator/answers.hpp"

#include <algorithm>
#include <array>

namespace tollgate::simulator {

namespace {

std::string hex_of(std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = digits[(value >> (60 - 4 * i)) & 0xF];
  return text;
}

std::unique_ptr<EventSource> stream_of(const Call& call, const Plan& plan, const Identity& identity) {
  switch (call.endpoint) {
    case Endpoint::chat:
    case Endpoint::completions: return chunk_stream(call, plan, identity);
    case Endpoint::responses: return responses_stream(call, plan, identity);
    case Endpoint::messages: return messages_stream(call, plan, identity);
    case Endpoint::embeddings:
    case Endpoint::moderations:
    case Endpoint::count_tokens: return nullptr;
  }
  return nullptr;
}

Answer whole_answer(const Call& call, const Plan& plan, const Identity& identity) {
  switch (call.endpoint) {
    case Endpoint::chat: return chat_answer(call, plan, identity);
    case Endpoint::completions: return completion_answer(call, plan, identity);
    case Endpoint::embeddings: return embeddings_answer(call, plan, identity);
    case Endpoint::responses: return responses_answer(call, plan, identity);
    case Endpoint::moderations: return moderation_answer(call, identity);
    case Endpoint::messages: return messages_answer(call, plan, identity);
    case Endpoint::count_tokens: return count_tokens_answer(call);
  }
  return {};
}

}  // namespace

std::uint64_t part_seed(std::uint64_t text_seed, std::size_t choice, std::size_t part) {
  constexpr std::uint64_t choices_apart = 1024;
  // Random scrambles, so that neighbours do not tell shifted copies of one text.
  return Random(text_seed + choice + part * choices_apart)();
}

ChoiceText::ChoiceText(const Call& call, const Plan& plan, std::size_t index)
    : text_(call.fixed_text ? TokenText(*call.fixed_text) : TokenText(part_seed(plan.text_seed, index, 0))),
      seed_(plan.text_seed + index),
      each_(plan.answer_tokens),
      total_(answer_length(call, plan)),
      tool_(!call.tools.empty()) {}

void ChoiceText::next(std::string& out) {
  if (tool_ && begins_part()) {
    if (given_ > 0) text_ = TokenText(part_seed(seed_, 0, part()));
    out += R"({"text":")";
  }
  text_.next(out);
  ++given_;
  if (tool_ && begins_part()) out += R"("})";
}

std::string ChoiceText::rest() {
  std::string text;
  const std::size_t now = part();
  while (!at_end() && part() == now) next(text);
  return text;
}

bool is_cut(const Call& call, const Plan& plan) { return answer_length(call, plan) < uncut_length(call, plan); }

std::string_view finish_reason(const Call& call, const Plan& plan) {
  if (is_cut(call, plan)) return "length";
  return call.tools.empty() ? "stop" : "tool_calls";
}

Answer answer_to(const Call& call, Plan& plan, std::int64_t created) {
  Identity identity;
  identity.suffix = hex_of(plan.random());
  identity.model = call.base_model() + "-sim";
  identity.created = created;
  if (call.stream) {
    if (std::unique_ptr<EventSource> events = stream_of(call, plan, identity)) {
      Answer answer;
      answer.content_type = "text/event-stream; charset=utf-8";
      answer.fields.emplace_back("cache-control", "no-cache");
      answer.events = std::move(events);
      return answer;
    }
  }
  return whole_answer(call, plan, identity);
}

}  // namespace tollgate::simulator
