// Request heads. The rules are those of RFC 9110 and 9112 without their leniencies: whatever two HTTP parsers are known
// to read in two ways is refused here, before a byte of it is used. docs/http-rules.md lists the rules.
#include "tollgate/protocol/http/head.hpp"

#include "protocol/http/characters.hpp"
#include "protocol/http/field_values.hpp"
#include "protocol/http/head_lines.hpp"

#include <algorithm>

namespace tollgate::protocol::http {
namespace {

constexpr std::size_t longest_method = 32;

using RequestLines = HeadLines<request_field_rules>;

/// Fields that are acted on. A bit each, so that a second one is noticed.
enum Known : std::uint32_t {
  unknown = 0,
  host = 1u << 0,
  content_length = 1u << 1,
  transfer_encoding = 1u << 2,
  connection = 1u << 3,
  expect = 1u << 4,
  content_type = 1u << 5,
  content_encoding = 1u << 6,
  authorization = 1u << 7,
  api_key = 1u << 8,
  x_api_key = 1u << 9,
  idempotency_key = 1u << 10,
  x_request_id = 1u << 11,
  tollgate_field = 1u << 12,
};

Known known_field(std::string_view name) {
  switch (name.size()) {
    case 4: return name_is(name, "host") ? host : unknown;
    case 6: return name_is(name, "expect") ? expect : unknown;
    case 7: return name_is(name, "api-key") ? api_key : unknown;
    case 9: return name_is(name, "x-api-key") ? x_api_key : unknown;
    case 10: return name_is(name, "connection") ? connection : unknown;
    case 12:
      if (name_is(name, "content-type")) return content_type;
      if (name_is(name, "x-request-id")) return x_request_id;
      break;
    case 13:
      if (name_is(name, "authorization")) return authorization;
      break;
    case 14:
      if (name_is(name, "content-length")) return content_length;
      break;
    case 15:
      if (name_is(name, "idempotency-key")) return idempotency_key;
      break;
    case 16:
      if (name_is(name, "content-encoding")) return content_encoding;
      break;
    case 17:
      if (name_is(name, "transfer-encoding")) return transfer_encoding;
      break;
    default: break;
  }
  return name.size() > 11 && name_is(name.substr(0, 11), "x-tollgate-") ? tollgate_field : unknown;
}

class RequestHeadParser {
 public:
  RequestHeadParser(const Limits& limits, RequestHead& out) : limits_(limits), out_(out) {}

  /// The request line, CR LF taken off.
  bool read_line(std::string_view line);
  /// A request line of which the end has not come yet.
  bool check_partial_line(std::string_view line);
  bool read_fields(const RequestLines& lines);

  const Refusal& refusal() const { return refusal_; }
  bool refuse(std::uint16_t status, std::string_view reason);

 private:
  bool read_method(std::string_view line);
  bool read_version(std::string_view version);
  bool check_target_form();
  bool read_known(Known known, const Field& field);
  bool read_expect(std::string_view value);
  bool settle();
  bool passes(std::string_view reason) { return reason.empty() || refuse(400, reason); }

  const Limits& limits_;
  RequestHead& out_;
  Refusal refusal_;
  std::uint32_t seen_ = 0;
  BodyFields body_;
  ConnectionOptions connection_;
};

bool RequestHeadParser::refuse(std::uint16_t status, std::string_view reason) {
  refusal_ = {.status = status, .reason = reason};
  return false;
}

bool RequestHeadParser::read_method(std::string_view line) {
  const auto not_token = [](char c) { return !is(c, token_characters); };
  const auto end = std::find_if(line.begin(), line.end(), not_token);
  out_.method = line.substr(0, static_cast<std::size_t>(end - line.begin()));
  if (out_.method.size() > longest_method) return refuse(400, "method longer than 32 bytes");
  const bool clean = !out_.method.empty() && (end == line.end() || *end == ' ');
  return clean || refuse(400, "method is not a token");
}

bool RequestHeadParser::check_partial_line(std::string_view line) {
  if (!read_method(line)) return false;
  const std::string_view rest = line.substr(std::min(out_.method.size() + 1, line.size()));
  const auto target_size = std::min(rest.find(' '), rest.size());
  return target_size <= limits_.max_target || refuse(414, "target too long");
}

bool RequestHeadParser::read_line(std::string_view line) {
  if (!read_method(line)) return false;
  const std::size_t method_end = out_.method.size();
  if (method_end == line.size()) return refuse(400, "request line without a target");

  const char* const end = line.data() + line.size();
  const char* const target = line.data() + method_end + 1;
  const char* const target_end = scan_to<TargetStop>(target, end);
  out_.target = {target, static_cast<std::size_t>(target_end - target)};
  if (out_.target.size() > limits_.max_target) return refuse(414, "target too long");
  if (target_end == end) return refuse(400, "request line without a version");
  if (*target_end == '#') return refuse(400, "fragment in the target");
  if (*target_end != ' ') return refuse(400, "control byte in the first line");
  if (out_.target.empty()) return refuse(400, "more than one space in the request line");
  return read_version({target_end + 1, static_cast<std::size_t>(end - target_end - 1)}) && check_target_form();
}

bool RequestHeadParser::read_version(std::string_view version) {
  if (version == "HTTP/1.1") return true;
  if (version == "HTTP/1.0") return out_.http_1_0 = true;
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                           version[6] == '.' && is_digit(version[7]);
  if (well_formed) return refuse(505, "HTTP version other than 1.0 and 1.1");
  if (version.find(' ') != std::string_view::npos) return refuse(400, "more than one space in the request line");
  return refuse(400, "malformed HTTP version");
}

bool RequestHeadParser::check_target_form() {
  if (out_.method == "CONNECT") return refuse(400, "CONNECT is not for a gateway");
  if (out_.target.front() == '/') return true;
  if (out_.target == "*" && out_.method == "OPTIONS") return true;
  return refuse(400, "target is not in origin form");
}

bool RequestHeadParser::read_fields(const RequestLines& lines) {
  for (std::size_t line = 1; line < lines.count(); ++line) {
    Field field;
    if (!lines.split(line, field)) return refuse(400, lines.name_fault_in(line));
    const Known known = known_field(field.name);
    if (known != unknown && !read_known(known, field)) return false;
    out_.fields.add(field);
  }
  return settle();
}

bool RequestHeadParser::read_known(Known known, const Field& field) {
  switch (known) {
    case connection: return passes(read_connection(field.value, true, connection_));
    case content_length: return passes(body_.content_length(field.value));
    case transfer_encoding: return passes(body_.transfer_encoding(field.value));
    case tollgate_field: {
      out_.speaks_to_us = true;
      const bool repeated = std::any_of(out_.fields.begin(), out_.fields.end(), [&field](const Field& earlier) {
        return equal_but_for_case(earlier.name, field.name);
      });
      return !repeated || refuse(400, "x-tollgate field repeated");
    }
    default: break;
  }
  if ((seen_ & known) != 0) {
    return refuse(400, known == host ? "Host repeated" : "field repeated that may be sent once");
  }
  seen_ |= known;
  switch (known) {
    case host: out_.host = field.value; return passes(check_host(field.value));
    case authorization: out_.authorization = field.value; return true;
    case x_api_key: out_.x_api_key = field.value; return true;
    case api_key: out_.api_key = field.value; return true;
    case content_type: out_.content_type = field.value; return true;
    case content_encoding: out_.content_encoding = field.value; return true;
    case x_request_id: out_.x_request_id = field.value; return true;
    case expect: return read_expect(field.value);
    default: return true;
  }
}

bool RequestHeadParser::read_expect(std::string_view value) {
  if (!equals_ignoring_case(value, "100-continue")) return refuse(417, "Expect other than 100-continue");
  // HTTP/1.0 knows no interim responses (RFC 9110, section 10.1.1).
  out_.expect_continue = !out_.http_1_0;
  return true;
}

bool RequestHeadParser::settle() {
  if (!passes(body_.conflict(out_.http_1_0))) return false;
  if ((seen_ & host) == 0 && !out_.http_1_0) return refuse(400, "Host missing");
  if (body_.chunked()) {
    out_.framing = Framing::chunked;
  } else if (body_.has_length()) {
    out_.framing = Framing::length;
    out_.content_length = body_.length();
  }
  out_.keep_alive = !connection_.close && (!out_.http_1_0 || connection_.keep_alive);
  return true;
}

void reset(RequestHead& head) {
  head.method = head.target = head.host = {};
  head.authorization = head.x_api_key = head.api_key = {};
  head.content_type = head.content_encoding = head.x_request_id = {};
  head.http_1_0 = head.expect_continue = head.speaks_to_us = false;
  head.framing = Framing::none;
  head.content_length = 0;
  head.keep_alive = true;
  head.fields.clear();
}

/// Judges the start line as far as it has come, so that what is hopeless does not wait for the end of its head.
bool read_first_line(const RequestLines& lines, std::string_view window, RequestHeadParser& parser) {
  if (lines.count() == 0) return parser.check_partial_line(window);
  return parser.read_line({lines.begin_of(0), lines.end_of(0)});
}

bool read_head(const RequestLines& lines, std::string_view window, const Limits& limits, RequestHeadParser& parser) {
  switch (lines.state()) {
    case RequestLines::State::broken: return parser.refuse(400, lines.reason());
    case RequestLines::State::too_many:
      return read_first_line(lines, window, parser) && parser.refuse(431, "too many fields");
    case RequestLines::State::incomplete:
      if (!read_first_line(lines, window, parser)) return false;
      return window.size() < limits.max_head || parser.refuse(431, "head too large");
    case RequestLines::State::complete: break;
  }
  return read_first_line(lines, window, parser) && parser.read_fields(lines);
}

}  // namespace

ParseResult parse_request_head(std::string_view bytes, const Limits& limits, RequestHead& out) {
  reset(out);
  const std::size_t skipped = bytes.starts_with("\r\n") ? 2 : 0;
  if (bytes.size() == skipped || bytes == "\r") return {};
  const std::string_view window = bytes.substr(skipped, limits.max_head);

  const RequestLines lines(window, 1 + std::min(limits.max_fields, max_fields));
  RequestHeadParser parser(limits, out);
  if (!read_head(lines, window, limits, parser)) {
    return {.state = ParseState::refused, .size = 0, .refusal = parser.refusal()};
  }
  if (lines.state() != RequestLines::State::complete) return {};
  return {.state = ParseState::complete, .size = skipped + lines.size(), .refusal = {}};
}

}  // namespace tollgate::protocol::http
