// Boost.Beast's parser as an independent reader: what the guard accepts must mean the same to it. It accepts more than
// the guard does, which is why there is a guard. In a file of its own as its headers compile slowly.
#include "http_request_cases.hpp"

#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace tollgate::protocol::http {
namespace {

namespace beast = boost::beast::http;
using FieldValues = std::map<std::string, std::vector<std::string>>;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

/// Both readers' view of one head: values by name, in the order sent.
struct Reading {
  std::string method;
  std::string target;
  FieldValues fields;
  bool chunked = false;
  bool keep_alive = false;
  std::uint64_t length = 0;
  bool operator==(const Reading&) const = default;
};

Reading ours(const RequestHead& head) {
  Reading reading{.method = std::string(head.method), .target = std::string(head.target), .fields = {}};
  for (const Field& field : head.fields) reading.fields[lower(field.name)].emplace_back(field.value);
  reading.chunked = head.framing == Framing::chunked;
  reading.keep_alive = head.keep_alive;
  reading.length = head.content_length;
  return reading;
}

void expect_the_same_reading(std::string_view raw, const RequestHead& head) {
  if (raw.starts_with("\r\n")) raw.remove_prefix(2);  // Beast skips no empty line
  beast::request_parser<beast::empty_body> parser;
  parser.header_limit(1 << 20);
  parser.body_limit(boost::none);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(raw.data(), raw.size()), error);
  ASSERT_TRUE(parser.is_header_done()) << error.message();
  const auto& message = parser.get();
  Reading theirs{.method = message.method_string(), .target = message.target(), .fields = {}};
  for (const auto& field : message) theirs.fields[lower(field.name_string())].emplace_back(field.value());
  theirs.chunked = parser.chunked();
  theirs.keep_alive = parser.keep_alive();
  theirs.length = parser.content_length().value_or(0);

  const Reading own = ours(head);
  EXPECT_EQ(own.method, theirs.method);
  EXPECT_EQ(own.target, theirs.target);
  EXPECT_EQ(own.fields, theirs.fields);
  EXPECT_EQ(own.chunked, theirs.chunked);
  // In HTTP/1.0 with both "close" and "keep-alive" we close and Beast does not.
  EXPECT_TRUE(theirs.keep_alive || !own.keep_alive);
  EXPECT_EQ(own.length, theirs.length);
}

TEST(RequestHeadOracle, reads_each_accepted_head_as_we_do) {
  for (const auto& wanted : cases::accepted_requests()) {
    SCOPED_TRACE(::testing::PrintToString(wanted.raw.substr(0, 200)));
    RequestHead head;
    ASSERT_EQ(parse_request_head(wanted.raw, Limits{}, head).state, ParseState::complete);
    expect_the_same_reading(wanted.raw, head);
  }
}

/// One small change of the kind that makes parsers disagree.
std::string mutated(std::string raw, std::mt19937& random) {
  static const std::vector<std::string> inserts = {" ",
                                                   "\t",
                                                   "\r",
                                                   "\n",
                                                   "\r\n",
                                                   "\r\n ",
                                                   ",",
                                                   ";",
                                                   ":",
                                                   "\x01",
                                                   "\x7f",
                                                   "\x80",
                                                   "0",
                                                   "+5",
                                                   "chunked",
                                                   "Content-Length: 3\r\n",
                                                   "Transfer-Encoding: chunked\r\n",
                                                   "Host: b\r\n",
                                                   "Connection: close\r\n"};
  const std::size_t at = random() % raw.size();
  switch (random() % 5) {
    case 0: raw.insert(at, inserts[random() % inserts.size()]); break;
    case 1: raw.erase(at, 1 + random() % 3); break;
    case 2: raw[at] = static_cast<char>(random()); break;
    case 3: raw.insert(at, raw.substr(random() % raw.size(), random() % 40)); break;
    default: std::swap(raw[at], raw[random() % raw.size()]); break;
  }
  return raw;
}

TEST(RequestHeadOracle, agrees_on_mutated_heads_that_we_still_accept) {
  std::mt19937 random(20240607);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases in each run
  std::vector<std::string> seeds;
  for (const auto& wanted : cases::accepted_requests()) {
    // Beast holds Proxy-Connection to the grammar of Connection; to us it means nothing.
    const bool comparable = wanted.raw.find("Proxy-Connection") == std::string::npos;
    if (comparable && wanted.raw.size() < 1000) seeds.push_back(wanted.raw);
  }
  int accepted = 0;
  for (int round = 0; round < 100000 && !::testing::Test::HasFailure(); ++round) {
    std::string raw = mutated(seeds[random() % seeds.size()], random);
    if (raw.empty() || round % 2 == 0) raw = mutated(raw + " ", random);
    RequestHead head;
    const ParseResult result = parse_request_head(raw, Limits{}, head);
    if (result.state != ParseState::complete) continue;
    ++accepted;
    SCOPED_TRACE(::testing::PrintToString(raw));
    expect_the_same_reading(std::string_view(raw).substr(0, result.size), head);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace tollgate::protocol::http
