// Requests and answers that are translated are written piece by piece, most of them taken over as they are: a tree
// would change numbers and order, and cost more than the relay.
#include "protocol/json_write.hpp"

#include "tollgate/base/decimal.hpp"

#include "protocol/json_text.hpp"

namespace tollgate::protocol::json {

namespace {

void append_control(std::string& out, char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\u00";
  out += digits[static_cast<unsigned char>(byte) >> 4];
  out += digits[static_cast<unsigned char>(byte) & 15];
}

bool is_plain(char byte) { return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F; }

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const char byte = text.front();
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += byte;
      text.remove_prefix(1);
    } else if (const std::size_t length = utf8_length(text); static_cast<unsigned char>(byte) < 0x80) {
      append_control(out, byte);
      text.remove_prefix(1);
    } else {
      out += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
      text.remove_prefix(length > 0 ? length : 1);
    }
  }
}

void Writer::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

Writer& Writer::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

Writer& Writer::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  first_ = true;
  return *this;
}

Writer& Writer::text(std::string_view value) {
  separate();
  out_ += '"';
  append_escaped(out_, value);
  out_ += '"';
  return *this;
}

Writer& Writer::escaped(std::string_view inside) {
  separate();
  out_ += '"';
  out_ += inside;
  out_ += '"';
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

Writer& Writer::number(std::uint64_t value) { return raw(Decimal(value).text()); }

}  // namespace tollgate::protocol::json
