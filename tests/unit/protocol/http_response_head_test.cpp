// Heads of provider answers: which framing they announce, and those refused because the end of the body, or the head
// itself, could be read in two ways.
#include "tollgate/protocol/http/head.hpp"

#include "support/paths.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace tollgate::protocol::http {
namespace {

using namespace std::string_literals;
using enum Framing;

constexpr Limits response_limits{.max_head = 64 * 1024};

struct Accepted {
  std::string raw;
  std::uint16_t status;
  Framing framing;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  std::string_view method = "POST";
};

struct Refused {
  std::string raw;
  std::string_view rule;
  std::string_view method = "POST";
};

std::string ok_with(std::string_view lines) { return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n"; }
std::string answer(std::string_view status, std::string_view lines = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(lines) + "\r\n";
}
std::string old_ok_with(std::string_view lines) { return "HTTP/1.0 200 OK\r\n" + std::string(lines) + "\r\n"; }

std::vector<Accepted> accepted_responses() {
  return {
      {ok_with("Content-Length: 5\r\n"), 200, length, 5},
      {ok_with("Content-Length: 0\r\n"), 200, length, 0},
      {ok_with("content-length:\t9223372036854775807 \r\n"), 200, length, 9223372036854775807U},
      {ok_with("Transfer-Encoding: chunked\r\n"), 200, chunked},
      {ok_with("transfer-encoding: Chunked\r\nConnection: close\r\n"), 200, chunked, 0, false},
      {ok_with(""), 200, until_close, 0, false},
      {ok_with("Connection: keep-alive\r\n"), 200, until_close, 0, false},
      {ok_with("Content-Length: 5\r\nConnection: close\r\n"), 200, length, 5, false},
      {ok_with("Content-Length: 5\r\nConnection: keep-alive\r\nConnection: Close\r\n"), 200, length, 5, false},
      {old_ok_with("Content-Length: 5\r\n"), 200, length, 5, false},
      {old_ok_with("Content-Length: 5\r\nConnection: Keep-Alive\r\n"), 200, length, 5, true},
      {old_ok_with(""), 200, until_close, 0, false},
      {old_ok_with("Connection: keep-alive\r\n"), 200, until_close, 0, false},
      {answer("100 Continue"), 100, none},
      {answer("103 Early Hints", "Link: </a>; rel=preload\r\n"), 103, none},
      {answer("100 Continue", "Content-Length: 0\r\n"), 100, none},
      {answer("204 No Content"), 204, none},
      {answer("204 No Content", "Content-Length: 0\r\n"), 204, none},
      {answer("304 Not Modified", "Content-Length: 500\r\n"), 304, none},
      {answer("304 Not Modified", "Transfer-Encoding: chunked\r\n"), 304, none},
      {ok_with("Content-Length: 5\r\n"), 200, none, 0, true, "HEAD"},
      {ok_with("Transfer-Encoding: chunked\r\n"), 200, none, 0, true, "HEAD"},
      {ok_with(""), 200, none, 0, true, "HEAD"},
      {answer("200", "Content-Length: 1\r\n"), 200, length, 1},
      {answer("200 ", "Content-Length: 1\r\n"), 200, length, 1},
      {answer("404 Not\tFound", "Content-Length: 1\r\n"), 404, length, 1},
      {answer("500 \xC3\xA9t\xC3\xA9", "Content-Length: 1\r\n"), 500, length, 1},
      {answer("529 Overloaded", "Content-Length: 1\r\n"), 529, length, 1},
      {answer("599 x", "Content-Length: 1\r\n"), 599, length, 1},
      {ok_with("X_Under_Score: 1\r\nContent-Length: 1\r\n"), 200, length, 1},
      {ok_with("X-Latin: caf\xE9\r\nContent-Length: 1\r\n"), 200, length, 1},
      {ok_with("Content-Length: 1\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"), 200, length, 1},
      {ok_with("Content-Length: 1\r\nX: " + std::string(60000, 'v') + "\r\n"), 200, length, 1},
  };
}

// size: exempt, a table
std::vector<Refused> refused_responses() {
  const std::string_view not_chunked = "Transfer-Encoding other than chunked";
  const std::string_view not_a_number = "Content-Length is not a plain number";
  const std::string_view not_status = "status is not a three-digit number";
  const std::string_view bodiless = "body on a status that has none";
  const std::string_view malformed = "malformed status line";
  std::string many_fields;
  for (int i = 0; i < 101; ++i) many_fields += "X: 1\r\n";
  return {
      {"<html>hello</html>", malformed},
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", malformed},
      {" HTTP/1.1 200 OK\r\n\r\n", malformed},
      {"http/1.1 200 OK\r\n\r\n", malformed},
      {"HTTP/2.0 200 OK\r\n\r\n", malformed},
      {"HTTP/2 200\r\n\r\n", malformed},
      {"ICY 200 OK\r\n\r\n", malformed},
      {"HTTP/1.1200 OK\r\n\r\n", malformed},
      {"HTTP/1.1\t200 OK\r\n\r\n", malformed},
      {"HTTP/1.1\r\n\r\n", malformed},
      {"HTTP/1.10 200 OK\r\n\r\n", malformed},
      {"HTTP/1.2 200 OK\r\n\r\n", "HTTP version other than 1.0 and 1.1"},
      {"HTTP/1.x 200 OK\r\n\r\n", "HTTP version other than 1.0 and 1.1"},
      {answer(" 200 OK"), not_status},
      {answer("20 OK..."), not_status},
      {answer("2000 OK"), not_status},
      {answer("+20 OK"), not_status},
      {answer("2x0 OK"), not_status},
      {answer("200OK"), not_status},
      {answer("200\tOK"), not_status},
      {answer("099 x"), "status outside 100 to 599"},
      {answer("000 x"), "status outside 100 to 599"},
      {answer("600 x"), "status outside 100 to 599"},
      {answer("999 x"), "status outside 100 to 599"},
      {answer("101 Switching Protocols", "Upgrade: websocket\r\n"), "switch of protocols that was not asked for"},
      {answer("200 O\0K"s), "control byte in the first line"},
      {answer("200 O\x7FK"), "control byte in the first line"},
      {answer("200 O\x1B[0mK"), "control byte in the first line"},
      {ok_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
       "Transfer-Encoding together with Content-Length"},
      {ok_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
       "Transfer-Encoding together with Content-Length"},
      {ok_with("Content-Length: 5\r\nContent-Length: 5\r\n"), "Content-Length repeated"},
      {ok_with("Content-Length: 5\r\nX: 1\r\ncontent-length: 6\r\n"), "Content-Length repeated"},
      {ok_with("Content-Length: 5, 5\r\n"), not_a_number},
      {ok_with("Content-Length: -5\r\n"), not_a_number},
      {ok_with("Content-Length: +5\r\n"), not_a_number},
      {ok_with("Content-Length: 0x5\r\n"), not_a_number},
      {ok_with("Content-Length:\r\n"), not_a_number},
      {ok_with("Content-Length: five\r\n"), not_a_number},
      {ok_with("Content-Length: \xB5\r\n"), not_a_number},
      {ok_with("Content-Length: 05\r\n"), "Content-Length with leading zeros"},
      {ok_with("Content-Length: 9223372036854775808\r\n"), "Content-Length of 2^63 or more"},
      {ok_with("Content-Length: 184467440737095516160\r\n"), "Content-Length of 2^63 or more"},
      {ok_with("Transfer-Encoding: gzip, chunked\r\n"), not_chunked},
      {ok_with("Transfer-Encoding: identity\r\n"), not_chunked},
      {ok_with("Transfer-Encoding: chunked, identity\r\n"), not_chunked},
      {ok_with("Transfer-Encoding:\r\n"), not_chunked},
      {ok_with("Transfer-Encoding: \xA0"
               "chunked\r\n"),
       not_chunked},
      {ok_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "Transfer-Encoding repeated"},
      {old_ok_with("Transfer-Encoding: chunked\r\n"), "Transfer-Encoding in HTTP/1.0"},
      {ok_with("Transfer-Encoding: gzip\r\n"), not_chunked, "HEAD"},
      {ok_with("Content-Length: 5\r\nContent-Length: 5\r\n"), "Content-Length repeated", "HEAD"},
      {answer("204 No Content", "Content-Length: 5\r\n"), bodiless},
      {answer("204 No Content", "Transfer-Encoding: chunked\r\n"), bodiless},
      {answer("100 Continue", "Content-Length: 5\r\n"), bodiless},
      {answer("103 Early Hints", "Transfer-Encoding: chunked\r\n"), bodiless},
      {ok_with("X: 1\r\n 2\r\n"), "folded field line (obs-fold)"},
      {ok_with(" X: 1\r\n"), "white space before the first field"},
      {ok_with("X : 1\r\n"), "white space before the colon of a field"},
      {ok_with("Content-Length : 5\r\n"), "white space before the colon of a field"},
      {ok_with(": 1\r\n"), "empty field name"},
      {ok_with("nocolon\r\n"), "field line without a colon"},
      {ok_with("X@Y: 1\r\n"), "field name is not a token"},
      {ok_with("X\xE9: 1\r\n"), "field name is not a token"},
      {ok_with("X: a\0b\r\n"s), "NUL in a field"},
      {ok_with("X: a\x01\r\n"), "control byte in a field"},
      {ok_with("X: a\x7F\r\n"), "control byte in a field"},
      {ok_with("X: 1\nSet-Cookie: a\r\n"), "bare LF"},
      {ok_with("X: 1\rSet-Cookie: a\r\n"), "bare CR"},
      {"HTTP/1.1 200 OK\n\n", "bare LF"},
      {ok_with("Connection: content-length\r\n"), "Connection names a field that is acted on or passed on"},
      {ok_with("Connection: close, Content-Type\r\n"), "Connection names a field that is acted on or passed on"},
      {ok_with("Connection: close;\r\n"), "Connection is not a list of tokens"},
      {ok_with(many_fields), "too many fields"},
      {ok_with("X: " + std::string(66000, 'v') + "\r\n"), "head too large"},
      {"HTTP/1.1 200 " + std::string(66000, 'v'), "head too large"},
  };
}

std::string shown(std::string_view raw) { return ::testing::PrintToString(std::string(raw.substr(0, 200))); }

ParseResult parse(std::string_view raw, std::string_view method, ResponseHead& head) {
  // Exactly as many bytes on the heap, so that the address sanitizer sees a read past them.
  const auto copy = std::make_unique<char[]>(raw.size());
  std::copy(raw.begin(), raw.end(), copy.get());
  const ParseResult on_copy = parse_response_head({copy.get(), raw.size()}, response_limits, method, head);
  const ParseResult result = parse_response_head(raw, response_limits, method, head);
  EXPECT_EQ(result.state, on_copy.state);
  return result;
}

TEST(ResponseHead, table_holds_at_least_60_cases) {
  EXPECT_GE(accepted_responses().size() + refused_responses().size(), 60U);
}

TEST(ResponseHead, accepts_with_the_framing_announced) {
  for (const auto& wanted : accepted_responses()) {
    SCOPED_TRACE(shown(wanted.raw));
    ResponseHead head;
    const ParseResult result = parse(wanted.raw + "leftover\r\n\x01", wanted.method, head);
    ASSERT_EQ(result.state, ParseState::complete) << result.refusal.reason;
    EXPECT_EQ(result.size, wanted.raw.size());
    EXPECT_EQ(head.status, wanted.status);
    EXPECT_EQ(head.framing, wanted.framing);
    EXPECT_EQ(head.content_length, wanted.content_length);
    EXPECT_EQ(head.keep_alive, wanted.keep_alive);
  }
}

TEST(ResponseHead, refuses_with_502_and_the_rule) {
  for (const auto& wanted : refused_responses()) {
    SCOPED_TRACE(shown(wanted.raw));
    ResponseHead head;
    const ParseResult result = parse(wanted.raw, wanted.method, head);
    ASSERT_EQ(result.state, ParseState::refused);
    EXPECT_EQ(result.refusal.status, 502);
    EXPECT_EQ(result.refusal.reason, wanted.rule);
  }
}

TEST(ResponseHead, waits_for_more_at_every_cut_of_a_good_head) {
  for (const auto& wanted : accepted_responses()) {
    for (std::size_t cut = 0; cut < std::min<std::size_t>(wanted.raw.size(), 2000); ++cut) {
      ResponseHead head;
      const auto part = std::string_view(wanted.raw).substr(0, cut);
      const ParseResult result = parse_response_head(part, response_limits, wanted.method, head);
      ASSERT_EQ(result.state, ParseState::need_more) << shown(wanted.raw) << " cut at " << cut << result.refusal.reason;
    }
  }
}

TEST(ResponseHead, refuses_what_is_hopeless_before_its_end_has_come) {
  for (const std::string_view raw : {"<", "HTTQ", "SSH-2.0-x\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 200 OK\n"}) {
    ResponseHead head;
    EXPECT_EQ(parse(raw, "POST", head).state, ParseState::refused) << shown(raw);
  }
}

TEST(ResponseHead, keeps_every_field_in_order) {
  ResponseHead head;
  const std::string raw = ok_with("A: 1\r\nb_c:\r\nA:  x\xFFy \r\n");
  ASSERT_EQ(parse(raw, "POST", head).state, ParseState::complete);
  ASSERT_EQ(head.fields.size(), 3U);
  EXPECT_EQ(head.fields.begin()[1].name, "b_c");
  EXPECT_EQ(head.fields.begin()[1].value, "");
  EXPECT_EQ(head.fields.begin()[2].value, "x\xFFy");
}

TEST(ResponseHead, forgets_the_head_it_parsed_before) {
  ResponseHead head;
  const std::string first = "HTTP/1.0 500 x\r\nContent-Length: 5\r\n\r\n";
  const std::string second = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_EQ(parse_response_head(first, response_limits, "POST", head).state, ParseState::complete);
  ASSERT_EQ(parse_response_head(second, response_limits, "POST", head).state, ParseState::complete);
  EXPECT_FALSE(head.http_1_0);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.fields.size(), 1U);
}

TEST(ResponseHead, docs_name_each_rule) {
  std::ifstream file(test::in_project("docs/http-rules.md"));
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto& wanted : refused_responses()) {
    EXPECT_NE(page.find("| " + std::string(wanted.rule) + " |"), std::string::npos) << wanted.rule;
  }
}

}  // namespace
}  // namespace tollgate::protocol::http
