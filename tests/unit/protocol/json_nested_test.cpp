// The walk by blocks exists twice, for two kinds of processors: both must come to the same place in the same state, and
// to the one that reading byte by byte comes to.
#include "protocol/json_nested.hpp"

#include "tollgate/base/random.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tollgate::protocol::json {
namespace {

using Walker = void (*)(NestedWalk&, const char*);

NestedWalk after(Walker walk, std::string_view text, bool in_string) {
  NestedWalk state{.at = text.data(), .limit = 64, .in_string = in_string, .begun = in_string};
  state.open = in_string ? 1 : 0;
  walk(state, text.data() + text.size());
  return state;
}

std::string random_string(Random& random) {
  constexpr std::string_view pieces[] = {"word", "\\\"", "\\\\", "\\n",      "\\u12aF",
                                         " ",    "{",    "]",    "\xC3\xA9", "a longer run of text"};
  std::string text = "\"";
  for (std::uint64_t left = random() % 12; left > 0; --left) text += pieces[random() % std::size(pieces)];
  if (random() % 4 == 0) text.append(2 * (random() % 70), '\\');  // escaped ones, over the ends of blocks
  return text + "\"";
}

/// A nested value as a body might have it; in one of two, one byte is replaced by what may not be there.
std::string random_text(Random& random) {
  std::string text = "[";
  std::string open = "]";
  const std::size_t size = 64 + random() % 600;
  while (text.size() < size) {
    const auto kind = random() % 6;
    if (kind == 0 && open.size() < 30) {
      text += "[", open.insert(open.begin(), ']');
    } else if (kind == 1 && open.size() < 30) {
      text += "{\"k\" :", open.insert(open.begin(), '}');
    } else if (kind == 2 && open.size() > 1) {
      text += "1", text += open.front(), text += ", ", open.erase(open.begin());
    } else {
      text += (kind == 3 ? "-1.5E3" : random_string(random)) + (random() % 2 == 0 ? ",\n\t" : ", ");
    }
  }
  text += "null" + open + std::string(random() % 100, ' ');
  constexpr std::string_view wrong = "\"\\{}[]\x01#'";
  if (random() % 2 == 0) text[random() % text.size()] = wrong[random() % wrong.size()];
  return text;
}

/// The walk byte by byte, up to `until`: what the blocks must come to as well.
NestedWalk read_until(const char* until, std::string_view text, bool in_string) {
  NestedWalk state{.at = text.data(), .limit = 64, .in_string = in_string, .begun = in_string};
  state.open = in_string ? 1 : 0;
  while (state.at < until) {
    const char byte = *state.at++;
    if (byte == '"') {
      state.in_string = !state.in_string;
    } else if (state.in_string) {
      EXPECT_GE(static_cast<unsigned char>(byte), 0x20);
      if (byte == '\\') {
        EXPECT_NE(std::string_view("\"\\/bfnrtu").find(*state.at++), std::string_view::npos);
      }
    } else if (is_bracket(byte)) {
      EXPECT_EQ(state.pass_bracket(byte), Fault::none);
    }
  }
  return state;
}

TEST(NestedWalk, comes_to_the_state_that_reading_byte_by_byte_comes_to) {
  Random random(20261123);
  std::size_t moved = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(random);
    const bool in_string = random() % 2 == 0;
    const NestedWalk blocks = after(walk_blocks, text, in_string), bytes = read_until(blocks.at, text, in_string);
    ASSERT_EQ(blocks.at - text.data(), bytes.at - text.data()) << text;
    ASSERT_EQ(blocks.open, bytes.open) << text;
    ASSERT_EQ(blocks.kinds, bytes.kinds) << text;
    ASSERT_EQ(blocks.in_string, bytes.in_string) << text;
    moved += blocks.at != text.data();
  }
#if defined(__SSE2__)
  EXPECT_GT(moved, 2'000U);
#endif
}

TEST(NestedWalk, comes_to_the_same_state_with_wide_and_with_narrow_blocks) {
#if defined(__SSE2__)
  const Walker wide =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") ? walk_wide_blocks : walk_blocks;
  Random random(20261122);
  std::size_t moved = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(random);
    const bool in_string = random() % 2 == 0;
    const NestedWalk one = after(walk_narrow_blocks, text, in_string), other = after(wide, text, in_string);
    ASSERT_EQ(one.at - text.data(), other.at - text.data()) << text;
    ASSERT_EQ(one.open, other.open) << text;
    ASSERT_EQ(one.kinds, other.kinds) << text;
    ASSERT_EQ(one.in_string, other.in_string) << text;
    ASSERT_EQ(one.begun, other.begun) << text;
    moved += one.at != text.data();
  }
  EXPECT_GT(moved, 2'000U);
#endif
}

}  // namespace
}  // namespace tollgate::protocol::json
