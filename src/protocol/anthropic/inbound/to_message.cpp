// A whole chat completion as a message: thinking first, then what was said, then what is called, the order in which
// Anthropic's models write.
#include "tollgate/protocol/anthropic/to_chat.hpp"
#include "tollgate/protocol/openai/reply.hpp"

#include "protocol/anthropic/inbound/call_arguments.hpp"
#include "protocol/anthropic/inbound/call_ids.hpp"
#include "protocol/anthropic/inbound/chat_delta.hpp"
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

Failure no_completion(std::string message) {
  return {.kind = FailureKind::upstream_error, .source = Source::upstream, .message = std::move(message)};
}

/// The choice of index 0, else the first; others are nobody's.
Value first_choice(const Value& choices) {
  Value first;
  Reader reader(choices.text);
  if (!reader.enter_array()) return first;
  while (reader.next_element()) {
    const Value choice = reader.take();
    if (first.kind == Kind::none) first = choice;
    if (const Value index = pick(choice.text, "index"); index.text == "0") return choice;
  }
  return first;
}

class MessageWriter {
 public:
  explicit MessageWriter(const AnswerNames& names) : names_(names), ids_(names.id), out_(body_) {}

  std::string write(const Value& choice, const std::optional<Usage>& usage);

 private:
  void write_blocks(const ChatDelta& said);
  void write_text(std::string_view inside);
  void write_calls(const ChatDelta& said);
  void write_call(const CallPart& call);

  const AnswerNames& names_;
  CallIds ids_;
  std::string body_;
  Writer out_;
  Ending ending_;
};

std::string MessageWriter::write(const Value& choice, const std::optional<Usage>& usage) {
  const auto [message, finish] = pick<2>(choice.text, {"message", "finish_reason"});
  if (finish.kind == Kind::string) ending_.finish_reason = json::decode_lossy(finish.inside());
  out_.open_object().key("id").text("msg_" + std::string(names_.id)).key("type").raw("\"message\"");
  out_.key("role").raw("\"assistant\"").key("model").text(names_.model).key("content").open_array();
  const ChatDelta said = read_delta(message.text);
  write_blocks(said);
  out_.close_array();
  write_ending(out_, ending_);
  write_usage(out_.key("usage"), usage);
  out_.close_object();
  return std::move(body_);
}

void MessageWriter::write_text(std::string_view inside) {
  if (is_blank(json::decode_lossy(inside))) return;
  out_.open_object().key("type").raw("\"text\"").key("text").escaped(inside).close_object();
}

void MessageWriter::write_blocks(const ChatDelta& said) {
  if (!is_blank(json::decode_lossy(said.thinking))) {
    out_.open_object().key("type").raw("\"thinking\"").key("thinking").escaped(said.thinking);
    out_.key("signature").text(std::string(foreign_signature) + std::string(names_.id)).close_object();
  }
  write_text(said.content);
  write_text(said.refusal);
  ending_.refusal = said.refusal;
  write_calls(said);
}

void MessageWriter::write_calls(const ChatDelta& said) {
  Reader reader(said.tool_calls.text);
  if (reader.enter_array())
    while (reader.next_element()) write_call(read_call(reader.take()));
  if (said.function_call.kind == Kind::object) write_call(read_function_call(said.function_call));
}

void MessageWriter::write_call(const CallPart& call) {
  if (call.name.empty()) return;
  ending_.calls = true;
  ObjectEnd end;
  end.pass(call.arguments);
  ending_.cut_short = end.begun() && !end.whole();
  out_.open_object().key("type").raw("\"tool_use\"").key("id").text(ids_.give(call.id)).key("name").text(call.name);
  out_.key("input").raw(input_of(call.arguments)).close_object();
}

}  // namespace

Result<TranslatedReply> to_message(std::string_view chat_reply, const AnswerNames& names) {
  const openai::ReplyMeaning meaning = openai::read_reply(chat_reply);
  if (meaning.error) {
    const auto error = openai::read_error(chat_reply);
    return no_completion("the provider answered with an error: " + (error ? error->message : std::string("unknown")));
  }
  const Value choice = meaning.broken ? Value() : first_choice(pick(chat_reply, "choices"));
  if (pick(choice.text, "message").kind != Kind::object)
    return no_completion("the provider's answer is no chat completion");
  return TranslatedReply{
      .body = MessageWriter(names).write(choice, meaning.usage), .usage = meaning.usage, .thoughts = std::nullopt};
}

}  // namespace tollgate::protocol::anthropic
