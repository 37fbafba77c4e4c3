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
    case Endpoint::embeddings:
    case Endpoint::moderations: return nullptr;
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
  }
  return {};
}

}  // namespace

ChoiceText::ChoiceText(const Call& call, const Plan& plan, std::size_t index)
    // Random scrambles, so that neighbouring choices do not tell shifted copies of one text.
    : words_(Random(plan.text_seed + index)()),
      total_(answer_length(call, plan)),
      whole_(!is_cut(call, plan)),
      tool_(call.tool.has_value()) {}

void ChoiceText::next(std::string& out) {
  if (tool_ && given_ == 0) out += R"({"text":")";
  if (given_ > 0) out += ' ';
  out += words_.next();
  ++given_;
  if (tool_ && whole_ && at_end()) out += R"("})";
}

std::string ChoiceText::rest() {
  std::string text;
  while (!at_end()) next(text);
  return text;
}

std::size_t answer_length(const Call& call, const Plan& plan) {
  return std::min(plan.answer_tokens, call.max_tokens.value_or(plan.answer_tokens));
}

bool is_cut(const Call& call, const Plan& plan) { return answer_length(call, plan) < plan.answer_tokens; }

std::string_view finish_reason(const Call& call, const Plan& plan) {
  if (is_cut(call, plan)) return "length";
  return call.tool ? "tool_calls" : "stop";
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
