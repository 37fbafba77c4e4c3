// Every event of every stream passes here, so one pass reads all that relay, commit point and metering ask of it.
// Servers differ in where they put content, usage and errors; what one of them was seen to send has its line here.
#include "tollgate/protocol/openai/reply.hpp"

#include "protocol/json_scan.hpp"
#include "protocol/json_text.hpp"
#include "protocol/openai/usage.hpp"
#include "protocol/same.hpp"

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;
using json::Value;

bool is_done_mark(std::string_view data) {
  constexpr std::string_view mark = "[DONE]";
  return data.starts_with(mark) && data.find_first_not_of(" \t", mark.size()) == std::string_view::npos;
}

/// A non-empty string; content may also be an array of parts.
bool carries_text(const Value& value) {
  return value.truthy() && (value.kind == Kind::string || value.kind == Kind::array);
}

class ChunkReader {
 public:
  /// Reads into a meaning that is empty.
  ChunkReader(StreamKind kind, std::string_view event_name, std::string_view data, ChunkMeaning& meaning)
      : kind_(kind), type_(event_name), named_error_(event_name == "error"), reader_(data), meaning_(meaning) {}

  void run() {
    if (reader_.enter_object()) {
      while (reader_.next_member()) read_member(reader_.key());
    } else {
      reader_.take();
    }
    if (reader_.finish()) {
      conclude();
    } else {
      meaning_ = broken();
    }
  }

 private:
  void read_member(std::string_view key);
  void read_choices();
  void read_choice();
  void read_delta();
  void read_block();
  void read_stop_reason();
  void conclude();
  void conclude_response();
  void conclude_message();
  ChunkMeaning broken() const;

  StreamKind kind_;
  std::string type_;  ///< of an event of /v1/responses or /v1/messages: what its data says, else the event's name
  bool named_error_;
  Reader reader_;
  ChunkMeaning& meaning_;
  UsageFinder usage_;
  std::optional<UsagePart> nested_usage_;
  bool choices_empty_ = false;
  bool empty_block_ = false;   ///< of /v1/messages: text or thinking that is yet to come
  bool more_carried_ = false;  ///< something a client may want that is neither usage nor the chunk's envelope
};

void ChunkReader::read_member(std::string_view key) {
  if (same(key, "choices")) {
    read_choices();
  } else if (same(key, "error")) {
    meaning_.error |= reader_.take().truthy();
  } else if (same(key, "object")) {  // older vLLM has the error's fields at the top
    meaning_.error |= reader_.take().text == R"("error")";
  } else if (same(key, "response") || same(key, "x_groq") || same(key, "message")) {
    take_nested_usage(reader_, nested_usage_);
  } else if (same(key, "type") && kind_ == StreamKind::responses) {
    const Value value = reader_.take();
    if (value.kind == Kind::string) type_ = json::decode_lossy(value.inside());
  } else if (same(key, "content_block") && kind_ == StreamKind::messages) {
    read_block();
  } else if (same(key, "delta") && kind_ == StreamKind::messages) {
    read_stop_reason();
  } else if (same(key, "prompt_filter_results") || same(key, "moderation")) {
    more_carried_ |= reader_.take().truthy();
  } else if (!usage_.take(reader_)) {
    reader_.take();
  }
}

void ChunkReader::read_choices() {
  if (!reader_.enter_array()) {
    reader_.take();
    return;
  }
  choices_empty_ = true;
  while (reader_.next_element()) {
    choices_empty_ = false;
    read_choice();
  }
}

void ChunkReader::read_choice() {
  if (!reader_.enter_object()) {
    reader_.take();
    return;
  }
  while (reader_.next_member()) {
    const std::string_view key = reader_.key();
    if (same(key, "delta") || same(key, "message")) {
      read_delta();
    } else if (same(key, "text")) {
      meaning_.content |= carries_text(reader_.take());
    } else if (same(key, "finish_reason")) {
      meaning_.finish |= reader_.take().truthy();
    } else if (same(key, "usage") && reader_.peek() == Kind::object) {  // Moonshot puts it here
      take_usage(reader_, nested_usage_);
    } else {
      reader_.take();
    }
  }
}

void ChunkReader::read_delta() {
  if (!reader_.enter_object()) {
    reader_.take();
    return;
  }
  while (reader_.next_member()) {
    const std::string_view key = reader_.key();
    if (same(key, "content") || same(key, "refusal") || same(key, "reasoning_content") || same(key, "reasoning")) {
      meaning_.content |= carries_text(reader_.take());
    } else if (same(key, "tool_calls") || same(key, "function_call") || same(key, "audio") ||
               same(key, "reasoning_details")) {
      meaning_.content |= reader_.take().truthy();
    } else {
      reader_.take();
    }
  }
}

/// The block that a content_block_start opens.
void ChunkReader::read_block() {
  if (!reader_.enter_object()) {
    reader_.take();
    return;
  }
  bool has_deltas = false, has_text = false;
  while (reader_.next_member()) {
    const std::string_view key = reader_.key();
    if (same(key, "type")) {
      const std::string_view type = reader_.take().text;
      has_deltas = type == R"("text")" || type == R"("thinking")";
    } else if (same(key, "text") || same(key, "thinking")) {
      has_text |= carries_text(reader_.take());
    } else {
      reader_.take();
    }
  }
  empty_block_ = has_deltas && !has_text;
}

/// Of a message_delta; other events have none.
void ChunkReader::read_stop_reason() {
  if (!reader_.enter_object()) {
    reader_.take();
    return;
  }
  while (reader_.next_member()) {
    if (same(reader_.key(), "stop_reason")) {
      meaning_.finish |= reader_.take().truthy();
    } else {
      reader_.take();
    }
  }
}

void ChunkReader::conclude() {
  if (usage_.found()) {
    meaning_.usage = usage_.part();
  } else if (nested_usage_) {
    meaning_.usage = nested_usage_;
  }
  meaning_.error |= named_error_;
  switch (kind_) {
    case StreamKind::chat:
    case StreamKind::completions:
      meaning_.usage_only = choices_empty_ && usage_.seen() && !more_carried_ && !meaning_.error;
      break;
    case StreamKind::responses: conclude_response(); break;
    case StreamKind::messages: conclude_message(); break;
    case StreamKind::opaque: meaning_.content = !meaning_.error; break;
  }
}

void ChunkReader::conclude_response() {
  const bool opening = type_ == "response.created" || type_ == "response.queued" || type_ == "response.in_progress" ||
                       type_ == "keepalive";
  const bool failed = type_ == "response.failed";
  meaning_.error |= failed || type_ == "error";
  meaning_.done = failed || type_ == "response.completed" || type_ == "response.incomplete";
  meaning_.content = !opening && !meaning_.error;
}

void ChunkReader::conclude_message() {
  if (const std::string_view type = usage_.type(); type.size() > 2 && type.front() == '"')
    type_ = type.substr(1, type.size() - 2);
  meaning_.error |= type_ == "error";
  meaning_.done = type_ == "message_stop";
  meaning_.finish &= type_ == "message_delta";
  meaning_.content =
      !meaning_.error && (type_ == "content_block_delta" || (type_ == "content_block_start" && !empty_block_));
}

ChunkMeaning ChunkReader::broken() const {
  ChunkMeaning meaning;
  meaning.malformed = true;
  meaning.error = named_error_;
  meaning.content = kind_ == StreamKind::opaque && !named_error_;
  return meaning;
}

}  // namespace

ChunkMeaning read_chunk(StreamKind kind, std::string_view event_name, std::string_view data) {
  ChunkMeaning meaning;
  if (is_done_mark(data)) {
    meaning.done = true;
  } else {
    ChunkReader(kind, event_name, data, meaning).run();
  }
  return meaning;
}

}  // namespace tollgate::protocol::openai
