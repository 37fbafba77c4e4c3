// The chunks of a chat completion as Anthropic's events. Blocks are sent as they come; what ends the message waits for
// [DONE], since usage comes after the chunk that says why the model stopped, and some send a piece after that.
#include "tollgate/protocol/anthropic/to_chat.hpp"
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/sse.hpp"

#include "protocol/anthropic/inbound/chat_delta.hpp"
#include "protocol/anthropic/inbound/message_blocks.hpp"
#include "protocol/anthropic/inbound/message_tail.hpp"
#include "protocol/json_pick.hpp"
#include "protocol/json_text.hpp"
#include "protocol/json_write.hpp"

namespace tollgate::protocol::anthropic {

using namespace inbound;
namespace {

using json::Kind;
using json::pick;
using json::Reader;
using json::Value;
using json::Writer;

constexpr std::size_t largest_event = 16 * 1024 * 1024;
constexpr std::size_t longest_refusal = 16 * 1024;  // of what is told of it once more at the end

class MessageStream final : public StreamTranslator {
 public:
  explicit MessageStream(const AnswerNames& names) : id_(names.id), model_(names.model), blocks_(names.id) {}

  void take(std::string_view bytes, std::string& out) override;
  void end(std::string& out) override;
  const std::optional<Usage>& usage() const override { return usage_; }
  std::optional<Thoughts> take_thoughts() override { return std::nullopt; }
  std::string_view fault() const override { return fault_; }

 private:
  void read_event(std::string_view event, std::string& out);
  void read_data(std::string_view name, std::string_view data, std::string& out);
  void read_choices(std::string_view chunk, std::string& out);
  void read_choice(const Value& choice, std::string& out);
  void read_calls(const ChatDelta& delta, std::string& out);
  void start(std::string& out);
  void finish(std::string& out);
  void send_error(std::string_view data, std::string& out);
  void fail(std::string_view why);

  std::string id_, model_;
  SseScanner scanner_;
  std::string partial_;  ///< an event whose end has not come
  MessageBlocks blocks_;
  Ending ending_;
  std::optional<Usage> usage_;
  std::string_view fault_;
  bool first_event_ = true, started_ = false, ended_ = false;
};

void MessageStream::fail(std::string_view why) {
  fault_ = why;
  ended_ = true;
}

void MessageStream::take(std::string_view bytes, std::string& out) {
  while (!bytes.empty() && !ended_) {
    const std::size_t length = scanner_.next_event_end(bytes);
    const std::string_view piece = bytes.substr(0, length == 0 ? bytes.size() : length);
    bytes.remove_prefix(piece.size());
    if (partial_.size() + piece.size() > largest_event) return fail("an event of more than 16 MiB");
    if (length != 0 && partial_.empty()) {
      read_event(piece, out);
      continue;
    }
    partial_ += piece;
    if (length == 0) return;
    read_event(partial_, out);
    partial_.clear();
  }
}

void MessageStream::end(std::string& out) {
  if (!ended_ && !partial_.empty()) {
    // Some leave the last event without its empty line. What is not whole is none.
    const openai::ChunkMeaning meaning =
        openai::read_chunk(openai::StreamKind::chat, {}, parse_sse_event(partial_).data);
    if (!meaning.malformed) read_event(partial_, out);
  }
  if (!ended_ && !ending_.finish_reason.empty()) finish(out);
  ended_ = true;
}

void MessageStream::read_event(std::string_view event, std::string& out) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (first_event_ && event.starts_with(byte_order_mark)) event.remove_prefix(byte_order_mark.size());
  first_event_ = false;
  const SseEvent parsed = parse_sse_event(event);
  if (parsed.data_lines > 1) {
    read_data(parsed.name, join_data(event), out);
  } else {
    read_data(parsed.name, parsed.data, out);
  }
}

void MessageStream::read_data(std::string_view name, std::string_view data, std::string& out) {
  if (data.find_first_not_of(" \t\n") == data.npos) {  // a comment, or as good as one
    out += "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    return;
  }
  const openai::ChunkMeaning meaning = openai::read_chunk(openai::StreamKind::chat, name, data);
  if (meaning.error) return send_error(data, out);
  // An end alone is what broken servers say; somebody else may still be asked.
  if (meaning.done)
    return blocks_.empty() && ending_.finish_reason.empty() ? fail("an end without an answer") : finish(out);
  if (meaning.malformed || Reader(data).peek() != Kind::object) return fail("an event that is no JSON object");
  if (meaning.usage) merge(usage_, *meaning.usage);
  start(out);
  read_choices(data, out);
  if (!blocks_.fault().empty()) fail(blocks_.fault());
}

void MessageStream::read_choices(std::string_view chunk, std::string& out) {
  Reader reader(pick(chunk, "choices").text);
  if (!reader.enter_array()) return;
  while (reader.next_element()) {
    const Value choice = reader.take();
    const Value index = pick(choice.text, "index");
    if (index.kind != Kind::number || index.text == "0") read_choice(choice, out);
  }
}

void MessageStream::read_choice(const Value& choice, std::string& out) {
  const auto [delta, message, finish] = pick<3>(choice.text, {"delta", "message", "finish_reason"});
  const ChatDelta said = read_delta(delta.kind == Kind::object ? delta.text : message.text);
  blocks_.add_thinking(said.thinking, out);
  blocks_.add_text(said.content, out);
  blocks_.add_text(said.refusal, out);
  if (ending_.refusal.size() + said.refusal.size() <= longest_refusal) ending_.refusal += said.refusal;
  read_calls(said, out);
  if (finish.kind == Kind::string && finish.truthy()) ending_.finish_reason = json::decode_lossy(finish.inside());
}

void MessageStream::read_calls(const ChatDelta& delta, std::string& out) {
  Reader reader(delta.tool_calls.text);
  if (reader.enter_array())
    while (reader.next_element()) blocks_.add_call(read_call(reader.take()), out);
  if (delta.function_call.kind == Kind::object) blocks_.add_call(read_function_call(delta.function_call), out);
}

void MessageStream::start(std::string& out) {
  if (started_) return;
  started_ = true;
  out += "event: message_start\ndata: ";
  Writer data(out);
  data.open_object().key("type").raw("\"message_start\"").key("message").open_object();
  data.key("id").text("msg_" + id_).key("type").raw("\"message\"").key("role").raw("\"assistant\"");
  data.key("model").text(model_).key("content").raw("[]").key("stop_reason").null().key("stop_sequence").null();
  write_usage(data.key("usage"), std::nullopt);  // not known yet
  data.close_object().close_object();
  out += "\n\n";
}

void MessageStream::finish(std::string& out) {
  start(out);
  blocks_.finish(out);
  ending_.calls = blocks_.any_call();
  ending_.cut_short = blocks_.cut_short();
  out += "event: message_delta\ndata: ";
  Writer data(out);
  data.open_object().key("type").raw("\"message_delta\"").key("delta").open_object();
  write_ending(data, ending_);
  data.close_object();
  write_usage(data.key("usage"), usage_);
  data.close_object();
  out += "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  ended_ = true;
}

void MessageStream::send_error(std::string_view data, std::string& out) {
  constexpr std::uint16_t unsaid = 502;
  const auto error = openai::read_error(data);
  const auto status = error && error->status ? static_cast<std::uint16_t>(*error->status) : unsaid;
  out += "event: error\ndata: " + to_message_error(status, data, {}).body + "\n\n";
  ended_ = true;
}

}  // namespace

std::unique_ptr<StreamTranslator> make_message_stream(const AnswerNames& names) {
  return std::make_unique<MessageStream>(names);
}

}  // namespace tollgate::protocol::anthropic
