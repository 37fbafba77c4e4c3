// The guard on request heads, case by case. What it must refuse is in http_request_cases.hpp; here is how it answers,
// also when a head comes in pieces, and that docs/http-rules.md names each rule with its status.
#include "http_request_cases.hpp"
#include "support/paths.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>

namespace tollgate::protocol::http {
namespace {

using cases::accepted_requests;
using cases::refused_requests;

std::string shown(std::string_view raw) { return ::testing::PrintToString(std::string(raw.substr(0, 200))); }

ParseResult parse(std::string_view raw, RequestHead& head, const Limits& limits = {}) {
  // Exactly as many bytes on the heap, so that the address sanitizer sees a read past them.
  const auto copy = std::make_unique<char[]>(raw.size());
  std::copy(raw.begin(), raw.end(), copy.get());
  const ParseResult on_copy = parse_request_head({copy.get(), raw.size()}, limits, head);
  const ParseResult result = parse_request_head(raw, limits, head);
  EXPECT_EQ(result.state, on_copy.state);
  return result;
}

TEST(RequestHead, table_holds_at_least_150_cases) {
  EXPECT_GE(accepted_requests().size() + refused_requests().size(), 150U);
}

TEST(RequestHead, accepts_with_the_meaning_sent) {
  for (const auto& wanted : accepted_requests()) {
    SCOPED_TRACE(shown(wanted.raw));
    RequestHead head;
    const ParseResult result = parse(wanted.raw, head);
    ASSERT_EQ(result.state, ParseState::complete) << result.refusal.reason;
    EXPECT_EQ(result.size, wanted.raw.size());
    EXPECT_EQ(head.method, wanted.method);
    EXPECT_EQ(head.target, wanted.target);
    EXPECT_EQ(head.framing, wanted.framing);
    EXPECT_EQ(head.content_length, wanted.content_length);
    EXPECT_EQ(head.keep_alive, wanted.keep_alive);
    EXPECT_EQ(head.expect_continue, wanted.expect_continue);
    EXPECT_EQ(head.host, head.fields.value("host"));
  }
}

TEST(RequestHead, refuses_with_status_and_rule) {
  for (const auto& wanted : refused_requests()) {
    SCOPED_TRACE(shown(wanted.raw));
    RequestHead head;
    const ParseResult result = parse(wanted.raw, head);
    ASSERT_EQ(result.state, ParseState::refused);
    EXPECT_EQ(result.refusal.status, wanted.status);
    EXPECT_EQ(result.refusal.reason, wanted.rule);
  }
}

TEST(RequestHead, refuses_the_same_before_a_following_request) {
  const std::string follower = "GET /v1/models HTTP/1.1\r\nHost: b\r\n\r\n";
  for (const auto& wanted : refused_requests()) {
    SCOPED_TRACE(shown(wanted.raw));
    RequestHead head;
    EXPECT_EQ(parse(wanted.raw + follower, head).state, ParseState::refused);
  }
}

TEST(RequestHead, leaves_what_follows_the_head_alone) {
  for (const auto& wanted : accepted_requests()) {
    SCOPED_TRACE(shown(wanted.raw));
    RequestHead head;
    const ParseResult result = parse(wanted.raw + "\r\n\x01\n\r GET", head);
    ASSERT_EQ(result.state, ParseState::complete) << result.refusal.reason;
    EXPECT_EQ(result.size, wanted.raw.size());
  }
}

TEST(RequestHead, waits_for_more_at_every_cut_of_a_good_head) {
  for (const auto& wanted : accepted_requests()) {
    for (std::size_t cut = 0; cut < wanted.raw.size(); ++cut) {
      RequestHead head;
      const ParseResult result = parse_request_head(std::string_view(wanted.raw).substr(0, cut), Limits{}, head);
      ASSERT_EQ(result.state, ParseState::need_more) << shown(wanted.raw) << " cut at " << cut << result.refusal.reason;
    }
  }
}

TEST(RequestHead, never_accepts_a_refused_head_at_any_cut) {
  for (const auto& wanted : refused_requests()) {
    for (std::size_t cut = 0; cut < std::min<std::size_t>(wanted.raw.size(), 600); ++cut) {
      RequestHead head;
      const ParseResult result = parse_request_head(std::string_view(wanted.raw).substr(0, cut), Limits{}, head);
      ASSERT_NE(result.state, ParseState::complete) << shown(wanted.raw) << " cut at " << cut;
    }
  }
}

TEST(RequestHead, refuses_what_is_hopeless_before_its_end_has_come) {
  const std::vector<std::pair<std::string, std::uint16_t>> hopeless = {{"\x16", 400},
                                                                       {"\n", 400},
                                                                       {"{", 400},
                                                                       {"GET /\n", 400},
                                                                       {"GET / HTTP/1.1\r\nHost: a\n", 400},
                                                                       {"GET / HTTP/2.0\r\n", 505},
                                                                       {"GET /a#b HTTP/1.1\r\n", 400},
                                                                       {"GET / HTTP/1.1\r\nX: \x01", 400}};
  for (const auto& [raw, status] : hopeless) {
    RequestHead head;
    const ParseResult result = parse(raw, head);
    EXPECT_EQ(result.state, ParseState::refused) << shown(raw);
    EXPECT_EQ(result.refusal.status, status) << shown(raw);
  }
}

TEST(RequestHead, gives_fields_in_order_without_the_white_space_around_values) {
  const std::string raw = "GET / HTTP/1.1\r\nHost: a\r\nX-One:  1 2\t\r\nx-one:\r\nX-Two:3\r\n\r\n";
  RequestHead head;
  ASSERT_EQ(parse(raw, head).state, ParseState::complete);
  std::vector<std::pair<std::string, std::string>> fields;
  for (const Field& field : head.fields) fields.emplace_back(field.name, field.value);
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"Host", "a"}, {"X-One", "1 2"}, {"x-one", ""}, {"X-Two", "3"}};
  EXPECT_EQ(fields, wanted);
  EXPECT_EQ(head.fields.value("x-one"), "1 2");
  EXPECT_EQ(head.fields.find("x-three"), nullptr);
  EXPECT_EQ(head.fields.value("x-three"), "");
}

TEST(RequestHead, forgets_the_head_it_parsed_before) {
  RequestHead head;
  const std::string full = "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  const std::string bare = "GET /x HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(parse_request_head(full, Limits{}, head).state, ParseState::complete);
  ASSERT_EQ(parse_request_head(bare, Limits{}, head).state, ParseState::complete);
  EXPECT_FALSE(head.http_1_0);
  EXPECT_EQ(head.framing, Framing::none);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_EQ(head.fields.size(), 2U);
  EXPECT_EQ(head.host, "b");
}

TEST(RequestHead, holds_to_each_limit_to_the_byte) {
  const std::string raw = "GET /1234 HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n";
  RequestHead head;
  const Limits exact{.max_head = raw.size(), .max_fields = 2, .max_target = 5};
  EXPECT_EQ(parse(raw, head, exact).state, ParseState::complete);
  EXPECT_EQ(parse("\r\n" + raw, head, exact).state, ParseState::complete);

  Limits less = exact;
  less.max_head -= 1;
  EXPECT_EQ(parse(raw, head, less).refusal.reason, "head too large");
  less = exact;
  less.max_fields = 1;
  EXPECT_EQ(parse(raw, head, less).refusal.reason, "too many fields");
  less = exact;
  less.max_target = 4;
  EXPECT_EQ(parse(raw, head, less).refusal.reason, "target too long");
}

TEST(RequestHead, never_holds_more_than_128_fields_whatever_the_limit) {
  const Limits generous{.max_head = 1 << 20, .max_fields = 1000};
  const auto with_count = [](std::size_t count) {
    std::string raw = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < count; ++i) raw += "X: 1\r\n";
    return raw + "\r\n";
  };
  RequestHead head;
  EXPECT_EQ(parse(with_count(max_fields), head, generous).state, ParseState::complete);
  EXPECT_TRUE(head.fields.full());
  EXPECT_EQ(parse(with_count(max_fields + 1), head, generous).refusal.status, 431);
}

TEST(RequestHead, compares_lists_and_names_without_case) {
  EXPECT_TRUE(equals_ignoring_case("Content-TYPE", "content-type"));
  EXPECT_FALSE(equals_ignoring_case("Content-Typ", "content-type"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));
  EXPECT_TRUE(list_has("gzip, Close ,x", "close"));
  EXPECT_TRUE(list_has("close", "CLOSE"));
  EXPECT_FALSE(list_has("closed, xclose", "close"));
  EXPECT_FALSE(list_has("", "close"));
}

TEST(RequestHead, docs_name_each_rule_with_its_status) {
  std::ifstream file(test::in_project("docs/http-rules.md"));
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto& wanted : refused_requests()) {
    const std::string row = "| " + std::string(wanted.rule) + " | " + std::to_string(wanted.status) + " |";
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace tollgate::protocol::http
