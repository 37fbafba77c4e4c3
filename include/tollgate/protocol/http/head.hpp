#pragma once
// Heads of HTTP/1.x messages: bytes in; method, target, field views and framing out, or a refusal. Strict where
// leniency has let requests be smuggled (docs/http-rules.md lists each rule). Pure functions, no allocation, any
// thread.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::protocol::http {

struct Field {
  std::string_view name;   ///< as sent
  std::string_view value;  ///< without the optional white space around it
};

/// Upper bound on fields, whatever the limits say.
inline constexpr std::size_t max_fields = 128;

/// The fields of one head in the order sent, duplicates included. Views into the caller's bytes.
class Fields {
 public:
  const Field* begin() const { return fields_.data(); }
  const Field* end() const { return fields_.data() + count_; }
  std::size_t size() const { return count_; }
  bool full() const { return count_ == max_fields; }
  void add(Field field) {
    sizes_[count_] = short_size(field.name);
    fields_[count_++] = field;
  }
  void clear() { count_ = 0; }
  /// The first field of that name (ASCII case-insensitive; `name` in lower case) or null.
  const Field* find(std::string_view name) const;
  /// Its value, or empty.
  std::string_view value(std::string_view name) const;

 private:
  static std::uint8_t short_size(std::string_view name) { return static_cast<std::uint8_t>(name.size()); }

  std::array<Field, max_fields> fields_;
  std::size_t count_ = 0;
  alignas(16) std::array<std::uint8_t, max_fields> sizes_;  ///< of the names, modulo 256: what find() looks at
};

/// How the body ends.
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct Limits {
  std::size_t max_head = 32 * 1024;  ///< bytes from the first of the start line to the end of the empty line
  std::size_t max_fields = 100;
  std::size_t max_target = 8 * 1024;  ///< requests only
};

/// Why a head was refused. The text names the rule for the log and the client; the status is 400, 408, 414, 417, 431,
/// 501 or 505.
struct Refusal {
  std::uint16_t status = 400;
  std::string_view reason;  ///< a literal
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  ///< as sent: origin form ("/..."), or "*" with OPTIONS
  bool http_1_0 = false;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;        ///< what version and Connection say
  bool expect_continue = false;  ///< Expect: 100-continue
  bool speaks_to_us = false;     ///< some field's name begins with x-tollgate-
  std::string_view host;
  // The values of fields that are sent once; empty: none.
  std::string_view authorization, x_api_key, api_key, content_type, content_encoding, x_request_id;
  Fields fields;
};

struct ResponseHead {
  std::uint16_t status = 0;
  bool http_1_0 = false;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  Fields fields;
};

enum class ParseState : std::uint8_t { need_more, complete, refused };

struct ParseResult {
  ParseState state = ParseState::need_more;
  std::size_t size = 0;  ///< bytes of the head, when complete
  Refusal refusal;       ///< when refused
};

/// Parses a request head at the start of `bytes`. Up to one empty line before the start line is skipped (counted in
/// size). Call again with more bytes after need_more; a head larger than the limits is refused as soon as that is
/// certain.
ParseResult parse_request_head(std::string_view bytes, const Limits& limits, RequestHead& out);

/// Parses a response head to a request made with `method` (HEAD, and 1xx, 204, 304 have no body). Refusals have status
/// 502.
ParseResult parse_response_head(std::string_view bytes, const Limits& limits, std::string_view method,
                                ResponseHead& out);

/// The same for texts of one size that is not 0.
bool all_equal_ignoring_case(std::string_view any, std::string_view lower);

/// ASCII case-insensitive equality; `lower` is in lower case.
inline bool equals_ignoring_case(std::string_view any, std::string_view lower) {
  if (any.size() != lower.size()) return false;
  // Most names of one size differ in their first letter, by more than its case.
  return any.empty() || (((any.front() ^ lower.front()) & ~0x20) == 0 && all_equal_ignoring_case(any, lower));
}

/// True where the comma-separated list holds the token (ASCII case-insensitive).
bool list_has(std::string_view list, std::string_view token);

}  // namespace tollgate::protocol::http
