// Chunked bodies: each case is decoded whole, cut in two at every byte, and byte by byte, and must come out the same,
// since where the reads happen to cut a body must mean nothing.
#include "tollgate/protocol/http/chunked.hpp"

#include "support/paths.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace tollgate::protocol::http {
namespace {

using namespace std::string_literals;
using Side = ChunkedDecoder::Side;
using State = ChunkedDecoder::State;

struct Outcome {
  State state = State::reading;
  std::string content;
  std::string_view reason;
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << "state " << static_cast<int>(outcome.state) << ", " << outcome.consumed << " bytes consumed, content "
             << ::testing::PrintToString(outcome.content.substr(0, 100)) << ", reason " << outcome.reason;
}

void feed(ChunkedDecoder& decoder, std::string_view bytes, Outcome& outcome) {
  while (decoder.state() == State::reading && !bytes.empty()) {
    const ChunkedDecoder::Step step = decoder.step(bytes);
    outcome.content += step.content;
    outcome.consumed += step.consumed;
    ASSERT_NE(step.consumed, 0U);
    if (!step.content.empty()) {
      ASSERT_EQ(step.content.data() + step.content.size(), bytes.data() + step.consumed);
    }
    bytes.remove_prefix(step.consumed);
  }
}

Outcome decode(Side side, const std::vector<std::string_view>& pieces) {
  ChunkedDecoder decoder(side);
  Outcome outcome;
  for (const std::string_view piece : pieces) feed(decoder, piece, outcome);
  outcome.state = decoder.state();
  outcome.reason = decoder.reason();
  return outcome;
}

struct Case {
  std::string raw;
  State state;
  std::string content;
  std::string_view reason = {};
  std::size_t left_over = 0;
};

const std::string_view bad_size = "chunk size is not a hex number";
const std::string_view large_size = "chunk size of 2^63 or more, or of more than 16 digits";

/// The same on both sides.
// size: exempt, a table
std::vector<Case> common_cases() {
  return {
      {"0\r\n\r\n", State::complete, ""},
      {"000\r\n\r\n", State::complete, ""},
      {"5\r\nhello\r\n0\r\n\r\n", State::complete, "hello"},
      {"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n", State::complete, "hello, world"},
      {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", State::complete, "01234567890123456789"},
      {"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", State::complete, "hello"},
      {"4\r\n\r\n\r\n\r\n0\r\n\r\n", State::complete, "\r\n\r\n"},
      {"5\r\n0\r\n\r\n\r\n0\r\n\r\n", State::complete, "0\r\n\r\n"},
      {"3\r\n\0\xFF\n\r\n0\r\n\r\n"s, State::complete, "\0\xFF\n"s},
      {"1F\r\n" + std::string(31, 'x') + "\r\n0\r\n\r\n", State::complete, std::string(31, 'x')},
      {"12c\r\n" + std::string(300, 'x') + "\r\n0\r\n\r\n", State::complete, std::string(300, 'x')},
      {"1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", State::complete, "a", {}, 16},
      {"0\r\n\r\n\r\n", State::complete, "", {}, 2},
      {"", State::reading, ""},
      {"5", State::reading, ""},
      {"5\r", State::reading, ""},
      {"5\r\nhel", State::reading, "hel"},
      {"5\r\nhello\r", State::reading, "hello"},
      {"5\r\nhello\r\n", State::reading, "hello"},
      {"5\r\nhello\r\n0\r\n", State::reading, "hello"},
      {"5\r\nhello\r\n0\r\n\r", State::reading, "hello"},
      {"7fffffffffffffff\r\nab", State::reading, "ab"},
      {"8000000000000000\r\n", State::malformed, "", large_size},
      {"ffffffffffffffff\r\n", State::malformed, "", large_size},
      {"00000000000000005\r\nhello", State::malformed, "", large_size},
      {"10000000000000000\r\n", State::malformed, "", large_size},
      {"\r\n", State::malformed, "", bad_size},
      {"\n", State::malformed, "", bad_size},
      {"g\r\n", State::malformed, "", bad_size},
      {" 5\r\nhello", State::malformed, "", bad_size},
      {"5 \r\nhello", State::malformed, "", bad_size},
      {"5\t\r\nhello", State::malformed, "", bad_size},
      {"+5\r\nhello", State::malformed, "", bad_size},
      {"-5\r\nhello", State::malformed, "", bad_size},
      {"0x5\r\nhello", State::malformed, "", bad_size},
      {"5_0\r\nhello", State::malformed, "", bad_size},
      {"5,5\r\nhello", State::malformed, "", bad_size},
      {";a\r\nhello", State::malformed, "", bad_size},
      {"5\nhello", State::malformed, "", bad_size},
      {"5\0\r\n"s, State::malformed, "", bad_size},
      {"5\r5hello", State::malformed, "", "chunk size without CR LF"},
      {"5\r\r\nhello", State::malformed, "", "chunk size without CR LF"},
      {"5\r\nhello0\r\n\r\n", State::malformed, "hello", "chunk longer than its size"},
      {"5\r\nhello\n0\r\n\r\n", State::malformed, "hello", "chunk longer than its size"},
      {"4\r\nhello\r\n0\r\n\r\n", State::malformed, "hell", "chunk longer than its size"},
      {"5\r\nhello\r0\r\n\r\n", State::malformed, "hello", "chunk without CR LF"},
      {"6\r\nhello\r\n0\r\n\r\n", State::malformed, "hello\r", "chunk longer than its size"},
      {"0\r\n\rX", State::malformed, "", "last chunk without CR LF"},
      {"0\n\n", State::malformed, "", bad_size},
  };
}

std::vector<Case> request_cases() {
  return {
      {"5;a=b\r\nhello\r\n0\r\n\r\n", State::malformed, "", "chunk extension on a request"},
      {"5;\r\nhello\r\n0\r\n\r\n", State::malformed, "", "chunk extension on a request"},
      {"5;\nhello\r\n0\r\n\r\n", State::malformed, "", "chunk extension on a request"},
      {"0;a\r\n\r\n", State::malformed, "", "chunk extension on a request"},
      {"0\r\nAuthorization: x\r\n\r\n", State::malformed, "", "trailer on a request"},
      {"0\r\n\n", State::malformed, "", "trailer on a request"},
      {"0\r\nGET / HTTP/1.1\r\n", State::malformed, "", "trailer on a request"},
  };
}

std::vector<Case> response_cases() {
  const auto extended = [](std::size_t size) { return "5;" + std::string(size, 'e') + "\r\nhello\r\n0\r\n\r\n"; };
  const auto trailed = [](std::size_t size) { return "0\r\nX:" + std::string(size, 'v') + "\r\n\r\n"; };
  const std::string_view not_a_field = "trailer is not a field line";
  return {
      {"5;a=b\r\nhello\r\n0\r\n\r\n", State::complete, "hello"},
      {"5;a=\"b\tc\xE9\"\r\nhello\r\n0;x\r\n\r\n", State::complete, "hello"},
      {extended(255), State::complete, "hello"},
      {extended(255) + "x", State::complete, "hello", {}, 1},
      {extended(256), State::malformed, "", "chunk extension too long"},
      {"5;a\nhello\r\n0\r\n\r\n", State::malformed, "", "control byte in a chunk extension"},
      {"5;a\0\r\n"s, State::malformed, "", "control byte in a chunk extension"},
      {"5;a\rb\r\n", State::malformed, "", "chunk size without CR LF"},
      {"0\r\nX-Sum: 1\r\n\r\n", State::complete, ""},
      {"0\r\nX-Sum: 1\r\nY_Sum:\t\xE9\r\n\r\nHTTP", State::complete, "", {}, 4},
      {trailed(8189), State::complete, ""},
      {trailed(8190), State::malformed, "", "trailers too long"},
      {"0\r\nX: 1\n\r\n", State::malformed, "", "control byte in a trailer"},
      {"0\r\nX: 1\rY: 2\r\n\r\n", State::malformed, "", "trailer without CR LF"},
      {"0\r\nX: \x01\r\n\r\n", State::malformed, "", "control byte in a trailer"},
      {"0\r\n: 1\r\n\r\n", State::malformed, "", not_a_field},
      {"0\r\n X: 1\r\n\r\n", State::malformed, "", not_a_field},
      {"0\r\nnocolon\r\n\r\n", State::malformed, "", not_a_field},
      {"0\r\nHTTP/1.1 200 OK\r\n\r\n", State::malformed, "", not_a_field},
      {"0\r\n\n", State::malformed, "", not_a_field},
  };
}

void check(Side side, const Case& wanted) {
  SCOPED_TRACE(::testing::PrintToString(wanted.raw.substr(0, 100)));
  const std::string_view raw = wanted.raw;
  const Outcome whole = decode(side, {raw});
  EXPECT_EQ(whole.state, wanted.state);
  EXPECT_EQ(whole.content, wanted.content);
  EXPECT_EQ(whole.reason, wanted.reason);
  if (wanted.state != State::malformed) {
    EXPECT_EQ(whole.consumed, raw.size() - wanted.left_over);
  }

  for (std::size_t cut = 0; cut <= raw.size(); ++cut) {
    ASSERT_EQ(decode(side, {raw.substr(0, cut), raw.substr(cut)}), whole) << "cut at " << cut;
  }
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < raw.size(); ++at) bytes.push_back(raw.substr(at, 1));
  EXPECT_EQ(decode(side, bytes), whole);
}

TEST(ChunkedDecoder, decodes_requests_alike_at_every_cut) {
  for (const auto& cases : {common_cases(), request_cases()}) {
    for (const Case& wanted : cases) check(Side::request, wanted);
  }
}

TEST(ChunkedDecoder, decodes_responses_alike_at_every_cut) {
  for (const auto& cases : {common_cases(), response_cases()}) {
    for (const Case& wanted : cases) check(Side::response, wanted);
  }
}

TEST(ChunkedDecoder, bounds_extensions_per_chunk_not_per_body) {
  const std::string chunk = "1;" + std::string(250, 'e') + "\r\nx\r\n";
  std::string body;
  for (int i = 0; i < 100; ++i) body += chunk;
  EXPECT_EQ(decode(Side::response, {body + "0\r\n\r\n"}).state, State::complete);
}

TEST(ChunkedDecoder, consumes_nothing_once_it_has_ended) {
  ChunkedDecoder done(Side::request);
  EXPECT_EQ(done.step("0\r\n\r\nmore").consumed, 5U);
  EXPECT_EQ(done.step("more").consumed, 0U);

  ChunkedDecoder broken(Side::request);
  broken.step("x");
  EXPECT_EQ(broken.state(), State::malformed);
  EXPECT_EQ(broken.step("5\r\n").consumed, 0U);
}

TEST(ChunkHeader, is_read_back_as_the_size_written) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{4096}, std::size_t{65537}}) {
    const std::string content(size, 'c');
    const ChunkHeader header(size);
    const std::string body = std::string(header.text()) + content + std::string(chunk_end) + std::string(last_chunk);
    const Outcome outcome = decode(Side::request, {body});
    EXPECT_EQ(outcome.state, State::complete);
    EXPECT_EQ(outcome.content, content);
  }
  EXPECT_EQ(ChunkHeader(255).text(), "ff\r\n");
  EXPECT_EQ(ChunkHeader(std::numeric_limits<std::size_t>::max()).text(), "ffffffffffffffff\r\n");
}

TEST(ChunkedDecoder, docs_name_each_rule) {
  std::ifstream file(test::in_project("docs/http-rules.md"));
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto& cases : {common_cases(), request_cases(), response_cases()}) {
    for (const Case& wanted : cases) {
      if (wanted.reason.empty()) continue;
      EXPECT_NE(page.find("| " + std::string(wanted.reason) + " |"), std::string::npos) << wanted.reason;
    }
  }
}

}  // namespace
}  // namespace tollgate::protocol::http
