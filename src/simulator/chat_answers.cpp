#include "simulator/answers.hpp"
#include "simulator/json.hpp"

namespace tollgate::simulator {

namespace {

OrderedJson chat_choice(const Call& call, const Plan& plan, const Identity& identity, std::size_t index) {
  ChoiceText text(call, plan, index);
  OrderedJson message;
  message["role"] = "assistant";
  message["content"] = nullptr;
  message["refusal"] = nullptr;
  message["annotations"] = OrderedJson::array();
  if (call.tools.empty()) message[call.refuses ? "refusal" : "content"] = text.rest();
  for (std::size_t i = 0; i < call.tools.size() && (i == 0 || !text.at_end()); ++i) {
    OrderedJson tool_call;
    tool_call["id"] = chat_call_id(identity, index, i);
    tool_call["type"] = "function";
    tool_call["function"]["name"] = call.tools[i].name;
    tool_call["function"]["arguments"] = text.rest();
    message["tool_calls"].push_back(std::move(tool_call));
  }
  OrderedJson choice;
  choice["index"] = index;
  choice["message"] = std::move(message);
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(call, plan);
  return choice;
}

OrderedJson completion_choice(const Call& call, const Plan& plan, std::size_t index) {
  OrderedJson choice;
  choice["text"] = ChoiceText(call, plan, index).rest();
  choice["index"] = index;
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(call, plan);
  return choice;
}

Answer whole(const Call& call, const Plan& plan, const Identity& identity, OrderedJson choices) {
  const bool chat = call.endpoint == Endpoint::chat;
  Answer answer;
  answer.completion_tokens = answer_length(call, plan) * call.choices;
  OrderedJson body;
  body["id"] = (chat ? "chatcmpl-" : "cmpl-") + identity.suffix;
  body["object"] = chat ? "chat.completion" : "text_completion";
  body["created"] = identity.created;
  body["model"] = identity.model;
  body["choices"] = std::move(choices);
  body["usage"] = usage_json(call.prompt_tokens, answer.completion_tokens);
  body["service_tier"] = "default";
  body["system_fingerprint"] = "fp_simulator";
  answer.body = text_of_json(body);
  return answer;
}

}  // namespace

std::string chat_call_id(const Identity& identity, std::size_t choice, std::size_t part) {
  return "call_" + identity.suffix + std::to_string(choice) + (part == 0 ? "" : "_" + std::to_string(part));
}

Answer chat_answer(const Call& call, const Plan& plan, const Identity& identity) {
  OrderedJson choices = OrderedJson::array();
  for (std::size_t i = 0; i < call.choices; ++i) choices.push_back(chat_choice(call, plan, identity, i));
  return whole(call, plan, identity, std::move(choices));
}

Answer completion_answer(const Call& call, const Plan& plan, const Identity& identity) {
  OrderedJson choices = OrderedJson::array();
  for (std::size_t i = 0; i < call.choices; ++i) choices.push_back(completion_choice(call, plan, i));
  return whole(call, plan, identity, std::move(choices));
}

}  // namespace tollgate::simulator
