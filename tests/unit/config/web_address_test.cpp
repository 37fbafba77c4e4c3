#include "tollgate/config/web_address.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

TEST(WebAddress, is_taken_apart_into_what_a_request_needs) {
  EXPECT_EQ(*parse_web_address("https://Hooks.Slack.com/services/T0/B0/x"),
            (WebAddress{true, "hooks.slack.com", 443, "/services/T0/B0/x"}));
  EXPECT_EQ(*parse_web_address("http://127.0.0.1:4318"), (WebAddress{false, "127.0.0.1", 4318, "/"}));
  EXPECT_EQ(*parse_web_address("http://[::1]:80/a/"), (WebAddress{false, "::1", 80, "/a/"}));
  EXPECT_EQ(*parse_web_address("https://a.example?token=1&b=%20"),
            (WebAddress{true, "a.example", 443, "/?token=1&b=%20"}));
  EXPECT_EQ(parse_web_address("https://a.example/x/?y=http://z/")->target, "/x/?y=http://z/");
}

TEST(WebAddress, what_is_none_is_refused_without_quoting_it) {
  for (const char* bad :
       {"", "hooks.example/secret", "ftp://secret", "https://", "https://a:b@c/secret", "https://a.example/secret#x",
        "https://a.example/?secret#x", "https://a.example/secret\r\nX: y", "https://a.example/?secret x",
        "https://a.example/?secret\nX: y", "https://a.example:0/secret", "https://a.example/../secret"}) {
    const auto parsed = parse_web_address(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_FALSE(parsed.error().message.empty());
    EXPECT_EQ(parsed.error().message.find("secret"), std::string::npos) << parsed.error().message;
  }
}

}  // namespace
}  // namespace tollgate::config
