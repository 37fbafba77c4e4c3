// The Responses endpoint, as little of it as shows where usage is and how a stream ends: one message with one text
// part.
#include "simulator/answers.hpp"
#include "simulator/json.hpp"

namespace tollgate::simulator {

namespace {

OrderedJson usage_of(const Call& call, std::size_t output_tokens) {
  OrderedJson usage;
  usage["input_tokens"] = call.prompt_tokens;
  usage["input_tokens_details"]["cached_tokens"] = 0;
  usage["output_tokens"] = output_tokens;
  usage["output_tokens_details"]["reasoning_tokens"] = 0;
  usage["total_tokens"] = call.prompt_tokens + output_tokens;
  return usage;
}

OrderedJson text_part(std::string text) {
  OrderedJson part;
  part["type"] = "output_text";
  part["text"] = std::move(text);
  part["annotations"] = OrderedJson::array();
  return part;
}

OrderedJson message_item(const Identity& identity, const char* status, OrderedJson content) {
  OrderedJson item;
  item["id"] = "msg_" + identity.suffix;
  item["type"] = "message";
  item["status"] = status;
  item["role"] = "assistant";
  item["content"] = std::move(content);
  return item;
}

OrderedJson response_object(const Identity& identity, const char* status, OrderedJson output, OrderedJson usage) {
  OrderedJson response;
  response["id"] = "resp_" + identity.suffix;
  response["object"] = "response";
  response["created_at"] = identity.created;
  response["status"] = status;
  response["error"] = nullptr;
  response["incomplete_details"] = nullptr;
  if (std::string_view(status) == "incomplete") response["incomplete_details"]["reason"] = "max_output_tokens";
  response["model"] = identity.model;
  response["output"] = std::move(output);
  response["parallel_tool_calls"] = true;
  response["tool_choice"] = "auto";
  response["tools"] = OrderedJson::array();
  response["usage"] = std::move(usage);
  return response;
}

OrderedJson final_response(const Call& call, const Plan& plan, const Identity& identity) {
  OrderedJson output = OrderedJson::array();
  if (call.choices > 0) {
    OrderedJson content = OrderedJson::array({text_part(ChoiceText(call, plan, 0).rest())});
    output.push_back(message_item(identity, "completed", std::move(content)));
  }
  const std::size_t tokens = call.choices > 0 ? answer_length(call, plan) : 0;
  return response_object(identity, is_cut(call, plan) ? "incomplete" : "completed", std::move(output),
                         usage_of(call, tokens));
}

class ResponsesStream final : public EventSource {
 public:
  ResponsesStream(const Call& call, const Plan& plan, const Identity& identity)
      : call_(call), plan_(plan), identity_(identity), text_(call, plan, 0) {}

  void opening(std::string& out) override {
    for (const char* type : {"response.created", "response.in_progress"}) {
      OrderedJson event = event_of(type);
      event["response"] = response_object(identity_, "in_progress", OrderedJson::array(), nullptr);
      append(out, event);
    }
    if (call_.choices == 0) return;
    OrderedJson item = event_of("response.output_item.added");
    item["output_index"] = 0;
    item["item"] = message_item(identity_, "in_progress", OrderedJson::array());
    append(out, item);
    OrderedJson part = part_event("response.content_part.added");
    part["part"] = text_part("");
    append(out, part);
  }

  bool token(std::string& out) override {
    if (call_.choices == 0 || text_.at_end()) return false;
    std::string word;
    text_.next(word);
    OrderedJson event = part_event("response.output_text.delta");
    event["delta"] = word;
    append(out, event);
    return true;
  }

  void finish(std::string& out) override {
    if (call_.choices == 0) return;
    // The whole text once more, as the protocol wants it: streams of this endpoint are not for sizes beyond memory.
    const std::string text = ChoiceText(call_, plan_, 0).rest();
    OrderedJson text_done = part_event("response.output_text.done");
    text_done["text"] = text;
    append(out, text_done);
    OrderedJson part_done = part_event("response.content_part.done");
    part_done["part"] = text_part(text);
    append(out, part_done);
    OrderedJson item_done = event_of("response.output_item.done");
    item_done["output_index"] = 0;
    item_done["item"] = message_item(identity_, "completed", OrderedJson::array({text_part(text)}));
    append(out, item_done);
  }

  /// Usage travels in the terminal event.
  void usage(std::string&) override {}

  void done(std::string& out) override {
    OrderedJson event = event_of(is_cut(call_, plan_) ? "response.incomplete" : "response.completed");
    event["response"] = final_response(call_, plan_, identity_);
    append(out, event);
  }

  void malformed(std::string& out) const override {
    out.append(R"(event: response.output_text.delta)"
               "\n"
               R"(data: {"type":"response.output_text.delta","delta":)"
               "\n\n");
  }

  void error(std::string& out) override {
    OrderedJson event = event_of("error");
    event["code"] = "server_error";
    event["message"] = "The server had an error while processing your request.";
    event["param"] = nullptr;
    append(out, event);
  }

 private:
  OrderedJson event_of(const char* type) {
    OrderedJson event;
    event["type"] = type;
    event["sequence_number"] = sequence_++;
    return event;
  }

  OrderedJson part_event(const char* type) {
    OrderedJson event = event_of(type);
    event["item_id"] = "msg_" + identity_.suffix;
    event["output_index"] = 0;
    event["content_index"] = 0;
    return event;
  }

  static void append(std::string& out, const OrderedJson& event) {
    out.append("event: ").append(event["type"].get_ref<const std::string&>());
    out.append("\ndata: ").append(text_of_json(event)).append("\n\n");
  }

  const Call call_;
  const Plan plan_;
  const Identity identity_;
  ChoiceText text_;
  std::uint64_t sequence_ = 0;
};

}  // namespace

Answer responses_answer(const Call& call, const Plan& plan, const Identity& identity) {
  Answer answer;
  answer.completion_tokens = call.choices > 0 ? answer_length(call, plan) : 0;
  answer.body = text_of_json(final_response(call, plan, identity));
  return answer;
}

std::unique_ptr<EventSource> responses_stream(const Call& call, const Plan& plan, const Identity& identity) {
  return std::make_unique<ResponsesStream>(call, plan, identity);
}

}  // namespace tollgate::simulator
