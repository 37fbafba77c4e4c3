#include "simulator/answers.hpp"
#include "simulator/json.hpp"

namespace tollgate::simulator {

namespace {

Json chat_choice(const Call& call, const Plan& plan, const Identity& identity, std::size_t index) {
  const std::string text = ChoiceText(call, plan, index).rest();
  Json message;
  message["role"] = "assistant";
  message["content"] = call.tool ? Json(nullptr) : Json(text);
  message["refusal"] = nullptr;
  message["annotations"] = Json::array();
  if (call.tool) {
    Json tool_call;
    tool_call["id"] = "call_" + identity.suffix + std::to_string(index);
    tool_call["type"] = "function";
    tool_call["function"]["name"] = *call.tool;
    tool_call["function"]["arguments"] = text;
    message["tool_calls"] = Json::array({tool_call});
  }
  Json choice;
  choice["index"] = index;
  choice["message"] = std::move(message);
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(call, plan);
  return choice;
}

Json completion_choice(const Call& call, const Plan& plan, std::size_t index) {
  Json choice;
  choice["text"] = ChoiceText(call, plan, index).rest();
  choice["index"] = index;
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(call, plan);
  return choice;
}

Answer whole(const Call& call, const Plan& plan, const Identity& identity, Json choices) {
  const bool chat = call.endpoint == Endpoint::chat;
  Answer answer;
  answer.completion_tokens = answer_length(call, plan) * call.choices;
  Json body;
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

Answer chat_answer(const Call& call, const Plan& plan, const Identity& identity) {
  Json choices = Json::array();
  for (std::size_t i = 0; i < call.choices; ++i) choices.push_back(chat_choice(call, plan, identity, i));
  return whole(call, plan, identity, std::move(choices));
}

Answer completion_answer(const Call& call, const Plan& plan, const Identity& identity) {
  Json choices = Json::array();
  for (std::size_t i = 0; i < call.choices; ++i) choices.push_back(completion_choice(call, plan, i));
  return whole(call, plan, identity, std::move(choices));
}

}  // namespace tollgate::simulator
