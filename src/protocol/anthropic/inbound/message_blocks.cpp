// Servers number the pieces of parallel calls as they like: rightly, not at all, all with 0, or with a number used
// before. A call is known by its id, then by its number, then by being the last; a name tells that one begins.
#include "protocol/anthropic/inbound/message_blocks.hpp"

#include "tollgate/protocol/anthropic/to_chat.hpp"

#include "protocol/json_write.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic::inbound {
namespace {

/// Nothing but blanks, as the inside of a JSON string.
bool is_blank_inside(std::string_view inside) {
  for (std::size_t at = 0; at < inside.size(); ++at) {
    if (inside[at] == ' ') continue;
    if (inside[at] != '\\' || at + 1 == inside.size()) return false;
    const char escape = inside[++at];
    if (escape != 'n' && escape != 'r' && escape != 't') return false;
  }
  return true;
}

}  // namespace

void MessageBlocks::fail(std::string_view why) {
  if (fault_.empty()) fault_ = why;
}

void MessageBlocks::hold(std::size_t bytes) {
  held_ += bytes;
  if (held_ > most_held || queue_.size() > most_waiting) fail("an event behind a tool's call that does not end");
}

MessageBlocks::Block& MessageBlocks::add_block(Kind kind) {
  queue_.push_back({.kind = kind, .held = {}});
  return queue_.back();
}

void MessageBlocks::add_text(Kind kind, std::string_view inside, std::string& out) {
  if (inside.empty() || !fault_.empty()) return;
  Block& block = queue_.empty() || queue_.back().kind != kind ? add_block(kind) : queue_.back();
  block.blank = block.blank && is_blank_inside(inside);
  block.held += inside;
  hold(inside.size());
  settle(out);
}

void MessageBlocks::add_call(const CallPart& part, std::string& out) {
  if (!fault_.empty()) return;
  Call* call = find_call(part);
  if (call == nullptr) call = begin_call(part);
  if (call == nullptr) return;
  if (call->name.empty()) call->name = part.name;
  if (call->id.empty()) call->id = part.id;
  const auto place = static_cast<std::size_t>(call - calls_.data());
  const auto block =
      std::ranges::find_if(queue_, [&](const Block& other) { return other.kind == Kind::call && other.call == place; });
  if (block != queue_.end()) add_arguments(*block, *call, part.arguments);
  settle(out);
}

/// The call that the piece goes on with, or null: it begins one.
MessageBlocks::Call* MessageBlocks::find_call(const CallPart& part) {
  Call* near = nullptr;
  for (Call& call : calls_) {
    const bool same_index = part.index && call.index == part.index;
    // Beside another number and a name of its own, an id that was there before is no sign.
    const bool other_index = part.index && call.index && !same_index && !part.name.empty();
    if (!part.id.empty() && call.id == part.id && !other_index) return &call;
    if (same_index || !part.index) near = &call;
  }
  if (near == nullptr || part.name.empty()) return near;
  if (!part.id.empty() && !near->id.empty()) return nullptr;
  const bool goes_on = near->name.empty() || (near->name == part.name && !near->end.whole());
  return goes_on ? near : nullptr;
}

MessageBlocks::Call* MessageBlocks::begin_call(const CallPart& part) {
  if (calls_.size() == most_calls) {
    fail("an event that begins more than 256 calls of tools");
    return nullptr;
  }
  calls_.push_back({.index = part.index, .id = part.id, .name = part.name, .end = {}});
  add_block(Kind::call).call = calls_.size() - 1;
  hold(part.id.size() + part.name.size());
  return &calls_.back();
}

void MessageBlocks::add_arguments(Block& block, Call& call, std::string_view arguments) {
  if (!call.odd && !call.end.begun()) {
    const std::size_t begin = std::min(arguments.find_first_not_of(" \t\r\n"), arguments.size());
    if (begin == arguments.size()) return;
    call.odd = arguments[begin] != '{';
    arguments.remove_prefix(begin);
  }
  // What follows a whole object is no part of it, and would only spoil it.
  if (!call.odd) arguments = arguments.substr(0, call.end.pass(arguments));
  block.held += arguments;
  hold(arguments.size());
}

bool MessageBlocks::is_whole(const Block& block) const {
  return block.kind != Kind::call || calls_[block.call].end.whole();
}

void MessageBlocks::settle(std::string& out) {
  while (!queue_.empty()) {
    send(queue_.front(), out);
    if (queue_.size() == 1 || !is_whole(queue_.front())) return;
    close(queue_.front(), out);
    queue_.pop_front();
  }
}

void MessageBlocks::finish(std::string& out) {
  for (Block& block : queue_) {
    send(block, out);
    close(block, out);
  }
  queue_.clear();
}

void MessageBlocks::start(Block& block, std::string& out) {
  block.open = true;
  out += "event: content_block_start\ndata: ";
  json::Writer data(out);
  data.open_object().key("type").raw("\"content_block_start\"").key("index").number(index_).key("content_block");
  data.open_object().key("type");
  if (block.kind == Kind::text) {
    data.raw("\"text\"").key("text").raw("\"\"");
  } else if (block.kind == Kind::thinking) {
    data.raw("\"thinking\"").key("thinking").raw("\"\"").key("signature").raw("\"\"");
  } else {
    const Call& call = calls_[block.call];
    data.raw("\"tool_use\"").key("id").text(ids_.give(call.id)).key("name").text(call.name).key("input").raw("{}");
  }
  data.close_object().close_object();
  out += "\n\n";
}

/// Sends what is held, and holds nothing then.
void MessageBlocks::send_delta(Kind kind, std::string& held, std::string& out) {
  out += "event: content_block_delta\ndata: ";
  json::Writer data(out);
  data.open_object().key("type").raw("\"content_block_delta\"").key("index").number(index_).key("delta");
  data.open_object().key("type");
  if (kind == Kind::text) {
    data.raw("\"text_delta\"").key("text").escaped(held);
  } else if (kind == Kind::thinking) {
    data.raw("\"thinking_delta\"").key("thinking").escaped(held);
  } else {
    data.raw("\"input_json_delta\"").key("partial_json").text(held);
  }
  data.close_object().close_object();
  out += "\n\n";
  held_ -= std::min(held_, held.size());
  held.clear();
}

void MessageBlocks::send(Block& block, std::string& out) {
  if (block.kind == Kind::call) return send_call(block, out);
  if (block.blank) return;
  if (!block.open) start(block, out);
  if (!block.held.empty()) send_delta(block.kind, block.held, out);
}

void MessageBlocks::send_call(Block& block, std::string& out) {
  const Call& call = calls_[block.call];
  if (call.name.empty()) return;
  if (!block.open) start(block, out);
  if (!call.odd && !block.held.empty()) send_delta(Kind::call, block.held, out);
}

void MessageBlocks::close(Block& block, std::string& out) {
  if (block.kind == Kind::call) close_call(block, out);
  if (!block.open) {
    held_ -= std::min(held_, block.held.size());
    return;
  }
  if (block.kind == Kind::thinking) {
    out += "event: content_block_delta\ndata: ";
    json::Writer data(out);
    data.open_object().key("type").raw("\"content_block_delta\"").key("index").number(index_).key("delta");
    data.open_object().key("type").raw("\"signature_delta\"").key("signature");
    data.text(std::string(foreign_signature) + signature_).close_object().close_object();
    out += "\n\n";
  }
  out += "event: content_block_stop\ndata: ";
  json::Writer(out).open_object().key("type").raw("\"content_block_stop\"").key("index").number(index_).close_object();
  out += "\n\n";
  ++index_;
}

void MessageBlocks::close_call(Block& block, std::string& out) {
  const Call& call = calls_[block.call];
  if (!block.open) return;
  any_call_ = true;
  cut_short_ = call.end.begun() && !call.end.whole();
  if (call.end.begun()) return;
  std::string input = input_of(block.held);
  block.held.clear();
  send_delta(Kind::call, input, out);
}

}  // namespace tollgate::protocol::anthropic::inbound
