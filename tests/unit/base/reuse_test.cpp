#include "tollgate/base/reuse.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate {
namespace {

TEST(Release, leaves_a_text_no_memory_of_its_own) {
  std::string text(1000, 'x');
  release(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text.capacity(), std::string().capacity());
}

TEST(ClearForReuse, gives_back_what_a_burst_took) {
  std::string text(1'000'000, 'x');
  clear_for_reuse(text, 1024);
  EXPECT_TRUE(text.empty());
  EXPECT_LE(text.capacity(), 1024U);
}

TEST(ClearForReuse, keeps_what_is_used_again_and_again) {
  std::string text(1000, 'x');
  const std::size_t capacity = text.capacity();
  clear_for_reuse(text, 1024);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text.capacity(), capacity);
}

}  // namespace
}  // namespace tollgate
