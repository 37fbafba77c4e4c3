#include "protocol/anthropic/request/media.hpp"

#include "protocol/anthropic/request/chat_text.hpp"

#include <gtest/gtest.h>

namespace tollgate::protocol::anthropic::request {
namespace {

TEST(DataUrl, is_read_with_all_it_may_have) {
  const auto url = read_data_url(" DaTa:Text/Plain;charset=utf-8;BASE64,YQ== ");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->media_type, "text/plain");
  EXPECT_TRUE(url->base64);
  EXPECT_EQ(url->data, "YQ==");
  EXPECT_FALSE(read_data_url("data:text/plain,a%20b")->base64);
  EXPECT_EQ(read_data_url("data:,")->media_type, "");
  for (const char* other : {"", "data", "data:", "data:image/png;base64", "https://a/b,c", "YQ=="})
    EXPECT_FALSE(read_data_url(other)) << other;
}

TEST(Base64, is_cleaned_or_refused) {
  std::string kept;
  EXPECT_EQ(clean_base64("YQ==", kept), "YQ==");
  EXPECT_EQ(clean_base64("Y\r\nQ =\t=", kept), "YQ==");
  EXPECT_EQ(clean_base64("YWI", kept), "YWI");
  for (const char* bad : {"", "=", "Y", "YQ=", "YQ===", "Y=Q=", "YQ-_", "YQ==x", "Y\"==", "\xC3\xA9", "    "})
    EXPECT_FALSE(clean_base64(bad, kept)) << bad;
}

TEST(Base64, stands_for_bytes) {
  EXPECT_EQ(decode_base64("YQ=="), "a");
  EXPECT_EQ(decode_base64("YWI="), "ab");
  EXPECT_EQ(decode_base64("YWJj"), "abc");
  EXPECT_EQ(decode_base64("//79"), "\xFF\xFE\xFD");
  EXPECT_EQ(decode_base64(""), "");
}

TEST(MediaTypes, are_told_from_the_first_bytes) {
  EXPECT_EQ(sniff_media_type("iVBORw0KGgo="), "image/png");
  EXPECT_EQ(sniff_media_type("/9j/4AAQ"), "image/jpeg");
  EXPECT_EQ(sniff_media_type("R0lGODdh"), "image/gif");
  EXPECT_EQ(sniff_media_type("UklGRiQAAABXRUJQVlA4"), "image/webp");
  EXPECT_EQ(sniff_media_type("JVBERi0="), "application/pdf");
  for (const char* other : {"", "UklGRg==", "UklGRiQAAABXQVZF", "PHN2Zz4=", "/9g="})
    EXPECT_EQ(sniff_media_type(other), "");
}

TEST(ChatText, is_blank_where_unicode_says_so) {
  for (const char* blank : {"", " ", "\\n\\t\\r\\f", "\\u0020\\u00a0", "\xC2\xA0\xE3\x80\x80", " \\u2003"})
    EXPECT_TRUE(is_blank(blank)) << blank;
  for (const char* text : {"a", " a", "\\n.", "\\\\n", "\\u200b", "\\ud83d", "\\b", "\xC2\xA1"})
    EXPECT_FALSE(is_blank(text)) << text;
}

TEST(ChatText, loses_the_blanks_at_its_end) {
  EXPECT_EQ(without_end_blanks("a b\xE2\x80\x83\n \xC2\xA0"), "a b");
  EXPECT_EQ(without_end_blanks("a\xC3\xA0"), "a\xC3\xA0");
  EXPECT_EQ(without_end_blanks(" \t"), "");
}

TEST(ChatText, tells_where_it_is_no_utf8) {
  for (std::size_t at = 0; at < 20; ++at) {
    std::string text(20, 'a');
    EXPECT_EQ(find_broken_utf8(text), std::string_view::npos);
    text[at] = '\xC3';
    EXPECT_EQ(find_broken_utf8(text), at);
    text.replace(at, 1, "\xF0\x9F\x98\x80");
    EXPECT_EQ(find_broken_utf8(text), std::string_view::npos);
  }
}

}  // namespace
}  // namespace tollgate::protocol::anthropic::request
