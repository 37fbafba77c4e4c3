#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol {

/// A text as it reads once JSON's escapes and percent encoding are undone, however often they were applied: for finding
/// things in it, not for passing it on. Backslashes vanish; a character beyond ASCII that was escaped is `unknown`; a
/// quote that ends a string of JSON is `string_end`.
struct PlainText {
  static constexpr char string_end = '\x01';
  static constexpr char unknown = '\x02';

  /// In JSON a quote that is not escaped ends a string.
  enum class Of : std::uint8_t { text, json };
  PlainText(std::string_view written, Of kind);
  /// JSON is what begins like an object or an array.
  static Of kind_of(std::string_view written);

  std::string bytes;
  /// Where each byte was written; one more for the end.
  std::vector<std::uint32_t> offsets;

  bool was_escaped(std::size_t index) const { return offsets[index + 1] - offsets[index] > 1; }
};

}  // namespace tollgate::protocol
