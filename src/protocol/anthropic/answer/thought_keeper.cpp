#include "protocol/anthropic/answer/thought_keeper.hpp"

#include "protocol/anthropic/answer/chat_parts.hpp"

#include <utility>

namespace tollgate::protocol::anthropic::answer {

ThinkingDraft::ThinkingDraft(std::string_view content_block) {
  json::Reader reader(content_block);
  reader.enter_object();
  while (reader.next_member()) {
    const std::size_t begin = reader.key_offset();
    const bool is_thinking = reader.key() == "thinking";
    const bool is_signature = reader.key() == "signature";
    const json::Value value = reader.take();
    if (is_thinking) {
      add_thinking(inside_of(value));
    } else if (is_signature) {
      add_signature(inside_of(value));
    } else {
      if (!members_.empty()) members_ += ',';
      members_ += content_block.substr(begin, reader.offset() - begin);
    }
  }
}

void ThinkingDraft::add_signature(std::string_view inside) {
  signed_ = true;
  signature_ += inside;
}

std::string ThinkingDraft::block() const {
  std::string block;
  json::Writer writer(block);
  writer.open_object();
  if (!members_.empty()) writer.raw(members_);
  writer.key("thinking").escaped(thinking_);
  if (signed_) writer.key("signature").escaped(signature_);
  writer.close_object();
  return block;
}

bool ThoughtKeeper::reserve(std::size_t bytes) {
  if (bytes_ <= most_bytes) bytes_ += bytes;
  if (bytes_ <= most_bytes) return true;
  thoughts_ = {};
  return false;
}

void ThoughtKeeper::add_block(std::string_view json) {
  if (bytes_ > most_bytes) return;
  if (!thoughts_.blocks.empty()) thoughts_.blocks += ',';
  thoughts_.blocks += json;
}

void ThoughtKeeper::add_call(const std::string& id) {
  if (reserve(id.size() + sizeof(std::string))) thoughts_.calls.push_back(id);
}

std::optional<Thoughts> ThoughtKeeper::take() {
  Thoughts taken = std::exchange(thoughts_, {});
  if (taken.blocks.empty() || taken.calls.empty()) return std::nullopt;
  return taken;
}

}  // namespace tollgate::protocol::anthropic::answer
