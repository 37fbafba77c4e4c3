#include "tollgate/protocol/credentials.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::protocol {
namespace {

/// The credentials of a request with these header lines.
Result<Credentials> read(const std::string& lines) {
  static std::string text;
  static http::RequestHead head;
  text = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n";
  const auto parsed = http::parse_request_head(text, {}, head);
  EXPECT_EQ(parsed.state, http::ParseState::complete) << lines;
  return read_credentials(head);
}

TEST(Credentials, AreTheSameInAllSpellings) {
  for (const char* lines :
       {"Authorization: Bearer tg_abc\r\n", "authorization: bearer tg_abc\r\n", "Authorization: BEARER   tg_abc\r\n",
        "X-Api-Key: tg_abc\r\n", "api-key: tg_abc\r\n", "Authorization: Bearer tg_abc\r\nx-api-key: tg_abc\r\n",
        "Authorization: Bearer tg_abc\r\nx-api-key: tg_abc\r\napi-key: tg_abc\r\n", "x-tollgate-key: tg_abc\r\n",
        "x-tollgate-key: tg_abc\r\nx-api-key: tg_abc\r\n"}) {
    const auto credentials = read(lines);
    ASSERT_TRUE(credentials) << lines;
    EXPECT_EQ(credentials->key, "tg_abc") << lines;
    EXPECT_EQ(credentials->provider, "") << lines;
  }
}

TEST(Credentials, AreEmptyWhereThereAreNone) {
  for (const char* lines : {"", "Authorization:\r\n", "x-api-key: \r\n", "Authorization: \r\napi-key:\r\n"}) {
    const auto credentials = read(lines);
    ASSERT_TRUE(credentials) << lines;
    EXPECT_EQ(credentials->key, "") << lines;
  }
}

TEST(Credentials, OfAnotherSchemeAreAKeyThatNobodyHas) {
  EXPECT_EQ(read("Authorization: Basic dXNlcjpwYXNz\r\n")->key, "Basic dXNlcjpwYXNz");
  EXPECT_EQ(read("Authorization: tg_abc\r\n")->key, "tg_abc");
}

TEST(Credentials, ThatDifferAreRefusedWithoutRepeatingThem) {
  for (const char* lines :
       {"Authorization: Bearer tg_abc\r\nx-api-key: tg_def\r\n", "x-api-key: tg_abc\r\napi-key: tg_def\r\n"}) {
    const auto credentials = read(lines);
    ASSERT_FALSE(credentials) << lines;
    EXPECT_EQ(credentials.error().kind, FailureKind::bad_request);
    EXPECT_EQ(credentials.error().code, "ambiguous_credentials");
    EXPECT_EQ(credentials.error().message.find("tg_"), std::string::npos);
  }
}

TEST(Credentials, BesideTheGatewaysKeyAreTheCallersOwn) {
  const auto credentials = read("x-tollgate-key: tg_abc\r\nAuthorization: Bearer own\r\n");
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->key, "tg_abc");
  EXPECT_EQ(credentials->provider, "own");
}

}  // namespace
}  // namespace tollgate::protocol
