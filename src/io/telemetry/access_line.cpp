// Writes one access-log line by appending to a string: no stream, no tree. Whatever a client or provider put into a
// field, the result is one line of valid JSON in valid UTF-8.
#include "tollgate/io/access_log.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace tollgate::io {
namespace {

constexpr std::size_t longest_text = 256;

/// Bytes that stand for themselves in a JSON string.
constexpr auto plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();
bool is_plain(char c) { return plain_bytes[static_cast<unsigned char>(c)]; }

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

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto run = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) return;
    const auto [code_point, length] = decode(text);
    if (code_point == '"' || code_point == '\\') {
      out += '\\';
      out += text.front();
    } else if (must_be_escaped(code_point)) {
      std::array<char, 7> escape;
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(code_point));
      out.append(escape.data(), 6);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
}

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// `value` below 1,000 as three digits, `value` below 100 as two.
template <std::size_t Digits>
void append_padded(std::string& out, unsigned value) {
  std::array<char, Digits> digits;
  for (std::size_t i = Digits; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), Digits);
}

/// RFC 3339 with milliseconds, UTC.
void append_time(std::string& out, SystemTime time) {
  using namespace std::chrono;
  const auto millis = floor<milliseconds>(time);
  const auto day = floor<days>(millis);
  const year_month_day date(day);
  const hh_mm_ss clock(millis - day);
  append_padded<4>(out, static_cast<unsigned>(static_cast<int>(date.year())));
  out += '-';
  append_padded<2>(out, static_cast<unsigned>(date.month()));
  out += '-';
  append_padded<2>(out, static_cast<unsigned>(date.day()));
  out += 'T';
  append_padded<2>(out, static_cast<unsigned>(clock.hours().count()));
  out += ':';
  append_padded<2>(out, static_cast<unsigned>(clock.minutes().count()));
  out += ':';
  append_padded<2>(out, static_cast<unsigned>(clock.seconds().count()));
  out += '.';
  append_padded<3>(out, static_cast<unsigned>(clock.subseconds().count()));
  out += 'Z';
}

/// The members of one JSON object. Keys are given with all their punctuation, `,"key":`, so that each is one append.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) {}

  void text(std::string_view key, std::string_view value) {
    out_.append(key);
    out_ += '"';
    append_escaped(out_, value.substr(0, longest_text));
    out_ += '"';
  }
  void text_if_any(std::string_view key, std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  void number(std::string_view key, std::uint64_t value) {
    out_.append(key);
    append_number(out_, value);
  }
  void boolean(std::string_view key, bool value) {
    out_.append(key);
    out_.append(value ? "true" : "false");
  }
  void millis(std::string_view key, Micros value) {
    const auto micros = static_cast<std::uint64_t>(std::max<Micros::rep>(value.count(), 0));
    number(key, micros / 1000);
    out_ += '.';
    append_padded<3>(out_, static_cast<unsigned>(micros % 1000));
  }

 private:
  std::string& out_;
};

void append_who(Members& line, const pipeline::RequestRecord& record) {
  line.text(R"(,"request_id":)", record.request_id);
  line.text_if_any(R"(,"client_request_id":)", record.client_request_id);
  line.text_if_any(R"(,"upstream_request_id":)", record.upstream_request_id);
  line.text(R"(,"method":)", record.method);
  line.text(R"(,"endpoint":)", record.endpoint);
  line.text_if_any(R"(,"route":)", record.route);
  line.text_if_any(R"(,"task":)", record.task);
  line.text_if_any(R"(,"model":)", record.model);
  line.text_if_any(R"(,"target":)", record.target);
}

void append_attempts(Members& line, const pipeline::RequestRecord& record) {
  const auto& attempts = record.attempts;
  if (!attempts.empty()) line.text_if_any(R"(,"credential":)", attempts.back().credential);
  line.number(R"(,"attempts":)", attempts.size());
  if (attempts.empty()) return;
  line.boolean(R"(,"reused":)", attempts.back().reused);
  line.boolean(R"(,"replayed":)",
               std::any_of(attempts.begin(), attempts.end(), [](const auto& attempt) { return attempt.replayed; }));
}

void append_ending(Members& line, const pipeline::RequestRecord& record) {
  line.number(R"(,"status":)", record.status);
  line.text(R"(,"outcome":)", name_of(record.outcome));
  line.text(R"(,"ended_by":)", name_of(record.ended_by));
  line.text(R"(,"phase":)", name_of(record.phase));
  line.text_if_any(R"(,"error_code":)", record.error_code);
  line.boolean(R"(,"stream":)", record.stream);
}

void append_amounts(Members& line, const pipeline::RequestRecord& record) {
  if (const auto& usage = record.usage) {
    line.number(R"(,"input_tokens":)", usage->input);
    line.number(R"(,"cached_input_tokens":)", usage->cached_input);
    line.number(R"(,"output_tokens":)", usage->output);
    line.number(R"(,"reasoning_tokens":)", usage->reasoning);
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
  out.append(R"({"time":")");
  append_time(out, record.began_at);
  out += '"';
  Members line(out);
  append_who(line, record);
  append_attempts(line, record);
  append_ending(line, record);
  append_amounts(line, record);
  out.append("}\n");
}

std::string format_access_line(const pipeline::RequestRecord& record) {
  std::string line;
  append_access_line(line, record);
  return line;
}

}  // namespace tollgate::io
