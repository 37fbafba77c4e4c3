#pragma once
// Writes JSON into a string: commas are put where they belong, and text that is JSON already is taken as it is, so that
// what is only handed on keeps its numbers, its order and its escapes.
#include "protocol/json_scan.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol::json {

class Writer {
 public:
  /// Appends to `out`, which must outlive it.
  explicit Writer(std::string& out) : out_(out) {}

  Writer& open_object() { return open('{'); }
  Writer& close_object() { return close('}'); }
  Writer& open_array() { return open('['); }
  Writer& close_array() { return close(']'); }
  /// The next value's name, of plain ASCII without quotes.
  Writer& key(std::string_view name);
  /// Any UTF-8 text; what is none becomes U+FFFD.
  Writer& text(std::string_view value);
  /// The inside of a JSON string, as written there.
  Writer& escaped(std::string_view inside);
  /// A whole JSON value, or several with commas between, as written.
  Writer& raw(std::string_view json);
  Writer& number(std::uint64_t value);
  Writer& boolean(bool value) { return raw(value ? "true" : "false"); }
  Writer& null() { return raw("null"); }

 private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  void separate();

  std::string& out_;
  bool first_ = true;  ///< nothing stands before in the innermost brackets, or a key does
};

/// Appends the text as the inside of a JSON string: for one that is written piece by piece.
void append_escaped(std::string& out, std::string_view text);

}  // namespace tollgate::protocol::json
