// Response heads of providers. Where the end of a body is in doubt the answer is refused: a guess would cut it short or
// read the next answer on that connection as part of it.
#include "tollgate/protocol/http/head.hpp"

#include "protocol/http/characters.hpp"
#include "protocol/http/field_values.hpp"
#include "protocol/http/head_lines.hpp"

#include <algorithm>

namespace tollgate::protocol::http {
namespace {

using ResponseLines = HeadLines<response_field_rules>;

constexpr std::string_view version_prefix = "HTTP/1.";
constexpr std::size_t status_line_minimum = 12;  // "HTTP/1.1 200"

/// Reads the status line, CR LF taken off. The reason of a refusal, or empty.
std::string_view read_status_line(std::string_view line, ResponseHead& out) {
  if (!line.starts_with(version_prefix) || line.size() < status_line_minimum) return "malformed status line";
  if (line[7] != '0' && line[7] != '1') return "HTTP version other than 1.0 and 1.1";
  out.http_1_0 = line[7] == '0';
  if (line[8] != ' ') return "malformed status line";
  const std::string_view digits = line.substr(9, 3);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return "status is not a three-digit number";
  out.status = static_cast<std::uint16_t>((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
  if (out.status < 100 || out.status > 599) return "status outside 100 to 599";
  if (out.status == 101) return "switch of protocols that was not asked for";

  const std::string_view phrase = line.substr(status_line_minimum);
  return phrase.empty() || phrase.front() == ' ' ? std::string_view{} : "status is not a three-digit number";
}

/// Sets framing and keep_alive (RFC 9112, section 6.3).
std::string_view settle(const BodyFields& body, const ConnectionOptions& connection, std::string_view method,
                        ResponseHead& out) {
  if (const std::string_view conflict = body.conflict(out.http_1_0); !conflict.empty()) return conflict;
  out.keep_alive = !connection.close && (!out.http_1_0 || connection.keep_alive);

  const bool never_has_body = out.status < 200 || out.status == 204;
  if (never_has_body && (body.chunked() || body.length() != 0)) return "body on a status that has none";
  if (never_has_body || out.status == 304 || method == "HEAD") {
    out.framing = Framing::none;
  } else if (body.chunked()) {
    out.framing = Framing::chunked;
  } else if (body.has_length()) {
    out.framing = Framing::length;
    out.content_length = body.length();
  } else {
    out.framing = Framing::until_close;
    out.keep_alive = false;
  }
  return {};
}

std::string_view read_fields(const ResponseLines& lines, std::string_view method, ResponseHead& out) {
  BodyFields body;
  ConnectionOptions connection;
  for (std::size_t line = 1; line < lines.count(); ++line) {
    Field field;
    if (!lines.split(line, field)) return lines.name_fault_in(line);
    std::string_view reason;
    if (name_is(field.name, "content-length")) {
      reason = body.content_length(field.value);
    } else if (name_is(field.name, "transfer-encoding")) {
      reason = body.transfer_encoding(field.value);
    } else if (name_is(field.name, "connection")) {
      reason = read_connection(field.value, false, connection);
    }
    if (!reason.empty()) return reason;
    out.fields.add(field);
  }
  return settle(body, connection, method, out);
}

/// The reason of a refusal, or empty: then the head is complete or may still become so.
std::string_view read_head(const ResponseLines& lines, std::string_view window, const Limits& limits,
                           std::string_view method, ResponseHead& out) {
  using State = ResponseLines::State;
  const std::string_view prefix = window.substr(0, version_prefix.size());
  if (!version_prefix.starts_with(prefix)) return "malformed status line";
  if (lines.state() == State::broken) return lines.reason();
  if (lines.count() != 0) {
    const std::string_view reason = read_status_line({lines.begin_of(0), lines.end_of(0)}, out);
    if (!reason.empty()) return reason;
  }
  if (lines.state() == State::too_many) return "too many fields";
  if (lines.state() == State::complete) return read_fields(lines, method, out);
  return window.size() < limits.max_head ? std::string_view{} : "head too large";
}

}  // namespace

ParseResult parse_response_head(std::string_view bytes, const Limits& limits, std::string_view method,
                                ResponseHead& out) {
  out.status = 0;
  out.http_1_0 = false;
  out.framing = Framing::none;
  out.content_length = 0;
  out.keep_alive = true;
  out.fields.clear();

  const std::string_view window = bytes.substr(0, limits.max_head);
  const ResponseLines lines(window, 1 + std::min(limits.max_fields, max_fields));
  const std::string_view reason = read_head(lines, window, limits, method, out);
  if (!reason.empty()) {
    return {.state = ParseState::refused, .size = 0, .refusal = {.status = 502, .reason = reason}};
  }
  if (lines.state() != ResponseLines::State::complete) return {};
  return {.state = ParseState::complete, .size = lines.size(), .refusal = {}};
}

}  // namespace tollgate::protocol::http
