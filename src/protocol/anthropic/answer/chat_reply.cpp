// A whole message as a whole chat completion. Blocks are read in their order, each once; what a client of the chat API
// cannot use is left out, and what it must not lose is kept as thoughts.
#include "tollgate/protocol/anthropic/chat_answer.hpp"

#include "protocol/anthropic/answer/chat_parts.hpp"
#include "protocol/anthropic/answer/code_fence.hpp"
#include "protocol/anthropic/answer/free_input.hpp"
#include "protocol/anthropic/answer/thought_keeper.hpp"
#include "protocol/json_text.hpp"
#include "protocol/openai/usage.hpp"

namespace tollgate::protocol::anthropic {

using namespace answer;
namespace {

using json::Kind;
using json::Reader;
using json::Value;

struct Message {
  Value type, content, stop_reason, stop_details;
  std::optional<Usage> usage;
};

Message read_message(std::string_view text) {
  Message message;
  openai::UsageFinder usage;
  Reader reader(text);
  reader.enter_object();
  while (reader.next_member()) {
    const std::string_view key = reader.key();
    if (key == "content") {
      message.content = reader.take();
    } else if (key == "stop_reason") {
      message.stop_reason = reader.take();
    } else if (key == "stop_details") {
      message.stop_details = reader.take();
    } else if (!usage.take(reader)) {
      reader.take();
    }
  }
  if (usage.found()) merge(message.usage, usage.part());
  message.type = json::pick(text, "type");
  return message;
}

class ReplyWriter {
 public:
  ReplyWriter(const ChatShape& shape, const AnswerNames& names) : shape_(shape), names_(names) {}

  void read_block(std::string_view block);
  TranslatedReply finish(const Message& message);

 private:
  void read_text(std::string_view inside, const Value& citations);
  void read_call(const Value& id, const Value& name, const Value& input);
  std::string content() const;
  void write_message(json::Writer& writer, const Message& message) const;

  const ChatShape& shape_;
  const AnswerNames& names_;
  std::string text_, thinking_;      ///< insides of strings
  std::string annotations_;          ///< elements of an array
  std::string calls_;                ///< the same
  std::optional<std::string> form_;  ///< the input of the answer tool, as JSON
  json::Writer annotation_writer_{annotations_};
  json::Writer call_writer_{calls_};
  std::uint64_t call_count_ = 0;
  std::uint64_t characters_ = 0;  ///< of the text so far
  ThoughtKeeper thoughts_;
};

void ReplyWriter::read_block(std::string_view block) {
  const auto [type, text, thinking, citations, id, name, input] =
      json::pick<7>(block, {"type", "text", "thinking", "citations", "id", "name", "input"});
  std::string scratch;
  if (is(type, "text")) {
    read_text(inside_of(text), citations);
  } else if (is(type, "tool_use")) {
    read_call(id, name, input);
  } else if (is(type, "thinking")) {
    thinking_ += clean(inside_of(thinking), scratch);
    if (thoughts_.reserve(block.size())) thoughts_.add_block(block);
  } else if (is(type, "redacted_thinking")) {
    if (thoughts_.reserve(block.size())) thoughts_.add_block(block);
  }
}

void ReplyWriter::read_text(std::string_view inside, const Value& citations) {
  std::string scratch;
  const std::string_view text = clean(inside, scratch);
  const std::uint64_t begin = characters_;
  text_ += text;
  characters_ += count_characters(text);
  Reader reader(citations.text);
  if (!reader.enter_array()) return;
  while (reader.next_element()) {
    const std::string citation = read_citation(reader.take().text);
    if (!citation.empty()) write_annotation(annotation_writer_, citation, begin, characters_);
  }
}

void ReplyWriter::read_call(const Value& id, const Value& name, const Value& input) {
  const std::string text = input.kind == Kind::none || input.is_null() ? "{}" : compact(input.text);
  if (!shape_.answer_tool.empty() && json::decode_lossy(inside_of(name)) == shape_.answer_tool) {
    if (!form_) form_ = text;
    return;
  }
  const Call call = anthropic::read_call(id, name, shape_, names_.id, call_count_++);
  std::string inside, scratch;
  if (call.is_custom)
    FreeInput().take(text, inside);
  else
    json::append_escaped(inside, text);
  call_writer_.open_object();
  write_call(call_writer_, call, clean(inside, scratch));
  call_writer_.close_object();
  thoughts_.add_call(call.id);
}

/// The inside of a string.
std::string ReplyWriter::content() const {
  std::string inside;
  if (form_) {
    json::append_escaped(inside, *form_);
  } else if (shape_.bare_json) {
    CodeFence fence;
    std::string bare;
    fence.take(json::decode_lossy(text_), bare);
    fence.end(bare);
    json::append_escaped(inside, bare);
  } else {
    inside = text_;
  }
  return inside;
}

void ReplyWriter::write_message(json::Writer& writer, const Message& message) const {
  const bool refused = is(message.stop_reason, "refusal");
  const std::string inside = content();
  writer.open_object().key("role").text("assistant").key("content");
  if (inside.empty() && (refused || call_count_ > 0))
    writer.null();
  else
    writer.escaped(inside);
  writer.key("refusal");
  if (refused)
    writer.text(refusal_text(message.stop_details));
  else
    writer.null();
  if (!thinking_.empty()) writer.key("reasoning_content").escaped(thinking_);
  if (!annotations_.empty() && !form_) writer.key("annotations").open_array().raw(annotations_).close_array();
  if (!calls_.empty()) writer.key("tool_calls").open_array().raw(calls_).close_array();
  writer.close_object();
}

TranslatedReply ReplyWriter::finish(const Message& message) {
  TranslatedReply reply{.body = {}, .usage = message.usage, .thoughts = thoughts_.take()};
  json::Writer writer(reply.body);
  writer.open_object();
  write_head(writer, "chat.completion", names_);
  writer.key("choices").open_array().open_object().key("index").number(0).key("message");
  write_message(writer, message);
  writer.key("logprobs").null().key("finish_reason").text(finish_reason(message.stop_reason, call_count_ > 0));
  writer.close_object().close_array();
  if (message.usage) {
    writer.key("usage");
    write_usage(writer, *message.usage);
  }
  writer.close_object();
  return reply;
}

}  // namespace

Result<TranslatedReply> to_chat_reply(std::string_view message, const ChatShape& shape, const AnswerNames& names) {
  const Failure no_message{FailureKind::upstream_error, Source::upstream,
                           "its answer is no message of Anthropic's API"};
  if (!json::is_valid(message)) return no_message;
  const Message parts = read_message(message);
  const bool is_message = parts.type.kind == Kind::none || is(parts.type, "message");
  if (!is_message || parts.content.kind != Kind::array) return no_message;
  ReplyWriter writer(shape, names);
  Reader blocks(parts.content.text);
  blocks.enter_array();
  while (blocks.next_element()) writer.read_block(blocks.take().text);
  return writer.finish(parts);
}

}  // namespace tollgate::protocol::anthropic
