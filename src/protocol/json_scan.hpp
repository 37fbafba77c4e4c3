#pragma once
// A forward reader of JSON text where it lies: the caller steps into the few objects it knows and steps over the rest,
// in one pass and without a tree. No recursion, no allocation (but for a key with escapes), linear on any input.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::json {

enum class Kind : std::uint8_t { none, null, boolean, number, string, object, array };

/// Why reading stopped.
enum class Fault : std::uint8_t {
  none,
  ended,       ///< the text ends within a value
  unexpected,  ///< a byte that cannot stand there
  escape,      ///< a broken escape in a string, or a key that is no text when decoded
  control,     ///< a raw control character in a string
  depth,       ///< more than max_depth brackets open
  bracket      ///< a closing bracket of the wrong kind
};
/// "unexpected character" and the like, to be followed by a place.
std::string_view describe(Fault fault);

/// Brackets open at once, the outermost included.
inline constexpr unsigned max_depth = 64;

/// JSON's white space.
inline bool is_blank(char byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

/// A value as written. `text` views the text that is read.
struct Value {
  Kind kind = Kind::none;
  std::string_view text{};

  bool is_true() const { return text == "true"; }
  bool is_null() const { return kind == Kind::null; }
  /// Neither missing nor null.
  bool is_given() const { return kind != Kind::none && kind != Kind::null; }
  /// A string without its quotes, still escaped.
  std::string_view inside() const { return text.substr(1, text.size() - 2); }
  /// As Python sees it: not null, false, zero, nor an empty string, array or object.
  bool truthy() const;
};

/// Strings, and the tokens and punctuation of everything stepped into, are checked by RFC 8259 (but for UTF-8: see
/// decode). In nested values stepped over, brackets must pair and only JSON's own characters may stand between strings;
/// so comments, single quotes or NaN cannot make another reader see other members than this one.
class Reader {
 public:
  explicit Reader(std::string_view text);

  /// The kind of the value that comes next, or none.
  Kind peek();
  /// Steps over the next value and returns it; kind none after a fault.
  Value take();

  /// Steps into the next value if it is an object; otherwise nothing is consumed.
  bool enter_object() { return enter('{'); }
  /// On to the next member's value, which must then be taken or entered. False: the object ended, or a fault.
  bool next_member();
  /// The member's name, decoded. Valid until the next call of next_member().
  std::string_view key() const { return key_; }
  /// Offset of the member's opening quote.
  std::size_t key_offset() const { return static_cast<std::size_t>(key_at_ - begin_); }
  /// Offset of the comma before the member, where there is one.
  std::optional<std::size_t> comma_offset() const;

  /// The same for arrays.
  bool enter_array() { return enter('['); }
  bool next_element();

  /// Nothing but blanks is left. Call once the outermost value is taken or left.
  bool finish();

  /// Brackets that were open at once at most, so far.
  unsigned deepest() const { return deepest_; }

  bool failed() const { return fault_ != Fault::none; }
  Fault fault() const { return fault_; }
  /// Offset of the next byte; after a fault, of the byte at fault.
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t offset_of(std::string_view part) const { return static_cast<std::size_t>(part.data() - begin_); }

 private:
  bool fail(Fault fault);
  bool enter(char open);
  bool next_item(char close);
  void skip_blanks();
  [[gnu::noinline]] bool decode_key();
  bool skip_string();
  bool skip_string_rest(const char* at);
  bool skip_literal(std::string_view word);
  bool skip_number();
  bool skip_digits();
  bool skip_nested();

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* key_at_;
  const char* comma_at_ = nullptr;
  std::string_view key_;
  std::string decoded_key_;
  unsigned depth_ = 0, deepest_ = 0;
  bool first_ = false;    ///< just stepped into an object or array
  bool escaped_ = false;  ///< the last string skipped has a backslash
  Fault fault_ = Fault::none;
};

}  // namespace tollgate::protocol::json
