#include "simulator/answers.hpp"
#include "simulator/messages_ask.hpp"
#include "simulator/plan.hpp"
#include "simulator/words.hpp"

#include <algorithm>

namespace tollgate::simulator {

namespace {

/// How many parts of an answer have text of their own.
std::size_t parts_of(const Call& call) {
  if (call.messages && call.refuses) return 0;
  if (call.tools.empty()) return 1;
  if (!call.messages) return call.tools.size();
  const auto speaks = [](const CalledTool& tool) { return !tool.takes_nothing; };
  return static_cast<std::size_t>(std::count_if(call.tools.begin(), call.tools.end(), speaks));
}

TokenText text_for(const Call& call, const Plan& plan) {
  return call.fixed_text ? TokenText(*call.fixed_text) : TokenText(part_seed(plan.text_seed, 0, 0));
}

/// Ends the text before the first stop sequence in it.
void apply_stop(const Call& call, const std::vector<std::string>& sequences, Plan& plan) {
  std::string whole;
  TokenText text = text_for(call, plan);
  const std::size_t limit = std::min(plan.answer_tokens, call.max_tokens.value_or(plan.answer_tokens));
  for (std::size_t i = 0; i < limit; ++i) text.next(whole);
  for (const std::string& sequence : sequences) {
    const std::size_t at = whole.find(sequence);
    if (at != std::string::npos && (!plan.stop || at < plan.stop->bytes)) plan.stop = StopAt{sequence, at};
  }
  if (!plan.stop) return;
  TokenText again = text_for(call, plan);
  std::string before;
  std::size_t tokens = 0;
  for (; before.size() < plan.stop->bytes; ++tokens) again.next(before);
  plan.answer_tokens = tokens;
}

}  // namespace

void shape(const Call& call, Plan& plan) {
  if (call.fixed_text) plan.answer_tokens = count_pieces(*call.fixed_text);
  if (!call.messages) return;
  const MessagesAsk& ask = *call.messages;
  if (ask.thinks && ask.shows_thinking && !call.refuses) plan.thinking_tokens = (plan.answer_tokens + 1) / 2;
  const bool says_text = call.tools.empty() && !call.refuses;
  if (says_text && !ask.stop_sequences.empty()) apply_stop(call, ask.stop_sequences, plan);
}

std::size_t uncut_length(const Call& call, const Plan& plan) {
  return plan.thinking_tokens + parts_of(call) * plan.answer_tokens;
}

std::size_t answer_length(const Call& call, const Plan& plan) {
  const std::size_t length = uncut_length(call, plan);
  return std::min(length, call.max_tokens.value_or(length));
}

}  // namespace tollgate::simulator
