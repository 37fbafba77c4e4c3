// Chunks of chat and text completions. What all chunks of a stream share is made once, so that an event costs a few
// appends: this is the upstream of load tests and of streams of hundreds of megabytes.
#include "simulator/answers.hpp"
#include "simulator/json.hpp"

namespace tollgate::simulator {

namespace {

constexpr std::string_view chat_text_before = R"("delta":{"content":")";
constexpr std::string_view refusal_text_before = R"("delta":{"refusal":")";
constexpr std::string_view chat_text_after = R"("})";
constexpr std::string_view tool_text_after = R"("}}]})";
constexpr std::string_view completion_text_before = R"("text":")";
constexpr std::string_view completion_text_after = R"(")";

class ChunkStream final : public EventSource {
 public:
  ChunkStream(const Call& call, const Plan& plan, const Identity& identity)
      : chat_(call.endpoint == Endpoint::chat),
        tools_(call.tools),
        include_usage_(call.include_usage),
        identity_(identity),
        finish_reason_(finish_reason(call, plan)),
        prompt_tokens_(call.prompt_tokens),
        completion_tokens_(answer_length(call, plan) * call.choices) {
    OrderedJson shared;
    shared["id"] = (chat_ ? "chatcmpl-" : "cmpl-") + identity.suffix;
    shared["object"] = chat_ ? "chat.completion.chunk" : "text_completion";
    shared["created"] = identity.created;
    shared["model"] = identity.model;
    shared["service_tier"] = "default";
    shared["system_fingerprint"] = "fp_simulator";
    prefix_ = "data: " + text_of_json(shared);
    prefix_.back() = ',';
    for (std::size_t i = 0; i < call.choices; ++i) choices_.emplace_back(call, plan, i);
    before_text_ = !chat_ ? completion_text_before : call.refuses ? refusal_text_before : chat_text_before;
    after_text_ = !chat_ ? completion_text_after : tools_.empty() ? chat_text_after : tool_text_after;
    for (std::size_t i = 0; i < tools_.size(); ++i) {
      tool_text_before_.push_back(R"("delta":{"tool_calls":[{"index":)" + std::to_string(i) +
                                  R"(,"function":{"arguments":")");
    }
  }

  void opening(std::string& out) override {
    // What `empty_choices` leaves of a stream: one chunk that has a list, and nothing in it.
    if (choices_.empty()) close_chunk(out.append(prefix_).append(R"("choices":[])"));
    if (!chat_) return;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      const std::string content = tools_.empty() ? R"("")" : "null";
      choice_chunk(out, i, R"("delta":{"role":"assistant","content":)" + content + R"(,"refusal":null})", "null");
      if (!tools_.empty()) choice_chunk(out, i, tool_head(i, 0), "null");
    }
  }

  bool token(std::string& out) override {
    if (choices_.empty() || choices_[turn_].at_end()) return false;
    ChoiceText& choice = choices_[turn_];
    const std::size_t part = choice.part();
    if (part > 0 && !tools_.empty() && choice.begins_part()) choice_chunk(out, turn_, tool_head(turn_, part), "null");
    word_.clear();
    choice.next(word_);
    out.append(prefix_).append(R"("choices":[{"index":)").append(std::to_string(turn_)).append(",");
    out.append(tools_.empty() ? before_text_ : tool_text_before_[part]);
    append_escaped(out, word_);
    out.append(after_text_).append(R"(,"logprobs":null,"finish_reason":null}])");
    close_chunk(out);
    turn_ = (turn_ + 1) % choices_.size();
    return true;
  }

  void finish(std::string& out) override {
    const std::string reason = '"' + finish_reason_ + '"';
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      choice_chunk(out, i, chat_ ? R"("delta":{})" : R"("text":"")", reason);
    }
  }

  void usage(std::string& out) override {
    if (!include_usage_) return;
    const std::string usage = text_of_json(usage_json(prompt_tokens_, completion_tokens_));
    out.append(prefix_).append(R"("choices":[],"usage":)").append(usage).append("}\n\n");
  }

  void done(std::string& out) override { out.append("data: [DONE]\n\n"); }

  void malformed(std::string& out) const override {
    out.append(R"(data: {"id":"chatcmpl-cut","object":"chat.completion.chunk","choices":[{"index":0,"delta":)"
               "\n\n");
  }

  void error(std::string& out) override {
    out.append(R"(data: {"error":{"message":"The server had an error while processing your request.",)"
               R"("type":"server_error","param":null,"code":"server_error"}})"
               "\n\n");
  }

 private:
  std::string tool_head(std::size_t index, std::size_t part) const {
    OrderedJson call;
    call["index"] = part;
    call["id"] = chat_call_id(identity_, index, part);
    call["type"] = "function";
    call["function"]["name"] = tools_[part].name;
    call["function"]["arguments"] = "";
    return R"("delta":{"tool_calls":[)" + text_of_json(call) + "]}";
  }

  void choice_chunk(std::string& out, std::size_t index, std::string_view payload, std::string_view reason) const {
    out.append(prefix_).append(R"("choices":[{"index":)").append(std::to_string(index)).append(",").append(payload);
    out.append(R"(,"logprobs":null,"finish_reason":)").append(reason).append("}]");
    close_chunk(out);
  }

  void close_chunk(std::string& out) const { out.append(include_usage_ ? ",\"usage\":null}\n\n" : "}\n\n"); }

  /// Words hold nothing to escape; JSON within them brings quotes and backslashes.
  static void append_escaped(std::string& out, std::string_view text) {
    for (const char byte : text) {
      if (byte == '"' || byte == '\\') out += '\\';
      out += byte;
    }
  }

  const bool chat_;
  const std::vector<CalledTool> tools_;
  const bool include_usage_;
  const Identity identity_;
  const std::string finish_reason_;
  const std::size_t prompt_tokens_;
  const std::size_t completion_tokens_;
  std::string prefix_;
  std::string_view before_text_;
  std::vector<std::string> tool_text_before_;
  std::string_view after_text_;
  std::vector<ChoiceText> choices_;
  std::size_t turn_ = 0;
  std::string word_;
};

}  // namespace

std::unique_ptr<EventSource> chunk_stream(const Call& call, const Plan& plan, const Identity& identity) {
  return std::make_unique<ChunkStream>(call, plan, identity);
}

}  // namespace tollgate::simulator
