#include "io/upstream/body_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::io {
namespace {

using protocol::http::Framing;
using protocol::http::ResponseHead;

BodyReader reader_for(Framing framing, std::uint64_t length = 0) {
  ResponseHead head;
  head.framing = framing;
  head.content_length = length;
  return BodyReader(head);
}

/// Feeds the text cut at one place and gives the content.
std::string read(BodyReader& reader, std::string text, std::size_t cut) {
  std::string first = text.substr(0, cut), second = text.substr(cut);
  std::string content(reader.take(first));
  if (!second.empty()) content += reader.take(second);
  return content;
}

TEST(BodyReader, takes_as_many_bytes_as_the_length_says) {
  for (std::size_t cut = 0; cut <= 5; ++cut) {
    BodyReader reader = reader_for(Framing::length, 5);
    EXPECT_EQ(read(reader, "hello", cut), "hello");
    EXPECT_TRUE(reader.reusable());
  }
}

TEST(BodyReader, bytes_after_the_end_make_the_connection_unusable) {
  BodyReader reader = reader_for(Framing::length, 2);
  EXPECT_EQ(read(reader, "ok more", 7), "ok");
  EXPECT_EQ(reader.state(), BodyReader::State::complete);
  EXPECT_FALSE(reader.reusable());
}

TEST(BodyReader, takes_chunks_apart_wherever_they_are_cut) {
  const std::string text = "5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nTrailer: 1\r\n\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    BodyReader reader = reader_for(Framing::chunked);
    ASSERT_EQ(read(reader, text, cut), "hello world") << cut;
    ASSERT_TRUE(reader.reusable()) << cut;
  }
}

TEST(BodyReader, a_broken_chunk_is_malformed) {
  BodyReader reader = reader_for(Framing::chunked);
  read(reader, "zz\r\n", 4);
  EXPECT_EQ(reader.state(), BodyReader::State::malformed);
}

TEST(BodyReader, a_close_ends_only_a_body_that_lasts_until_then) {
  BodyReader open_ended = reader_for(Framing::until_close);
  EXPECT_EQ(read(open_ended, "all", 1), "all");
  open_ended.closed();
  EXPECT_EQ(open_ended.state(), BodyReader::State::complete);
  EXPECT_FALSE(open_ended.reusable());

  BodyReader cut_short = reader_for(Framing::length, 10);
  read(cut_short, "all", 1);
  cut_short.closed();
  EXPECT_EQ(cut_short.state(), BodyReader::State::malformed);
}

TEST(BodyReader, nothing_is_complete_at_once) {
  EXPECT_TRUE(reader_for(Framing::none).reusable());
  EXPECT_TRUE(reader_for(Framing::length, 0).reusable());
}

}  // namespace
}  // namespace tollgate::io
