// The operators. Some keep a request valid on purpose (other chunks, another order, blanks around values): what all
// parsers refuse tells nothing about how they differ.
#include "mutations.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace tollgate::differential {
namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) { return bound == 0 ? 0 : random() % bound; }

template <class List>
const auto& one_of(Random& random, const List& list) {
  return list[below(random, std::size(list))];
}

/// Bytes up to and with the empty line, or all.
std::size_t head_size(const std::string& raw) {
  const std::size_t end = raw.find("\r\n\r\n", raw.starts_with("\r\n") ? 2 : 0);
  return end == std::string::npos ? raw.size() : end + 4;
}

struct Line {
  std::size_t begin;
  std::size_t size;  ///< with its end
};

/// The field lines of the head; never the request line nor the empty line.
std::vector<Line> field_lines(const std::string& raw) {
  std::vector<Line> lines;
  const std::size_t end = head_size(raw);
  for (std::size_t begin = 0; begin < end;) {
    const std::size_t next = std::min(raw.find('\n', begin), end - 1) + 1;
    lines.push_back({begin, next - begin});
    begin = next;
  }
  if (!lines.empty()) lines.erase(lines.begin());
  if (raw.starts_with("\r\n") && !lines.empty()) lines.erase(lines.begin());
  if (!lines.empty() && lines.back().size <= 2) lines.pop_back();
  return lines;
}

void insert_token(std::string& raw, Random& random) {
  using namespace std::string_view_literals;
  static constexpr std::array tokens = {
      " "sv,    "\t"sv,   "\r"sv, "\n"sv,   "\r\n"sv, "\r\n "sv,   "\r\n\t"sv, "\r\n\r\n"sv, "\n\n"sv,
      ","sv,    ";"sv,    ":"sv,  "\""sv,   "\0"sv,   "\v"sv,      "\f"sv,     "\x01"sv,     "\x7f"sv,
      "\x80"sv, "\xa0"sv, "0"sv,  "+"sv,    "-"sv,    "_"sv,       "0x"sv,     "%"sv,        "%2e"sv,
      "#"sv,    "\\"sv,   "//"sv, "/../"sv, "?"sv,    "chunked"sv, "; q"sv,    ", a"sv,      "close"sv};
  raw.insert(below(random, raw.size() + 1), one_of(random, tokens));
}

void erase_bytes(std::string& raw, Random& random) { raw.erase(below(random, raw.size()), 1 + below(random, 4)); }

void replace_byte(std::string& raw, Random& random) {
  if (!raw.empty()) raw[below(random, raw.size())] = static_cast<char>(random());
}

void replace_by_visible_byte(std::string& raw, Random& random) {
  if (!raw.empty()) raw[below(random, head_size(raw))] = static_cast<char>(0x21 + below(random, 0x5E));
}

void duplicate_slice(std::string& raw, Random& random) {
  const std::string slice = raw.substr(below(random, raw.size()), 1 + below(random, 40));
  raw.insert(below(random, raw.size() + 1), slice);
}

void swap_bytes(std::string& raw, Random& random) {
  if (!raw.empty()) std::swap(raw[below(random, raw.size())], raw[below(random, raw.size())]);
}

void repeat_line(std::string& raw, Random& random) {
  const auto lines = field_lines(raw);
  if (lines.empty()) return;
  const Line from = one_of(random, lines);
  raw.insert(one_of(random, lines).begin, raw.substr(from.begin, from.size));
}

void drop_line(std::string& raw, Random& random) {
  const auto lines = field_lines(raw);
  if (lines.empty()) return;
  const Line line = one_of(random, lines);
  raw.erase(line.begin, line.size);
}

void move_line(std::string& raw, Random& random) {
  const auto lines = field_lines(raw);
  if (lines.empty()) return;
  const Line from = one_of(random, lines);
  const std::size_t to = one_of(random, lines).begin;
  const std::string line = raw.substr(from.begin, from.size);
  raw.erase(from.begin, from.size);
  raw.insert(to > from.begin ? to - from.size : to, line);
}

void flip_case(std::string& raw, Random& random) {
  const std::size_t begin = below(random, head_size(raw));
  const std::size_t end = std::min(begin + 1 + below(random, 20), raw.size());
  for (std::size_t at = begin; at < end; ++at) {
    const auto c = static_cast<unsigned char>(raw[at]);
    raw[at] = static_cast<char>(std::isupper(c) != 0 ? std::tolower(c) : std::toupper(c));
  }
}

void pad_value(std::string& raw, Random& random) {
  static constexpr std::array<std::string_view, 7> pads = {" ", "\t", "  ", " \t ", "", "\t\t", "      "};
  const auto lines = field_lines(raw);
  if (lines.empty()) return;
  const Line line = one_of(random, lines);
  const bool after = random() % 2 == 0;
  const std::size_t colon = std::min(raw.find(':', line.begin), line.begin + line.size - 1);
  const std::size_t at = after ? line.begin + std::max<std::size_t>(line.size, 2) - 2 : colon + 1;
  if (!after && at < raw.size() && raw[at] == ' ' && random() % 2 == 0) raw.erase(at, 1);
  raw.insert(std::min(at, raw.size()), one_of(random, pads));
}

void break_line_end(std::string& raw, Random& random) {
  static constexpr std::array<std::string_view, 7> ends = {"\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", "", " \r\n"};
  std::vector<std::size_t> places;
  for (std::size_t at = raw.find("\r\n"); at != std::string::npos; at = raw.find("\r\n", at + 2)) places.push_back(at);
  if (!places.empty()) raw.replace(one_of(random, places), 2, one_of(random, ends));
}

void add_field(std::string& raw, Random& random) {
  static constexpr std::array<std::string_view, 34> fields = {"Content-Length: 3",
                                                              "Content-Length: 0",
                                                              "Transfer-Encoding: chunked",
                                                              "Transfer-Encoding: identity",
                                                              "Host: b",
                                                              "Connection: close",
                                                              "Connection: keep-alive",
                                                              "Connection: close, x",
                                                              "Connection: Upgrade",
                                                              "Expect: 100-continue",
                                                              "Upgrade: websocket",
                                                              "Proxy-Connection: keep-alive",
                                                              "Keep-Alive: timeout=5",
                                                              "TE: chunked",
                                                              "Trailer: X",
                                                              "X: a\tb",
                                                              "X:a:b::c",
                                                              "x: ",
                                                              "X: \"quoted, list\"",
                                                              "!#$%&'*+-.^`|~: 1",
                                                              "1: 2",
                                                              "Range: bytes=0-1",
                                                              "If-Modified-Since: x",
                                                              "Cookie: a=b; c=d",
                                                              "Accept: a, b",
                                                              "X-Forwarded-For: 1.2.3.4",
                                                              "X-HTTP-Method-Override: GET",
                                                              "HTTP2-Settings: AAMAAABk",
                                                              "Sec-WebSocket-Key: AAAA",
                                                              "Date: x",
                                                              "Via: 1.1 a",
                                                              "Content-Encoding: gzip",
                                                              "Content-Type: text/plain",
                                                              "Transfer-Encodin: chunked"};
  const auto lines = field_lines(raw);
  const std::string line = std::string(one_of(random, fields)) + "\r\n";
  if (!lines.empty()) raw.insert(one_of(random, lines).begin, line);
}

void change_digits(std::string& raw, Random& random) {
  static constexpr std::array<std::string_view, 8> numbers = {"0", "1", "00", "10", "16", "ff", "99", "4294967296"};
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < raw.size(); ++at)
    if (std::isdigit(static_cast<unsigned char>(raw[at])) != 0) places.push_back(at);
  if (places.empty()) return;
  const std::size_t at = one_of(random, places);
  if (random() % 2 == 0) {
    raw[at] = static_cast<char>('0' + below(random, 10));
  } else {
    raw.replace(at, 1, one_of(random, numbers));
  }
}

void splice_seeds(std::string& raw, Random& random) {
  const std::string& other = one_of(random, seed_requests());
  if (random() % 2 == 0) {  // one head, the other's body
    raw = raw.substr(0, head_size(raw)) + other.substr(head_size(other));
  } else {
    raw = raw.substr(0, below(random, raw.size())) + other.substr(below(random, other.size()));
  }
}

std::string random_body(Random& random) {
  std::string body(below(random, 200), 0);
  for (char& c : body)
    c = random() % 4 == 0 ? one_of(random, std::string_view("\r\n0 \t;:")) : static_cast<char>(random());
  return body;
}

std::string hex(std::size_t size, Random& random) {
  std::string digits;
  do {
    digits.insert(digits.begin(), (random() % 2 == 0 ? "0123456789abcdef" : "0123456789ABCDEF")[size & 0xF]);
    size >>= 4;
  } while (size != 0);
  return std::string(below(random, 3), '0') + digits;
}

/// A new body under the framing that the head names.
void renew_body(std::string& raw, Random& random) {
  const std::size_t head = head_size(raw);
  const std::string body = random_body(random);
  if (raw.find("chunked") < head) {
    raw.resize(head);
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t run = 1 + below(random, body.size() - at);
      raw += hex(run, random) + "\r\n" + body.substr(at, run) + "\r\n";
      at += run;
    }
    raw += std::string(1 + below(random, 3), '0') + "\r\n\r\n";
    return;
  }
  static constexpr std::string_view name = "Content-Length: ";
  const std::size_t at = raw.find(name);
  if (at >= head) return;
  raw.resize(head);
  const std::size_t begin = at + name.size();
  raw.replace(begin, raw.find('\r', begin) - begin, std::to_string(body.size()));
  raw += body;
}

void replace_first(std::string& raw, std::string_view what, std::string_view by) {
  const std::size_t at = raw.find(what);
  if (at != std::string::npos) raw.replace(at, what.size(), by);
}

void change_version(std::string& raw, Random& random) {
  static constexpr std::array<std::string_view, 12> versions = {"HTTP/1.0", "HTTP/1.0", "HTTP/1.0", "HTTP/1.1 ",
                                                                "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.10",
                                                                "HTTP/1,1", "HTTP/",    "",         "HTTP/0.9"};
  replace_first(raw, "HTTP/1.1", one_of(random, versions));
}

void change_method(std::string& raw, Random& random) {
  static constexpr std::array<std::string_view, 16> methods = {
      "GET",  "POST", "PUT",   "PATCH",    "DELETE", "HEAD",    "OPTIONS", "TRACE",
      "LOCK", "LINK", "PURGE", "PROPFIND", "get",    "CONNECT", "X",       "M-SEARCH"};
  const std::size_t begin = raw.starts_with("\r\n") ? 2 : 0;
  raw.replace(begin, std::min(raw.find(' ', begin), raw.size()) - begin, one_of(random, methods));
}

void change_target(std::string& raw, Random& random) {
  static constexpr std::array<std::string_view, 16> targets = {
      "/",       "//",  "/?", "/a?b=c?d", "/%41%7e", "/a%zz",         "/a;b=c", "/./a",
      "/a/../b", "/..", "*",  "/*",       "/a\\b",   "http://b/v1/a", "/a#b",   "/:80@b/"};
  const std::size_t begin = std::min(raw.find(' '), raw.size());
  const std::size_t end = std::min(raw.find(' ', begin + 1), raw.size());
  if (begin + 1 < end) raw.replace(begin + 1, end - begin - 1, one_of(random, targets));
}

void toggle_leading_line(std::string& raw, Random& random) {
  if (raw.starts_with("\r\n")) {
    raw.erase(0, 2);
  } else {
    raw.insert(0, random() % 4 == 0 ? "\r\n\r\n" : "\r\n");
  }
}

void append_stream(std::string& raw, Random& random) { raw += one_of(random, seed_requests()); }

struct Operator {
  std::string_view name;
  void (*apply)(std::string& raw, Random& random);
};

constexpr std::array operators_table = {
    Operator{"insert token", insert_token},
    Operator{"erase bytes", erase_bytes},
    Operator{"replace byte", replace_byte},
    Operator{"replace by visible byte", replace_by_visible_byte},
    Operator{"duplicate slice", duplicate_slice},
    Operator{"swap bytes", swap_bytes},
    Operator{"repeat line", repeat_line},
    Operator{"drop line", drop_line},
    Operator{"move line", move_line},
    Operator{"flip case", flip_case},
    Operator{"pad value", pad_value},
    Operator{"break line end", break_line_end},
    Operator{"add field", add_field},
    Operator{"change digits", change_digits},
    Operator{"splice requests", splice_seeds},
    Operator{"renew body", renew_body},
    Operator{"change version", change_version},
    Operator{"change method", change_method},
    Operator{"change target", change_target},
    Operator{"toggle leading line", toggle_leading_line},
    Operator{"append stream", append_stream},
};

}  // namespace

std::vector<std::string_view> Mutator::operators() {
  std::vector<std::string_view> names;
  for (const Operator& each : operators_table) names.push_back(each.name);
  return names;
}

std::string Mutator::next() {
  std::string raw = one_of(random_, seed_requests());
  applied_.clear();
  for (std::size_t count = 1 + below(random_, 4); count > 0; --count) {
    applied_.push_back(below(random_, operators_table.size()));
    if (raw.empty()) raw = "\n";
    operators_table[applied_.back()].apply(raw, random_);
  }
  return raw;
}

}  // namespace tollgate::differential
