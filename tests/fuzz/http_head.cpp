// Heads: what is accepted lies inside the input, waits for its last byte, and reads the same when written out again.
#include "tollgate/protocol/http/head.hpp"

#include <cstdlib>
#include <string>

namespace {

using namespace tollgate::protocol::http;

constexpr Limits limits{.max_head = 2048, .max_fields = 20, .max_target = 200};

void require(bool holds) {
  if (!holds) std::abort();
}

bool inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

std::string field_lines(const Fields& fields) {
  std::string text;
  for (const Field& field : fields) text.append(field.name).append(": ").append(field.value).append("\r\n");
  return text + "\r\n";
}

template <class Head>
void check_fields(const Head& head, std::string_view bytes, std::size_t size) {
  require(size <= bytes.size() && size <= limits.max_head + 2 && head.fields.size() <= limits.max_fields);
  require(head.framing == Framing::length || head.content_length == 0);
  for (const Field& field : head.fields) {
    require(inside(field.name, bytes.substr(0, size)) && inside(field.value, bytes.substr(0, size)));
  }
}

/// A refusal stands whatever follows, and nothing is accepted before its last byte.
void check_cut(const ParseResult& whole, const ParseResult& part, std::size_t cut) {
  if (part.state == ParseState::refused) require(whole.state == ParseState::refused);
  if (part.state == ParseState::complete) require(whole.state == ParseState::complete && whole.size == part.size);
  if (whole.state == ParseState::complete && cut < whole.size) require(part.state == ParseState::need_more);
}

void check_request(std::string_view bytes, std::size_t cut) {
  RequestHead head;
  const ParseResult result = parse_request_head(bytes, limits, head);
  RequestHead again;
  check_cut(result, parse_request_head(bytes.substr(0, cut), limits, again), cut);
  if (result.state != ParseState::complete) return;
  check_fields(head, bytes, result.size);
  std::string written(head.method);
  written.append(" ").append(head.target).append(head.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  written += field_lines(head.fields);
  constexpr Limits generous;
  require(parse_request_head(written, generous, again).state == ParseState::complete);
  require(again.method == head.method && again.target == head.target && again.host == head.host);
  require(again.framing == head.framing && again.content_length == head.content_length);
  require(again.keep_alive == head.keep_alive && again.expect_continue == head.expect_continue);
  require(field_lines(again.fields) == field_lines(head.fields));
}

void check_response(std::string_view bytes, std::size_t cut) {
  ResponseHead head;
  const ParseResult result = parse_response_head(bytes, limits, "POST", head);
  ResponseHead again;
  check_cut(result, parse_response_head(bytes.substr(0, cut), limits, "POST", again), cut);
  if (result.state != ParseState::complete) return;
  check_fields(head, bytes, result.size);
  std::string written(head.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
  written.append(std::to_string(head.status)).append("\r\n").append(field_lines(head.fields));
  constexpr Limits generous;
  require(parse_response_head(written, generous, "POST", again).state == ParseState::complete);
  require(again.status == head.status && again.framing == head.framing && again.keep_alive == head.keep_alive);
  require(field_lines(again.fields) == field_lines(head.fields));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.size() * data[0] / 256;
  check_request(bytes, cut);
  check_response(bytes, cut);
  return 0;
}
