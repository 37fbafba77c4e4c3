// Events of a streamed message, in the order of the real ones. Blocks are closed when the next begins, so that a stream
// which breaks in the middle leaves one open, as it does in life.
#include "simulator/messages_content.hpp"
#include "simulator/thinking.hpp"

#include <utility>

namespace tollgate::simulator {

namespace {

using Kind = ContentBlock::Kind;

class MessageStream final : public EventSource {
 public:
  MessageStream(const Call& call, const Plan& plan, const Identity& identity)
      : call_(call), plan_(plan), identity_(identity), blocks_(content_blocks(call, plan)) {
    for (const ContentBlock& block : blocks_) {
      tokens_ += block.tokens;
      if (block.kind == Kind::thinking) thought_ = block.tokens;
    }
    left_ = tokens_;
  }

  void opening(std::string& out) override {
    OrderedJson event;
    event["type"] = "message_start";
    event["message"] = message_shell(call_, plan_, identity_);
    event["message"]["stop_reason"] = nullptr;
    event["message"]["stop_sequence"] = nullptr;
    event["message"]["stop_details"] = nullptr;
    // What a stream begins with knows the prompt and the first token at most.
    event["message"]["usage"] = messages_usage(call_, plan_, tokens_ > 0 ? 1 : 0, 0);
    append(out, event);
    append(out, OrderedJson{{"type", "ping"}});
  }

  bool token(std::string& out) override {
    if (left_ == 0) return false;
    --left_;
    while (!text_ || text_->at_end()) begin_next(out);
    std::string said;
    text_->next(said);
    if (blocks_[at_].kind == Kind::thinking) thinking_ += said;
    switch (blocks_[at_].kind) {
      case Kind::thinking: delta(out, "thinking_delta", "thinking", said); break;
      case Kind::call: delta(out, "input_json_delta", "partial_json", said); break;
      case Kind::text:
      case Kind::redacted: delta(out, "text_delta", "text", said); break;
    }
    return true;
  }

  void finish(std::string& out) override {
    while (at_ + 1 < blocks_.size() || (!text_ && !blocks_.empty())) begin_next(out);
    end_block(out);
    OrderedJson event;
    event["type"] = "message_delta";
    event["delta"] = OrderedJson::object();
    add_stop(event["delta"], call_, plan_);
    event["usage"] = messages_usage(call_, plan_, tokens_, thought_);
    event["usage"].erase("cache_creation");
    event["usage"].erase("service_tier");
    append(out, event);
  }

  void usage(std::string&) override {}

  void done(std::string& out) override { append(out, OrderedJson{{"type", "message_stop"}}); }

  void error(std::string& out) override {
    out.append("event: error\ndata: ").append(R"({"type":"error","error":{"details":null,"type":"overloaded_error",)");
    out.append(R"("message":"Overloaded"}})").append("\n\n");
  }

  void malformed(std::string& out) const override {
    out.append("event: content_block_delta\ndata: ");
    out.append(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text")").append("\n\n");
  }

 private:
  void begin_next(std::string& out) {
    if (text_) {
      end_block(out);
      ++at_;
    }
    text_.emplace(blocks_[at_], call_, plan_);
    OrderedJson event;
    event["type"] = "content_block_start";
    event["index"] = at_;
    event["content_block"] = opened_block(blocks_[at_], call_, plan_, identity_);
    append(out, event);
    if (blocks_[at_].kind == Kind::call) delta(out, "input_json_delta", "partial_json", "");
  }

  void end_block(std::string& out) {
    if (!text_) return;
    if (blocks_[at_].kind == Kind::thinking) delta(out, "signature_delta", "signature", signature_of(thinking_));
    OrderedJson event;
    event["type"] = "content_block_stop";
    event["index"] = at_;
    append(out, event);
  }

  void delta(std::string& out, const char* type, const char* name, const std::string& text) const {
    // By hand: there is one for every token, and load tests are made of them.
    out.append("event: content_block_delta\ndata: ").append(R"({"type":"content_block_delta","index":)");
    out.append(std::to_string(at_)).append(R"(,"delta":{"type":")").append(type).append(R"(",")").append(name);
    out.append(R"(":)").append(text_of_json(text)).append("}}\n\n");
  }

  static void append(std::string& out, const OrderedJson& event) {
    out.append("event: ").append(event["type"].get_ref<const std::string&>());
    out.append("\ndata: ").append(text_of_json(event)).append("\n\n");
  }

  const Call call_;
  const Plan plan_;
  const Identity identity_;
  const std::vector<ContentBlock> blocks_;
  std::size_t tokens_ = 0;
  std::size_t thought_ = 0;
  std::size_t left_ = 0;
  std::size_t at_ = 0;  ///< the block that is open, where `text_` is set
  std::optional<BlockText> text_;
  std::string thinking_;
};

}  // namespace

std::unique_ptr<EventSource> messages_stream(const Call& call, const Plan& plan, const Identity& identity) {
  return std::make_unique<MessageStream>(call, plan, identity);
}

}  // namespace tollgate::simulator
