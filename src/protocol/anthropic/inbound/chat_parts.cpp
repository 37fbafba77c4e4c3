#include "protocol/anthropic/inbound/chat_parts.hpp"

namespace tollgate::protocol::anthropic::inbound {

void ChatParts::add_text(std::string_view inside) {
  if (texts_ == Texts::joined) {
    if (text_count_ > 0) text_ += separator_;
    text_ += inside;
  } else {
    // Kept beside the parts as long as it may turn out to be the only one.
    if (part_count_ == 0) text_ = inside;
    std::string part;
    json::Writer(part).open_object().key("type").raw("\"text\"").key("text").escaped(inside).close_object();
    add_part(part);
  }
  ++text_count_;
}

void ChatParts::add_part(std::string_view json) {
  if (part_count_++ > 0) parts_ += ',';
  parts_ += json;
}

void ChatParts::write_content(json::Writer& out) const {
  if (texts_ == Texts::joined || (part_count_ == 1 && text_count_ == 1)) {
    out.escaped(text_);
  } else {
    out.open_array().raw(parts_).close_array();
  }
}

}  // namespace tollgate::protocol::anthropic::inbound
