// Streams arrive cut anywhere, and a wrong event boundary is a lost or doubled token: so a corpus is cut at every byte,
// and its boundaries are held against a reading of the whole text.
#include "tollgate/protocol/sse.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tollgate::protocol {
namespace {

/// Ends of all events, as offsets into the text, when it comes in pieces that end at the given cuts.
std::vector<std::size_t> boundaries(std::string_view text, const std::vector<std::size_t>& cuts) {
  SseScanner scanner;
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  for (std::size_t index = 0; index <= cuts.size(); ++index) {
    const std::size_t stop = index < cuts.size() ? cuts[index] : text.size();
    while (at < stop) {
      const std::size_t length = scanner.next_event_end(text.substr(at, stop - at));
      if (length == 0) break;
      ends.push_back(at += length);
    }
    at = stop;
  }
  return ends;
}

std::vector<std::string> events(std::string_view text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (const std::size_t end : boundaries(text, {})) {
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

/// An event ends after the line end of the first empty line that follows a line with something in it. A CRLF's event
/// ends at its CR.
std::vector<std::size_t> reference_boundaries(std::string_view text) {
  std::vector<std::size_t> ends;
  std::size_t line_begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  bool any_line = false;
  for (std::size_t at = line_begin; at < text.size(); ++at) {
    if (text[at] != '\n' && text[at] != '\r') continue;
    if (text[at] == '\n' && at > 0 && text[at - 1] == '\r') {
      line_begin = at + 1;
      continue;
    }
    if (at > line_begin) {
      any_line = true;
    } else if (any_line) {
      ends.push_back(at + 1);
      any_line = false;
    }
    line_begin = at + 1;
  }
  return ends;
}

/// 72 events: each kind of line end, and what servers and their keep-alives send.
std::string corpus() {
  const std::vector<std::string> blocks = {
      "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n",
      "data:{\"no\":\"space\"}\n",
      "data:  two spaces\n",
      "data\n",
      "data:\n",
      "data: \n",
      "data: first\ndata: second\ndata: third\n",
      ": keep-alive\n",
      ":\n",
      ": OPENROUTER PROCESSING\n: again\n",
      "event: response.created\ndata: {\"type\":\"response.created\"}\n",
      "event: error\ndata: {\"error\":{\"message\":\"no\"}}\n",
      "id: 7\nretry: 100\ndata: x\n",
      "unknown: field\n",
      "data: 你好，世界。日本語のテキスト 한국어\n",
      "data: 😀👩‍👩‍👧‍👦🇩🇪 é\n",
      "data: {\"broken\": \n",
      "database: not data\n",
      " data: leading space\n",
      "data: [DONE]\n",
      "data: [DONE] \n",
      "data:[DONE]\n",
      "data: {\"a\":\"colon: inside\"}\n",
      "data: \xEF\xBB\xBF mark inside\n",
  };
  std::string text = "\xEF\xBB\xBF";
  for (const std::string ending : {"\n", "\r\n", "\r"}) {
    for (std::string block : blocks) {
      block += "\n";
      for (std::size_t at = 0; (at = block.find('\n', at)) != std::string::npos; at += ending.size()) {
        block.replace(at, 1, ending);
      }
      text += block;
    }
    text += ending;
  }
  return text + "\n\ndata: mixed\r\n\ndata: ends\r\r\ndata: last\n\r\ndata: without its empty line\n";
}

TEST(SseScanner, finds_the_events_of_the_corpus) {
  const std::string text = corpus();
  const auto ends = boundaries(text, {});
  EXPECT_EQ(ends, reference_boundaries(text));
  EXPECT_EQ(ends.size(), 3u * 24u + 3u);
}

TEST(SseScanner, finds_the_same_events_cut_at_every_byte) {
  const std::string text = corpus();
  const auto expected = reference_boundaries(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) ASSERT_EQ(boundaries(text, {cut}), expected) << cut;
}

TEST(SseScanner, finds_the_same_events_one_byte_at_a_time) {
  const std::string text = corpus();
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1; at < text.size(); ++at) cuts.push_back(at);
  EXPECT_EQ(boundaries(text, cuts), reference_boundaries(text));
}

TEST(SseScanner, finds_the_same_events_in_random_pieces) {
  const std::string text = corpus();
  const auto expected = reference_boundaries(text);
  std::mt19937_64 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = random() % 40; at < text.size(); at += 1 + random() % 40) cuts.push_back(at);
    ASSERT_EQ(boundaries(text, cuts), expected);
  }
}

TEST(SseScanner, passes_a_line_of_a_megabyte) {
  const std::string text = "data: a\n\ndata: " + std::string(1 << 20, 'x') + "\r\n\r\ndata: b\n\n";
  const auto expected = reference_boundaries(text);
  ASSERT_EQ(expected.size(), 3u);
  std::vector<std::size_t> every_byte;
  for (std::size_t at = 1; at < text.size(); ++at) every_byte.push_back(at);
  EXPECT_EQ(boundaries(text, every_byte), expected);
  for (std::size_t cut :
       {8u, 9u, 10u, 100'000u, 1'048'591u, 1'048'592u, 1'048'593u, 1'048'594u, 1'048'595u, 1'048'596u}) {
    EXPECT_EQ(boundaries(text, {cut}), expected) << cut;
  }
}

TEST(SseScanner, is_linear_where_no_line_feed_ever_comes) {
  std::string text;
  for (int event = 0; event < 100'000; ++event) text += "data: x\r\r";
  EXPECT_EQ(boundaries(text, {}).size(), 100'000u);
}

TEST(SseScanner, gives_the_line_feed_of_a_crlf_to_the_next_event) {
  EXPECT_EQ(events("data: a\r\n\r\ndata: b\r\n\r\n"), (std::vector<std::string>{"data: a\r\n\r", "\ndata: b\r\n\r"}));
}

TEST(SseScanner, gives_leading_blank_lines_to_the_next_event) {
  EXPECT_EQ(events("\n\n\r\ndata: a\n\n\n\ndata: b\n\n"),
            (std::vector<std::string>{"\n\n\r\ndata: a\n\n", "\n\ndata: b\n\n"}));
  EXPECT_TRUE(events("\n\n\n").empty());
}

TEST(SseScanner, ends_an_event_of_comments_at_its_empty_line) {
  EXPECT_EQ(events(": ping\n\n: ping\n\ndata: a\n\n"),
            (std::vector<std::string>{": ping\n\n", ": ping\n\n", "data: a\n\n"}));
}

TEST(SseScanner, ends_no_event_without_its_empty_line) {
  EXPECT_TRUE(events("").empty());
  EXPECT_TRUE(events("data: a").empty());
  EXPECT_TRUE(events("data: a\n").empty());
  EXPECT_TRUE(events("data: a\r\n").empty());
}

TEST(SseScanner, takes_a_byte_order_mark_for_nothing_and_half_a_mark_for_a_line) {
  EXPECT_TRUE(events("\xEF\xBB\xBF\n\n").empty());
  EXPECT_EQ(events("\xEF\xBB\xBF"
                   "data: a\n\n")
                .size(),
            1u);
  EXPECT_EQ(events("\xEF\n\n").size(), 1u);
  EXPECT_EQ(events("\xEF\xBB\n\n").size(), 1u);
  EXPECT_EQ(boundaries("\xEF\xBB\n\n", {1, 2, 3}), (std::vector<std::size_t>{4}));
  EXPECT_EQ(events("\n\xEF\xBB\xBF\n\n").size(), 1u);
}

struct EventCase {
  std::string bytes, name, data;
  std::uint32_t lines;
};

TEST(ParseSseEvent, reads_name_and_data) {
  const EventCase cases[] = {
      {"data: {\"a\":1}\n\n", "", "{\"a\":1}", 1},
      {"data:x\n\n", "", "x", 1},
      {"data:  x \n\n", "", " x ", 1},
      {"data\n\n", "", "", 1},
      {"data:\n\n", "", "", 1},
      {"data: a\ndata: b\n\n", "", "a", 2},
      {"event: error\ndata: x\n\n", "error", "x", 1},
      {"data: x\nevent:late\n\n", "late", "x", 1},
      {"event: one\nevent: two\n\n", "two", "", 0},
      {": comment\n\n", "", "", 0},
      {":data: x\n\n", "", "", 0},
      {"database: x\n\n", "", "", 0},
      {" data: x\n\n", "", "", 0},
      {"id: 1\nretry: 5\n\n", "", "", 0},
      {"\ndata: a\r\n\r", "", "a", 1},
      {"data: a\r\r", "", "a", 1},
      {"data: a\rdata: b\r\n\n", "", "a", 2},
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       "", "", 0},  // where it begins the stream, whoever reads the stream takes it off
      {"data: unfinished", "", "unfinished", 1},
      {"", "", "", 0},
  };
  for (const EventCase& expected : cases) {
    const SseEvent event = parse_sse_event(expected.bytes);
    EXPECT_EQ(event.name, expected.name) << expected.bytes;
    EXPECT_EQ(event.data, expected.data) << expected.bytes;
    EXPECT_EQ(event.data_lines, expected.lines) << expected.bytes;
  }
}

TEST(JoinData, joins_data_lines_with_line_feeds) {
  EXPECT_EQ(join_data("data: {\r\ndata: \"a\":1\r\n: comment\r\ndata:}\r\n\r"), "{\n\"a\":1\n}");
  EXPECT_EQ(join_data("data: one\n\n"), "one");
  EXPECT_EQ(join_data("data\ndata\n\n"), "\n");
  EXPECT_EQ(join_data(": none\n\n"), "");
}

}  // namespace
}  // namespace tollgate::protocol
