// A model writes the input of a custom tool as {"input": "..."}, a few characters at a time. The text inside goes on as
// it comes, escapes and all; so what was cut within an escape waits for its other half.
#include "protocol/anthropic/answer/free_input.hpp"

#include "protocol/json_text.hpp"
#include "protocol/json_write.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::protocol::anthropic::answer {
namespace {

constexpr std::string_view wanted_name = "input";
constexpr std::size_t one_unit = 6;    // \uXXXX
constexpr std::size_t two_units = 12;  // a pair of surrogates

/// One byte of text whose characters may come in several.
void put(std::string& inside, char byte) {
  if (static_cast<unsigned char>(byte) < 0x80)
    json::append_escaped(inside, {&byte, 1});
  else
    inside += byte;
}

bool is_high_surrogate(std::string_view escape) {
  return (escape[2] | 0x20) == 'd' && std::string_view("89abAB").find(escape[3]) != std::string_view::npos;
}

}  // namespace

void FreeInput::take(std::string_view piece, std::string& inside) {
  while (!piece.empty() && place_ != Place::over) {
    if (place_ == Place::text && escape_.empty()) {
      const std::size_t plain = std::min(piece.find_first_of("\"\\"), piece.size());
      json::append_escaped(inside, piece.substr(0, plain));
      piece.remove_prefix(plain);
      if (piece.empty()) return;
    }
    step(piece.front(), inside);
    piece.remove_prefix(1);
  }
}

void FreeInput::step(char byte, std::string& inside) {
  switch (place_) {
    case Place::text: return take_text(byte, inside);
    case Place::other: return take_other(byte, inside);
    case Place::in_name:
      if (escaped_ || byte != '"') {
        escaped_ = !escaped_ && byte == '\\';
        if (name_.size() <= wanted_name.size()) name_ += byte;
      } else {
        place_ = Place::colon;
      }
      return;
    default: break;
  }
  if (json::is_blank(byte)) return;
  if (place_ == Place::value)
    begin_value(byte, inside);
  else
    find_name(byte);
}

void FreeInput::find_name(char byte) {
  if (place_ == Place::before && byte == '{') {
    place_ = Place::name;
  } else if (place_ == Place::name && byte == '"') {
    place_ = Place::in_name;
    name_.clear();
  } else if (place_ == Place::colon && byte == ':') {
    place_ = Place::value;
    wanted_ = name_ == wanted_name;
  } else if (place_ == Place::after && byte == ',' && !wanted_) {
    place_ = Place::name;
  } else {
    place_ = Place::over;
  }
}

void FreeInput::begin_value(char byte, std::string& inside) {
  if (wanted_ && byte == '"') {
    place_ = Place::text;
  } else {
    place_ = Place::other;
    take_other(byte, inside);
  }
}

void FreeInput::take_text(char byte, std::string& inside) {
  if (byte == '\\' || !escape_.empty()) {
    take_escape(byte, inside);
  } else if (byte == '"') {
    place_ = Place::over;
  } else {
    put(inside, byte);
  }
}

void FreeInput::take_escape(char byte, std::string& inside) {
  constexpr std::string_view pair = R"(\uXXXX\u)";
  const std::size_t at = escape_.size();
  if (at >= one_unit && at < pair.size() && byte != pair[at]) {
    give_up_escape(inside);
    return take_text(byte, inside);
  }
  escape_ += byte;
  const bool is_unit = at >= 1 && escape_[1] == 'u';
  const bool is_complete =
      is_unit ? escape_.size() == two_units || (escape_.size() == one_unit && !is_high_surrogate(escape_))
              : escape_.size() == 2;
  if (!is_complete) return;
  if (!json::decode(escape_)) return give_up_escape(inside);
  inside += escape_;
  escape_.clear();
}

/// It is none, or half a pair whose other half does not come: what comes after that may be an escape by itself.
void FreeInput::give_up_escape(std::string& inside) {
  const std::string escape = std::exchange(escape_, {});
  json::append_escaped(inside, json::decode_lossy(escape.substr(0, one_unit)));
  if (escape.size() <= one_unit) return;
  for (const char byte : escape.substr(one_unit)) take_text(byte, inside);
}

void FreeInput::take_other(char byte, std::string& inside) {
  const bool outside = !quoted_ && open_ == 0;
  if (outside && (byte == ',' || byte == '}')) {
    place_ = Place::after;
    return find_name(byte);
  }
  if (wanted_ && !(outside && json::is_blank(byte))) put(inside, byte);
  if (quoted_) {
    quoted_ = escaped_ || byte != '"';
    escaped_ = !escaped_ && byte == '\\';
  } else if (byte == '"') {
    quoted_ = true;
  } else if (byte == '{' || byte == '[') {
    ++open_;
  } else if (byte == '}' || byte == ']') {
    --open_;
  }
}

}  // namespace tollgate::protocol::anthropic::answer
