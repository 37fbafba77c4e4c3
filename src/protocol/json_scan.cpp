// Bodies are scanned on every request and every stream event, so this reads bytes in place and looks at string text
// sixteen bytes at a time; and since the bytes are hostile, it neither recurses nor does anything twice.
#include "protocol/json_scan.hpp"

#include "tollgate/base/ascii.hpp"

#include "protocol/byte_scan.hpp"
#include "protocol/json_nested.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <array>

namespace tollgate::protocol::json {
namespace {

const char* blanks_end(const char* at, const char* end) {
  while (at != end && is_blank(*at)) ++at;
  return at;
}

constexpr std::array<Kind, 256> make_kinds() {
  std::array<Kind, 256> kinds{};
  for (const char byte : std::string_view("-0123456789")) kinds[static_cast<unsigned char>(byte)] = Kind::number;
  kinds['"'] = Kind::string;
  kinds['{'] = Kind::object;
  kinds['['] = Kind::array;
  kinds['t'] = kinds['f'] = Kind::boolean;
  kinds['n'] = Kind::null;
  return kinds;
}
constexpr std::array<Kind, 256> kind_by_first_byte = make_kinds();

}  // namespace

std::string_view describe(Fault fault) {
  switch (fault) {
    case Fault::none: return "no fault";
    case Fault::ended: return "unexpected end";
    case Fault::unexpected: return "unexpected character";
    case Fault::escape: return "broken escape in a string";
    case Fault::control: return "raw control character in a string";
    case Fault::depth: return "more than 64 levels of nesting";
    case Fault::bracket: return "closing bracket of the wrong kind";
  }
  return "no fault";  // GCOVR_EXCL_LINE: every fault has returned
}

bool Value::truthy() const {
  switch (kind) {
    case Kind::none:
    case Kind::null: return false;
    case Kind::boolean: return is_true();
    case Kind::number: return text.find_first_of("123456789") != std::string_view::npos;
    case Kind::string: return text.size() > 2;
    case Kind::object:
    case Kind::array: return inside().find_first_not_of(" \t\r\n") != std::string_view::npos;
  }
  return false;
}

Reader::Reader(std::string_view text)
    : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), key_at_(text.data()) {}

bool Reader::fail(Fault fault) {
  if (fault_ == Fault::none) fault_ = fault;
  end_ = at_;  // so that whatever is asked next finds nothing left
  return false;
}

inline void Reader::skip_blanks() {
  if (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ') at_ = blanks_end(at_, end_);
}

Kind Reader::peek() {
  skip_blanks();
  return at_ == end_ ? Kind::none : kind_by_first_byte[static_cast<unsigned char>(*at_)];
}

// Inlined by hand: half of what a small body costs is the calls between these.
[[gnu::always_inline]] inline bool Reader::skip_string() {
  escaped_ = false;
  const char* const at = find_string_special(at_ + 1, end_);
  if (at == end_ || *at != '"') return skip_string_rest(at);
  at_ = at + 1;
  return true;
}

[[gnu::always_inline]] inline bool Reader::next_item(char close) {
  skip_blanks();
  if (at_ == end_) return fail(Fault::ended);
  if (*at_ == close) {
    ++at_;
    --depth_;
    first_ = false;
    return false;
  }
  comma_at_ = nullptr;
  if (!first_) {
    if (*at_ != ',') return fail(Fault::unexpected);
    comma_at_ = at_++;
    skip_blanks();
  }
  first_ = false;
  return true;
}

Value Reader::take() {
  const Kind kind = peek();
  const char* const start = at_;
  bool whole = false;
  switch (kind) {
    case Kind::none: fail(at_ == end_ ? Fault::ended : Fault::unexpected); break;
    case Kind::null: whole = skip_literal("null"); break;
    case Kind::boolean: whole = skip_literal(*at_ == 't' ? "true" : "false"); break;
    case Kind::number: whole = skip_number(); break;
    case Kind::string: whole = skip_string(); break;
    case Kind::object:
    case Kind::array: whole = skip_nested(); break;
  }
  if (!whole) return {};
  return {kind, {start, static_cast<std::size_t>(at_ - start)}};
}

bool Reader::enter(char open) {
  skip_blanks();
  if (at_ == end_ || *at_ != open) return false;
  if (depth_ == max_depth) return fail(Fault::depth);
  ++at_;
  ++depth_;
  deepest_ = std::max(deepest_, depth_);
  first_ = true;
  return true;
}

bool Reader::next_element() { return next_item(']'); }

bool Reader::next_member() {
  if (!next_item('}')) return false;
  if (at_ == end_) return fail(Fault::ended);
  if (*at_ != '"') return fail(Fault::unexpected);
  key_at_ = at_;
  if (!skip_string()) return false;
  key_ = {key_at_ + 1, static_cast<std::size_t>(at_ - key_at_) - 2};
  if (escaped_ && !decode_key()) return false;
  skip_blanks();
  if (at_ == end_) return fail(Fault::ended);
  if (*at_ != ':') return fail(Fault::unexpected);
  ++at_;
  return true;
}

bool Reader::decode_key() {
  auto decoded = decode(key_);
  if (!decoded) {
    at_ = key_at_;
    return fail(Fault::escape);
  }
  decoded_key_ = std::move(*decoded);
  key_ = decoded_key_;
  return true;
}

std::optional<std::size_t> Reader::comma_offset() const {
  if (comma_at_ == nullptr) return std::nullopt;
  return static_cast<std::size_t>(comma_at_ - begin_);
}

bool Reader::finish() {
  skip_blanks();
  if (failed()) return false;
  return at_ == end_ || fail(Fault::unexpected);
}

bool Reader::skip_string_rest(const char* at) {
  for (;;) {
    at = find_string_special(at, end_);
    at_ = at;
    if (at == end_) return fail(Fault::ended);
    if (*at == '"') {
      ++at_;
      return true;
    }
    if (*at != '\\') return fail(Fault::control);
    const std::size_t length = escape_length({at, static_cast<std::size_t>(end_ - at)});
    if (length == 0) return fail(Fault::escape);
    escaped_ = true;
    at += length;
  }
}

bool Reader::skip_literal(std::string_view word) {
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  if (!rest.starts_with(word)) return fail(Fault::unexpected);
  at_ += word.size();
  return true;
}

bool Reader::skip_digits() {
  const char* at = at_;
  while (at != end_ && is_digit(*at)) ++at;
  if (at == at_) return fail(at_ == end_ ? Fault::ended : Fault::unexpected);
  at_ = at;
  return true;
}

bool Reader::skip_number() {
  if (*at_ == '-') ++at_;
  if (at_ != end_ && *at_ == '0') {
    ++at_;
  } else if (!skip_digits()) {
    return false;
  }
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    if (!skip_digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!skip_digits()) return false;
  }
  return true;
}

bool Reader::skip_nested() {
  NestedWalk walk{.at = at_, .limit = max_depth - depth_};
  walk_blocks(walk, end_);
  at_ = walk.at;
  if (walk.in_string && !skip_string_rest(at_)) return false;
  while (!walk.ended()) {
    at_ = find_between_special(at_, end_);
    if (at_ == end_) return fail(Fault::ended);
    if (*at_ == '"') {
      if (!skip_string()) return false;
    } else if (is_bracket(*at_)) {
      const Fault fault = walk.pass_bracket(*at_);
      if (fault != Fault::none) return fail(fault);
      ++at_;
    } else if (is_blank(*at_) || *at_ == 'E') {
      ++at_;
    } else {
      return fail(Fault::unexpected);
    }
  }
  deepest_ = std::max(deepest_, depth_ + walk.deepest);
  return true;
}

}  // namespace tollgate::protocol::json
