// What requests and responses have in common: the list of fields, the rules for their values, and the scans over raw
// heads. Each rule is here once, so that the two legs cannot drift apart.
#include "tollgate/protocol/http/crossing.hpp"
#include "tollgate/protocol/http/head.hpp"

#include "protocol/http/characters.hpp"
#include "protocol/http/field_values.hpp"
#include "protocol/http/head_lines.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace tollgate::protocol::http {

const Field* Fields::find(std::string_view name) const {
  std::size_t at = 0;
#if defined(__SSE2__)
  static_assert(max_fields % block_size == 0);
  for (; at < count_; at += block_size) {
    const __m128i sizes = load_block(reinterpret_cast<const char*>(sizes_.data() + at));
    auto alike = static_cast<unsigned>(_mm_movemask_epi8(equal(sizes, short_size(name))));
    for (; alike != 0; alike &= alike - 1) {
      const std::size_t index = at + static_cast<std::size_t>(std::countr_zero(alike));
      if (index >= count_) return nullptr;
      if (equals_ignoring_case(fields_[index].name, name)) return &fields_[index];
    }
  }
#endif
  for (; at < count_; ++at)
    if (equals_ignoring_case(fields_[at].name, name)) return &fields_[at];
  return nullptr;
}

std::string_view Fields::value(std::string_view name) const {
  const Field* const field = find(name);
  return field == nullptr ? std::string_view{} : field->value;
}

bool all_equal_ignoring_case(std::string_view any, std::string_view lower) {
  std::size_t at = 0;
  for (; any.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, lower.data() + at, sizeof word);
    if (lower_case_word(any.data() + at) != word) return false;
  }
  for (; at != any.size(); ++at)
    if (lower_case(any[at]) != lower[at]) return false;
  return true;
}

bool equal_but_for_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower_case(a) == lower_case(b); });
}

bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    if (equal_but_for_case(take_element(list), token)) return true;
  }
  return false;
}

std::string_view take_element(std::string_view& list) {
  const std::size_t comma = std::min(list.find(','), list.size());
  std::string_view element = list.substr(0, comma);
  list.remove_prefix(std::min(comma + 1, list.size()));
  while (!element.empty() && is_white(element.front())) element.remove_prefix(1);
  while (!element.empty() && is_white(element.back())) element.remove_suffix(1);
  return element;
}

std::string_view line_fault(const char* at, const char* end, bool first_line) {
  if (*at == '\n') return "bare LF";
  if (*at == '\r') return at + 1 == end ? std::string_view{} : "bare CR";
  if (first_line) return is_ascii(*at) ? "control byte in the first line" : "byte outside ASCII in the first line";
  if (*at == '\0') return "NUL in a field";
  return is_ascii(*at) ? "control byte in a field" : "byte outside ASCII in a field";
}

std::string_view name_fault(const char* begin, const char* stop, bool first_field) {
  if (is_white(*stop)) {
    if (stop != begin) return "white space before the colon of a field";
    return first_field ? "white space before the first field" : "folded field line (obs-fold)";
  }
  if (*stop == ':') return "empty field name";
  if (*stop == '_') return "underscore in a field name";
  return *stop == '\r' ? "field line without a colon" : "field name is not a token";
}

std::string_view read_content_length(std::string_view value, std::uint64_t& length) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 63;
  constexpr std::size_t most_digits = 19;  // which cannot overflow
  if (value.empty()) return "Content-Length is not a plain number";
  length = 0;
  for (const char c : value) {
    if (!is_digit(c)) return "Content-Length is not a plain number";
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value.front() == '0' && value.size() > 1) return "Content-Length with leading zeros";
  return value.size() > most_digits || length >= limit ? "Content-Length of 2^63 or more" : std::string_view{};
}

std::string_view check_transfer_encoding(std::string_view value) {
  return equals_ignoring_case(value, "chunked") ? std::string_view{} : "Transfer-Encoding other than chunked";
}

namespace {

bool is_port(std::string_view text) {
  unsigned port = 0;
  if (text.empty() || text.size() > 5) return false;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port <= 65535;
}

bool is_ipv6(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address{};
  return ::inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

bool is_acted_on(std::string_view name, bool request) {
  if (equals_ignoring_case(name, "content-length") || equals_ignoring_case(name, "transfer-encoding")) return true;
  if (!request) return crosses_to_client(name);
  constexpr std::array<std::string_view, 10> acted_on{"api-key",   "authorization", "content-encoding", "expect",
                                                      "host",      "origin",        "traceparent",      "tracestate",
                                                      "x-api-key", "x-request-id"};
  constexpr std::string_view own = "x-tollgate-";
  return crosses_to_upstream(name) || equals_ignoring_case(name.substr(0, own.size()), own) ||
         std::any_of(acted_on.begin(), acted_on.end(),
                     [name](auto field) { return equals_ignoring_case(name, field); });
}

}  // namespace

std::string_view check_host(std::string_view value) {
  constexpr std::size_t longest_name = 255;
  if (value.empty()) return "empty Host";
  std::size_t name_end = 0;
  if (value.front() == '[') {
    name_end = std::min(value.find(']'), value.size() - 1) + 1;
    if (!is_ipv6(value.substr(1, name_end - 2)) || value[name_end - 1] != ']') return "invalid Host";
  } else {
    while (name_end != value.size() && is(value[name_end], host_characters)) ++name_end;
    if (name_end == 0 || name_end > longest_name) return "invalid Host";
  }
  if (name_end == value.size()) return {};
  return value[name_end] == ':' && is_port(value.substr(name_end + 1)) ? std::string_view{} : "invalid Host";
}

std::string_view read_connection(std::string_view value, bool request, ConnectionOptions& options) {
  if (name_is(value, "keep-alive")) {
    options.keep_alive = true;
    return {};
  }
  while (!value.empty()) {
    const std::string_view option = take_element(value);
    const bool token = std::all_of(option.begin(), option.end(), [](char c) { return is(c, token_characters); });
    if (!token) return "Connection is not a list of tokens";
    if (name_is(option, "keep-alive")) {
      options.keep_alive = true;
    } else if (name_is(option, "close")) {
      options.close = true;
    } else if (is_acted_on(option, request)) {
      return "Connection names a field that is acted on or passed on";
    }
  }
  return {};
}

std::string_view BodyFields::content_length(std::string_view value) {
  if (has_length_) return "Content-Length repeated";
  has_length_ = true;
  return read_content_length(value, length_);
}

std::string_view BodyFields::transfer_encoding(std::string_view value) {
  if (chunked_) return "Transfer-Encoding repeated";
  chunked_ = true;
  return check_transfer_encoding(value);
}

std::string_view BodyFields::conflict(bool http_1_0) const {
  if (chunked_ && has_length_) return "Transfer-Encoding together with Content-Length";
  if (chunked_ && http_1_0) return "Transfer-Encoding in HTTP/1.0";
  return {};
}

}  // namespace tollgate::protocol::http
