// Anthropic's events as chunks of a chat completion, one for one wherever that can be: nothing waits that a client
// could use already. Blocks come one after the other, but a server that mixes them up is understood as well.
#include "tollgate/base/reuse.hpp"
#include "tollgate/protocol/anthropic/chat_answer.hpp"
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/sse.hpp"

#include "protocol/anthropic/answer/chunk_writer.hpp"
#include "protocol/anthropic/answer/code_fence.hpp"
#include "protocol/anthropic/answer/free_input.hpp"
#include "protocol/anthropic/answer/thought_keeper.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::protocol::anthropic {

using namespace answer;
namespace {

using json::Kind;
using json::Value;

// What stands for no event of any known API.
constexpr std::size_t event_limit = 16 * 1024 * 1024;
// An answer tool comes first, if it comes: text before it waits only so long.
constexpr std::size_t held_text_limit = 64 * 1024;
constexpr std::size_t citations_limit = 256 * 1024;
constexpr std::size_t kept_capacity = 64 * 1024;
constexpr std::size_t most_open_blocks = 64;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// The members of an event that say something.
struct Event {
  std::string_view type;
  Value index, message, content_block, delta, error;
};

Event read_event(std::string_view name, std::string_view data) {
  const auto [type, index, message, content_block, delta, error] =
      json::pick<6>(data, {"type", "index", "message", "content_block", "delta", "error"});
  return {inside_of(type).empty() ? name : inside_of(type), index, message, content_block, delta, error};
}

/// A content block that has begun.
struct Block {
  enum class What : std::uint8_t { text, thinking, call, form, other };
  What what = What::other;
  std::optional<std::int64_t> index;
  std::uint64_t call = 0;               ///< the number of the call
  bool has_input = false;               ///< something of it was sent
  bool is_whole = false;                ///< all of it came with the block's beginning
  std::optional<FreeInput> free_input;  ///< of a custom tool
  std::optional<ThinkingDraft> draft;
  std::vector<std::string> citations;
  std::size_t citation_bytes = 0;
  std::uint64_t begin = 0;  ///< characters of the content before it
};

class ChatStream final : public StreamTranslator {
 public:
  ChatStream(const ChatShape& shape, const AnswerNames& names)
      : shape_(shape),
        request_id_(names.id),
        chunks_(shape.include_usage, names),
        holds_text_(!shape.answer_tool.empty()) {}

  void take(std::string_view bytes, std::string& out) override;
  void end(std::string& out) override;
  const std::optional<Usage>& usage() const override { return usage_; }
  std::optional<Thoughts> take_thoughts() override;
  std::string_view fault() const override { return fault_; }

 private:
  bool over() const { return complete_ || !fault_.empty(); }
  void event(std::string_view bytes, std::string& out);
  void data(std::string_view name, std::string_view data, std::string& out);
  void open_answer(std::string& out);

  void begin_block(const Event& event, std::string& out);
  void begin_thinking(Block& block, std::string_view content_block, std::string& out);
  void begin_call(Block& block, std::string_view content_block, std::string& out);
  void extend_block(const Event& event, std::string& out);
  void extend_thinking(Block* block, const Value& thinking, const Value& signature, std::string& out);
  void extend_input(Block& block, std::string_view inside, std::string& out);
  void end_block(Block& block, std::string& out);
  void end_blocks(std::string& out);
  Block* find_block(const Value& index);

  void content(std::string_view inside, std::string& out);
  void write_content(std::string_view inside, std::string& out);
  void release_text(std::string& out);
  void take_usage(std::string_view data);
  void finish(const Value& stop_reason, const Value& stop_details, std::string& out);
  void complete(std::string& out);

  const ChatShape shape_;
  const std::string request_id_;
  const ChunkWriter chunks_;
  SseScanner scanner_;
  std::string tail_;  ///< of an event whose end has not come
  bool first_event_ = true;
  bool begun_ = false;     ///< the role is told
  bool finished_ = false;  ///< the finish_reason is told
  bool complete_ = false;  ///< the last word is said
  bool failed_ = false;    ///< and it was an error
  std::string_view fault_;
  std::vector<Block> blocks_;  ///< open ones
  std::uint64_t calls_ = 0;
  std::uint64_t characters_ = 0;  ///< of the content so far
  bool holds_text_;               ///< the answer tool may still come
  bool has_form_ = false;         ///< it came: text is not the content
  std::string held_text_;
  CodeFence fence_;
  ThoughtKeeper thoughts_;
  std::optional<Usage> usage_;
};

void ChatStream::take(std::string_view bytes, std::string& out) {
  while (!over() && !bytes.empty()) {
    const std::size_t end = scanner_.next_event_end(bytes);
    const std::string_view part = bytes.substr(0, end == 0 ? bytes.size() : end);
    bytes.remove_prefix(part.size());
    if (tail_.size() + part.size() > event_limit) {
      fault_ = "an event of its stream is larger than 16 MiB";
    } else if (end != 0 && tail_.empty()) {
      event(part, out);
    } else {
      tail_ += part;
      if (end == 0) continue;
      event(tail_, out);
      clear_for_reuse(tail_, kept_capacity);
    }
  }
  if (over()) release(tail_);
}

void ChatStream::end(std::string& out) {
  if (over()) return;
  // The last event may lack its empty line.
  event(std::exchange(tail_, {}), out);
  if (finished_ && !over()) complete(out);
}

void ChatStream::event(std::string_view bytes, std::string& out) {
  if (first_event_ && bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  first_event_ = false;
  const SseEvent parsed = parse_sse_event(bytes);
  if (parsed.data_lines == 0) return;
  if (parsed.data_lines == 1) return data(parsed.name, parsed.data, out);
  data(parsed.name, join_data(bytes), out);
}

void ChatStream::data(std::string_view name, std::string_view data, std::string& out) {
  // Some who speak both protocols say so in the end, as the other one has it.
  if (data == "[DONE]") return;
  if (!json::is_valid(data)) {
    fault_ = "an event of its stream is not valid JSON";
    return;
  }
  const Event event = read_event(name, data);
  if (event.type == "error" || name == "error" || event.error.truthy()) {
    out += "data: " + to_chat_error(0, data).body + "\n\n";
    complete_ = failed_ = true;
  } else if (event.type == "ping") {
    ChunkWriter::comment(out);
  } else if (event.type == "message_start") {
    take_usage(data);
    open_answer(out);
  } else if (event.type == "content_block_start") {
    begin_block(event, out);
  } else if (event.type == "content_block_delta") {
    extend_block(event, out);
  } else if (event.type == "content_block_stop") {
    if (Block* const block = find_block(event.index)) end_block(*block, out);
  } else if (event.type == "message_delta") {
    take_usage(data);
    const auto [reason, details] = json::pick<2>(event.delta.text, {"stop_reason", "stop_details"});
    if (reason.truthy()) finish(reason, details, out);
  } else if (event.type == "message_stop") {
    if (begun_) finish({}, {}, out);
    complete(out);
  }
}

void ChatStream::open_answer(std::string& out) {
  if (!begun_) chunks_.role(out);
  begun_ = true;
}

Block* ChatStream::find_block(const Value& index) {
  if (blocks_.empty()) return nullptr;
  const auto number = json::whole_number(index.text);
  if (!number) return &blocks_.back();
  if (const auto found = std::ranges::find(blocks_, number, &Block::index); found != blocks_.end()) return &*found;
  return blocks_.back().index ? nullptr : &blocks_.back();
}

void ChatStream::begin_block(const Event& event, std::string& out) {
  if (finished_) return;
  open_answer(out);
  const auto number = json::whole_number(event.index.text);
  // A block ends at the latest where another one takes its place.
  if (const auto same = std::ranges::find(blocks_, number, &Block::index); same != blocks_.end()) end_block(*same, out);
  if (blocks_.size() == most_open_blocks) end_block(blocks_.front(), out);
  const auto [type, text, citations] = json::pick<3>(event.content_block.text, {"type", "text", "citations"});
  Block block;
  block.index = number;
  block.begin = characters_;
  if (is(type, "text")) {
    block.what = Block::What::text;
    content(inside_of(text), out);
  } else if (is(type, "thinking")) {
    begin_thinking(block, event.content_block.text, out);
  } else if (is(type, "redacted_thinking")) {
    if (thoughts_.reserve(event.content_block.text.size())) thoughts_.add_block(event.content_block.text);
  } else if (is(type, "tool_use")) {
    begin_call(block, event.content_block.text, out);
  }
  blocks_.push_back(std::move(block));
}

void ChatStream::begin_thinking(Block& block, std::string_view content_block, std::string& out) {
  block.what = Block::What::thinking;
  if (thoughts_.reserve(content_block.size())) block.draft.emplace(content_block);
  std::string scratch;
  const std::string_view thinking = clean(inside_of(json::pick(content_block, "thinking")), scratch);
  if (!thinking.empty()) chunks_.text(out, "reasoning_content", thinking);
}

void ChatStream::begin_call(Block& block, std::string_view content_block, std::string& out) {
  const auto [id, name, input] = json::pick<3>(content_block, {"id", "name", "input"});
  if (!shape_.answer_tool.empty() && json::decode_lossy(inside_of(name)) == shape_.answer_tool) {
    // One answer is enough.
    if (has_form_) return;
    has_form_ = true;
    holds_text_ = false;
    release(held_text_);
    block.what = Block::What::form;
  } else {
    const Call call = read_call(id, name, shape_, request_id_, calls_);
    block.what = Block::What::call;
    block.call = calls_++;
    if (call.is_custom) block.free_input.emplace();
    chunks_.call(out, block.call, call);
    thoughts_.add_call(call.id);
  }
  const std::string given = input.kind == Kind::object ? compact(input.text) : "{}";
  if (given == "{}") return;
  std::string inside, scratch;
  json::append_escaped(inside, given);
  extend_input(block, inside, out);
  block.is_whole = true;
}

void ChatStream::extend_block(const Event& event, std::string& out) {
  if (finished_) return;
  const auto [type, text, thinking, signature, partial_json, citation] =
      json::pick<6>(event.delta.text, {"type", "text", "thinking", "signature", "partial_json", "citation"});
  Block* const block = find_block(event.index);
  if (block && block->what == Block::What::other) return;
  if (is(type, "text_delta")) {
    open_answer(out);
    content(inside_of(text), out);
  } else if (is(type, "thinking_delta") || is(type, "signature_delta")) {
    open_answer(out);
    extend_thinking(block, thinking, signature, out);
  } else if (is(type, "input_json_delta")) {
    if (block && !block->is_whole) extend_input(*block, inside_of(partial_json), out);
  } else if (is(type, "citations_delta") && block && block->citation_bytes < citations_limit) {
    std::string members = read_citation(citation.text);
    block->citation_bytes += members.size();
    if (!members.empty()) block->citations.push_back(std::move(members));
  }
}

void ChatStream::extend_thinking(Block* block, const Value& thinking, const Value& signature, std::string& out) {
  const std::string_view more = inside_of(thinking);
  if (block && block->draft) {
    if (!thoughts_.reserve(more.size() + inside_of(signature).size())) {
      block->draft.reset();
    } else {
      block->draft->add_thinking(more);
      if (signature.kind == Kind::string) block->draft->add_signature(signature.inside());
    }
  }
  std::string scratch;
  if (!more.empty()) chunks_.text(out, "reasoning_content", clean(more, scratch));
}

/// A piece of the JSON text that a tool is called with.
void ChatStream::extend_input(Block& block, std::string_view inside, std::string& out) {
  if (inside.empty()) return;
  std::string scratch, free;
  std::string_view piece = clean(inside, scratch);
  block.has_input = true;
  if (block.what == Block::What::form) return chunks_.text(out, "content", piece);
  if (block.what != Block::What::call) return;
  if (block.free_input) {
    block.free_input->take(json::decode_lossy(piece), free);
    piece = free;
  }
  if (!piece.empty()) chunks_.call_input(out, block.call, block.free_input.has_value(), piece);
}

void ChatStream::end_block(Block& block, std::string& out) {
  // A tool without arguments is called with none.
  const bool takes_input = block.what == Block::What::call || block.what == Block::What::form;
  if (takes_input && !block.has_input) extend_input(block, "{}", out);
  if (block.draft) thoughts_.add_block(block.draft->block());
  if (!block.citations.empty() && shape_.answer_tool.empty()) {
    std::string elements;
    json::Writer writer(elements);
    for (const std::string& citation : block.citations) write_annotation(writer, citation, block.begin, characters_);
    chunks_.annotations(out, elements);
  }
  blocks_.erase(blocks_.begin() + (&block - blocks_.data()));
}

void ChatStream::end_blocks(std::string& out) {
  while (!blocks_.empty()) end_block(blocks_.front(), out);
}

void ChatStream::content(std::string_view inside, std::string& out) {
  if (inside.empty() || has_form_) return;
  std::string scratch;
  inside = clean(inside, scratch);
  characters_ += count_characters(inside);
  if (!holds_text_) return write_content(inside, out);
  held_text_ += inside;
  if (held_text_.size() > held_text_limit) release_text(out);
}

void ChatStream::write_content(std::string_view inside, std::string& out) {
  if (!shape_.bare_json) return chunks_.text(out, "content", inside);
  std::string bare, escaped;
  fence_.take(json::decode_lossy(inside), bare);
  json::append_escaped(escaped, bare);
  if (!escaped.empty()) chunks_.text(out, "content", escaped);
}

/// What was held back turns out to be the content.
void ChatStream::release_text(std::string& out) {
  holds_text_ = false;
  if (!held_text_.empty()) write_content(std::exchange(held_text_, {}), out);
}

void ChatStream::take_usage(std::string_view data) {
  const auto meaning = openai::read_chunk(openai::StreamKind::messages, {}, data);
  if (meaning.usage) merge(usage_, *meaning.usage);
}

void ChatStream::finish(const Value& stop_reason, const Value& stop_details, std::string& out) {
  if (finished_) return;
  open_answer(out);
  end_blocks(out);
  release_text(out);
  std::string rest, escaped;
  fence_.end(rest);
  json::append_escaped(escaped, rest);
  if (!escaped.empty()) chunks_.text(out, "content", escaped);
  if (is(stop_reason, "refusal")) {
    std::string refusal;
    json::append_escaped(refusal, refusal_text(stop_details));
    chunks_.text(out, "refusal", refusal);
  }
  chunks_.finish(out, finish_reason(stop_reason, calls_ > 0));
  finished_ = true;
}

void ChatStream::complete(std::string& out) {
  if (shape_.include_usage && usage_) chunks_.usage(out, *usage_);
  ChunkWriter::done(out);
  complete_ = true;
}

std::optional<Thoughts> ChatStream::take_thoughts() {
  if (!complete_ || failed_) return std::nullopt;
  return thoughts_.take();
}

}  // namespace

std::unique_ptr<StreamTranslator> make_chat_stream(const ChatShape& shape, const AnswerNames& names) {
  return std::make_unique<ChatStream>(shape, names);
}

}  // namespace tollgate::protocol::anthropic
