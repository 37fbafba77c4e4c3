#include "config/addresses.hpp"

#include <gtest/gtest.h>

// Addresses and URLs are what the rest of the gateway trusts unseen, so each form that could be read two ways is tried
// here and must be refused.

namespace tollgate::config {
namespace {

TEST(ListenAddress, has_four_forms) {
  const auto v4 = *parse_listen("127.0.0.1:8080");
  EXPECT_EQ(v4.host, "127.0.0.1");
  EXPECT_EQ(v4.port, 8080);
  EXPECT_TRUE(v4.loopback);
  const auto v6 = *parse_listen("[::1]:0");
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.port, 0);
  EXPECT_TRUE(v6.loopback);
  const auto every = *parse_listen(":8080");
  EXPECT_EQ(every.host, "");
  EXPECT_FALSE(every.loopback);
  const auto socket = *parse_listen("unix:/run/tollgate.sock");
  EXPECT_EQ(socket.unix_path, "/run/tollgate.sock");
  EXPECT_TRUE(socket.loopback);
}

TEST(ListenAddress, only_loopback_is_loopback) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"})
    EXPECT_TRUE(parse_listen(text)->loopback) << text;
  for (const char* text : {"0.0.0.0:1", "[::]:1", ":1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"})
    EXPECT_FALSE(parse_listen(text)->loopback) << text;
}

TEST(ListenAddress, refuses_everything_else) {
  for (const char* text :
       {"", ":", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "::1:8080",
        "[::1]", "[::1", "[127.0.0.1]:80", "[]:80", "localhost:80", "example.com:80", "127.1:80", "unix:", "unix:x"})
    EXPECT_FALSE(parse_listen(text)) << text;
  EXPECT_FALSE(parse_listen("unix:/" + std::string(107, 'x')));
  EXPECT_TRUE(parse_listen("unix:/" + std::string(106, 'x')));
}

TEST(BaseUrl, is_taken_apart) {
  const auto url = *parse_base_url("https://API.example.com:8443/openai/v1/");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "api.example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/openai/v1");
  const auto local = *parse_base_url("http://[::1]");
  EXPECT_FALSE(local.tls);
  EXPECT_EQ(local.host, "::1");
  EXPECT_EQ(local.port, 80);
  EXPECT_EQ(local.path, "");
  EXPECT_EQ(parse_base_url("https://x")->port, 443);
}

TEST(BaseUrl, is_shown_as_it_parses) {
  for (const char* text :
       {"https://api.example.com/v1", "http://127.0.0.1:11434/v1", "http://[::1]:80", "https://x:80"}) {
    const auto url = *parse_base_url(text);
    const auto again = *parse_base_url(show_base_url(url));
    EXPECT_EQ(std::tie(again.tls, again.host, again.port, again.path), std::tie(url.tls, url.host, url.port, url.path))
        << text;
  }
}

TEST(BaseUrl, refuses_what_could_be_read_two_ways) {
  for (const char* text : {"",
                           "ftp://x",
                           "HTTPS://x",
                           "https:/x",
                           "https://",
                           "https:///v1",
                           "https://a@b",
                           "https://a:b@c",
                           "https://x?y",
                           "https://x#y",
                           "https://x/a/../b",
                           "https://x/./b",
                           "https://x/..",
                           "https://x//v1",
                           "https://x/a b",
                           "https://x/a\\b",
                           "https://x/a\"b",
                           "https://x:0",
                           "https://x:99999",
                           "https://x:y",
                           "https://1.2.3",
                           "https://0x7f.1",
                           "https://1.2.3.4.5",
                           "https://256.1.1.1",
                           "https://a..b",
                           "https://-a",
                           "https://.a",
                           "https://a_b\\c",
                           "https://[::1",
                           "https://[x]",
                           "https://::1",
                           "https://\xc3\xa4.de"})
    EXPECT_FALSE(parse_base_url(text)) << text;
}

TEST(BaseUrl, problems_never_quote_the_url) {
  for (const char* text :
       {"https://me:test-password@x", "ftp://test-password", "https://x/test-password?", "https://test-password:y"}) {
    const auto url = parse_base_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ((url.error().message + url.error().suggestion).find("test-password"), std::string::npos) << text;
  }
}

TEST(Network, is_an_address_with_or_without_prefix) {
  for (const char* text : {"10.0.0.0/8", "192.0.2.1", "::1", "fd00::/8", "0.0.0.0/0"})
    EXPECT_FALSE(check_network(text)) << text;
  for (const char* text : {"", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0/8", "example.com", "10.0.0.0/8/8"})
    EXPECT_TRUE(check_network(text)) << text;
}

TEST(Origin, is_what_a_browser_sends) {
  for (const char* text : {"*", "https://app.example.com", "http://localhost:3000"})
    EXPECT_FALSE(check_origin(text)) << text;
  for (const char* text : {"", "app.example.com", "https://app.example.com/", "https://app.example.com/x",
                           "https://App.example.com", "null"})
    EXPECT_TRUE(check_origin(text)) << text;
}

}  // namespace
}  // namespace tollgate::config
