// Writes one access-log line: no stream, no tree, no allocation. This runs once per request on an event loop, so it
// copies whole words where it can. Whatever a client or provider put into a field, the result is one line of valid JSON
// in UTF-8.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/base/decimal.hpp"
#include "tollgate/io/access_log.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tollgate::io {
namespace {

constexpr std::size_t longest_text = 256;
constexpr std::size_t longest_escape = 6;  // \u0000
// More than all literals and numbers between two texts, or behind the last one, can come to.
constexpr std::size_t between_texts = 1024;

/// Whether one of eight bytes needs more than copying: a control character, a quote, a backslash, DEL, or not ASCII.
/// Each term sets a byte's top bit where the byte is meant; borrows reach a neighbour only when the answer is yes
/// already.
bool needs_escaping(std::uint64_t eight) {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  const auto has = [&](std::uint64_t byte) {
    const std::uint64_t difference = eight ^ (ones * byte);
    return (difference - ones) & ~difference;
  };
  const std::uint64_t control = (eight - ones * 0x20) & ~eight;
  return ((control | has('"') | has('\\') | has(0x7F) | eight) & tops) != 0;
}

struct Decoded {
  char32_t code_point;
  std::size_t length;
};

/// The character at the front of `text`; U+FFFD and length 1 where the bytes are not UTF-8 (RFC 3629: shortest form, no
/// surrogates, nothing above U+10FFFF).
Decoded decode(std::string_view text) {
  constexpr Decoded broken{0xFFFD, 1};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return broken;
  char32_t code_point = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return broken;
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < least[length] || surrogate || code_point > 0x10FFFF) return broken;
  return {code_point, length};
}

/// Control characters of both ranges would reach a terminal, the line separators end a line for some readers.
bool must_be_escaped(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFFFD;
}

/// Puts a line together in a block on the stack and hands full blocks on, so that every piece is a few inlined moves.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) : out_(out) {}
  ~LineWriter() { hand_on(); }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// Literals and numbers rely on the room that the text before them has left.
  template <std::size_t N>
  void literal(const char (&text)[N]) {
    std::memcpy(at_, text, N - 1);
    at_ += N - 1;
  }
  /// The inside of a JSON string.
  void text(std::string_view value) {
    value = value.substr(0, longest_text);
    make_room(longest_escape * longest_text + sizeof(std::uint64_t) + between_texts);
    while (!value.empty()) {
      std::uint64_t eight = 0x2020202020202020;  // what is missing at the end is plain
      const std::size_t count = std::min(value.size(), sizeof eight);
      if (count == sizeof eight) {
        std::memcpy(&eight, value.data(), sizeof eight);
      } else {
        std::memcpy(&eight, value.data(), count);
      }
      if (needs_escaping(eight)) {
        value.remove_prefix(character(value));
        continue;
      }
      std::memcpy(at_, &eight, sizeof eight);
      at_ += count;
      value.remove_prefix(count);
    }
  }
  /// A text of the gateway's own, known to be short and to need no escapes.
  void plain(std::string_view value) {
    value = value.substr(0, longest_text);
    make_room(longest_text + between_texts);
    copy_text(at_, value);
    at_ += value.size();
  }
  void number(std::uint64_t value) {
    if (value < 10)
      *at_++ = static_cast<char>('0' + value);
    else
      at_ = write_decimal(at_, value);
  }
  /// The last `Digits` digits, zeros included.
  template <std::size_t Digits>
  void padded(unsigned value) {
    for (std::size_t i = Digits; i-- > 0; value /= 10) at_[i] = static_cast<char>('0' + value % 10);
    at_ += Digits;
  }

 private:
  void make_room(std::size_t bytes) {
    if (static_cast<std::size_t>(block_.data() + block_.size() - at_) < bytes) hand_on();
  }
  void hand_on() {
    out_.append(block_.data(), at_);
    at_ = block_.data();
  }
  /// Writes the character at the front and says how many bytes it took up there.
  std::size_t character(std::string_view value) {
    const auto [code_point, length] = decode(value);
    if (must_be_escaped(code_point)) {
      constexpr std::string_view hex = "0123456789abcdef";
      *at_++ = '\\';
      *at_++ = 'u';
      for (int shift = 12; shift >= 0; shift -= 4) *at_++ = hex[code_point >> shift & 0xF];
      return length;
    }
    if (code_point == '"' || code_point == '\\') *at_++ = '\\';
    std::memcpy(at_, value.data(), length);
    at_ += length;
    return length;
  }

  std::string& out_;
  std::array<char, 4096> block_;
  char* at_ = block_.data();
};

/// RFC 3339 with milliseconds, UTC.
void write_time(LineWriter& line, SystemTime time) {
  using namespace std::chrono;
  const auto millis = floor<milliseconds>(time);
  const auto day = floor<days>(millis);
  const year_month_day date(day);
  const hh_mm_ss clock(millis - day);
  line.padded<4>(static_cast<unsigned>(static_cast<int>(date.year())));
  line.literal("-");
  line.padded<2>(static_cast<unsigned>(date.month()));
  line.literal("-");
  line.padded<2>(static_cast<unsigned>(date.day()));
  line.literal("T");
  line.padded<2>(static_cast<unsigned>(clock.hours().count()));
  line.literal(":");
  line.padded<2>(static_cast<unsigned>(clock.minutes().count()));
  line.literal(":");
  line.padded<2>(static_cast<unsigned>(clock.seconds().count()));
  line.literal(".");
  line.padded<3>(static_cast<unsigned>(clock.subseconds().count()));
  line.literal("Z");
}

/// The members of one JSON object. Keys come with all their punctuation, up to the opening quote of a text, so that
/// each is one move.
class Members {
 public:
  explicit Members(LineWriter& line) : line_(line) {}

  template <std::size_t N>
  void text(const char (&key)[N], std::string_view value) {
    line_.literal(key);
    line_.text(value);
    line_.literal("\"");
  }
  template <std::size_t N>
  void own(const char (&key)[N], std::string_view value) {
    line_.literal(key);
    line_.plain(value);
    line_.literal("\"");
  }
  template <std::size_t N>
  void literal(const char (&text)[N]) {
    line_.literal(text);
  }
  /// The same for one that may be empty: a configured name, of which config has made sure.
  template <std::size_t N>
  void own_if_any(const char (&key)[N], std::string_view value) {
    if (!value.empty()) own(key, value);
  }
  template <std::size_t N>
  void text_if_any(const char (&key)[N], std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  template <std::size_t N>
  void number(const char (&key)[N], std::uint64_t value) {
    line_.literal(key);
    line_.number(value);
  }
  template <std::size_t N>
  void boolean(const char (&key)[N], bool value) {
    line_.literal(key);
    if (value) {
      line_.literal("true");
    } else {
      line_.literal("false");
    }
  }
  template <std::size_t N>
  void millis(const char (&key)[N], Micros value) {
    const auto micros = static_cast<std::uint64_t>(std::max<Micros::rep>(value.count(), 0));
    number(key, micros / 1000);
    line_.literal(".");
    line_.padded<3>(static_cast<unsigned>(micros % 1000));
  }

 private:
  LineWriter& line_;
};

void write_who(Members& line, const pipeline::RequestRecord& record) {
  line.own(R"(,"request_id":")", record.request_id);
  line.text_if_any(R"(,"client_request_id":")", record.client_request_id);
  line.text_if_any(R"(,"upstream_request_id":")", record.upstream_request_id);
  line.own(R"(,"method":")", record.method);
  line.own(R"(,"endpoint":")", record.endpoint);
  line.own_if_any(R"(,"tenant":")", record.tenant);
  line.own_if_any(R"(,"key":")", record.key);
  line.own_if_any(R"(,"priority":")", record.priority);
  line.own_if_any(R"(,"limit":")", record.limit);
  line.own_if_any(R"(,"route":")", record.route);
  line.own_if_any(R"(,"task":")", record.task);
  line.own_if_any(R"(,"model":")", record.model);
  line.own_if_any(R"(,"target":")", record.target);
}

/// The one that the line is about: the last one, unless the one beside it has won.
const pipeline::AttemptRecord& decisive_attempt(const pipeline::RequestRecord& record) {
  const auto& attempts = record.attempts;
  const auto found = std::find_if(attempts.rbegin(), attempts.rend(),
                                  [&record](const auto& attempt) { return attempt.target == record.target; });
  return found == attempts.rend() ? attempts.back() : *found;
}

void write_attempts(Members& line, const pipeline::RequestRecord& record) {
  const auto& attempts = record.attempts;
  if (attempts.empty()) return line.number(R"(,"attempts":)", 0);
  const auto& decisive = decisive_attempt(record);
  line.own_if_any(R"(,"credential":")", decisive.credential);
  line.number(R"(,"attempts":)", attempts.size());
  line.boolean(R"(,"reused":)", decisive.reused);
  line.boolean(R"(,"replayed":)",
               std::any_of(attempts.begin(), attempts.end(), [](const auto& attempt) { return attempt.replayed; }));
}

void write_ending(Members& line, const pipeline::RequestRecord& record) {
  line.number(R"(,"status":)", record.status);
  line.own(R"(,"outcome":")", name_of(record.outcome));
  line.own(R"(,"ended_by":")", name_of(record.ended_by));
  line.own(R"(,"phase":")", name_of(record.phase));
  line.text_if_any(R"(,"error_code":")", record.error_code);
  line.boolean(R"(,"stream":)", record.stream);
}

void write_amounts(Members& line, const pipeline::RequestRecord& record) {
  if (const auto& usage = record.usage) {
    line.number(R"(,"input_tokens":)", usage->input);
    line.number(R"(,"cached_input_tokens":)", usage->cached_input);
    line.number(R"(,"output_tokens":)", usage->output);
    line.number(R"(,"reasoning_tokens":)", usage->reasoning);
    if (record.estimated) line.literal(R"(,"estimated":true)");
  }
  line.number(R"(,"bytes_in":)", record.bytes_in);
  line.number(R"(,"bytes_out":)", record.bytes_out);
  line.millis(R"(,"duration_ms":)", record.duration);
  if (record.first_token) line.millis(R"(,"first_token_ms":)", *record.first_token);
  line.millis(R"(,"upstream_ms":)", record.waited_for_upstream);
  line.number(R"(,"overhead_us":)", static_cast<std::uint64_t>(std::max<Micros::rep>(record.overhead().count(), 0)));
}

}  // namespace

void append_access_line(std::string& out, const pipeline::RequestRecord& record) {
  LineWriter line(out);
  line.literal(R"({"time":")");
  write_time(line, record.began_at);
  line.literal("\"");
  Members members(line);
  write_who(members, record);
  write_attempts(members, record);
  write_ending(members, record);
  write_amounts(members, record);
  line.literal("}\n");
}

std::string format_access_line(const pipeline::RequestRecord& record) {
  std::string line;
  append_access_line(line, record);
  return line;
}

}  // namespace tollgate::io
