#include "tollgate/base/byte_buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate {
namespace {

TEST(ByteBuffer, keeps_what_was_appended_across_growth) {
  ByteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    const std::string piece = std::to_string(i);
    buffer.append(piece);
    expected += piece;
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(ByteBuffer, consume_keeps_the_rest) {
  ByteBuffer buffer;
  buffer.append("head and tail");
  buffer.consume(9);
  EXPECT_EQ(buffer.view(), "tail");
  buffer.consume(4);
  EXPECT_TRUE(buffer.empty());
}

TEST(ByteBuffer, reserve_grows_to_exactly_what_was_asked) {
  ByteBuffer buffer;
  buffer.reserve(1000);
  EXPECT_EQ(buffer.capacity(), 1000u);
  EXPECT_EQ(buffer.room(1000).size(), 1000u);
  EXPECT_EQ(buffer.capacity(), 1000u);
}

TEST(ByteBuffer, a_moved_from_buffer_is_empty) {
  ByteBuffer first;
  first.append("x");
  ByteBuffer second(std::move(first));
  EXPECT_EQ(second.view(), "x");
  EXPECT_EQ(first.size(), 0u);
}

}  // namespace
}  // namespace tollgate
