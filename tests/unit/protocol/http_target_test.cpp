// Request targets: what is routed by which path, and each spelling by which a request could come to another place than
// the one it was checked for.
#include "tollgate/protocol/http/target.hpp"

#include "support/paths.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace tollgate::protocol::http {
namespace {

using namespace std::string_literals;

TEST(ParseTarget, splits_path_and_query) {
  const std::string deep = "/" + std::string(8000, 'a');
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {"/", "/", ""},
      {"/v1/chat/completions", "/v1/chat/completions", ""},
      {"/v1/models?", "/v1/models", ""},
      {"/v1/models?a=b&c=%2F", "/v1/models", "a=b&c=%2F"},
      {"/v1/models?a?b", "/v1/models", "a?b"},
      {"/?/../x;y//%2e%00", "/", "/../x;y//%2e%00"},
      {"//v1//models", "/v1/models", ""},
      {"/v1/models///", "/v1/models/", ""},
      {"////", "/", ""},
      {"/v1/models/gpt-4.1-mini", "/v1/models/gpt-4.1-mini", ""},
      {"/v1/models/.hidden", "/v1/models/.hidden", ""},
      {"/v1/models/...", "/v1/models/...", ""},
      {"/v1/models/a..b", "/v1/models/a..b", ""},
      {"/v1/models/ft:gpt-4o:org::id", "/v1/models/ft:gpt-4o:org::id", ""},
      {"/v1/models/a%20b%3Ac%C3%A9%25", "/v1/models/a%20b%3Ac%C3%A9%25", ""},
      {"/V1/Models", "/V1/Models", ""},
      {deep, deep, ""},
  };
  for (const auto& [raw, path, query] : cases) {
    const auto target = parse_target(raw);
    ASSERT_TRUE(target.has_value()) << raw << ": " << target.error().message;
    EXPECT_EQ(target->path, path) << raw;
    EXPECT_EQ(target->query, query) << raw;
  }
}

TEST(ParseTarget, gives_the_query_as_a_view_into_the_target) {
  const std::string raw = "/a?b=c";
  const auto target = parse_target(raw);
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->query.data(), raw.data() + 3);
}

// size: exempt, a table
std::vector<std::pair<std::string, std::string>> refused_targets() {
  return {
      {"", "no leading slash"},
      {"*", "no leading slash"},
      {"v1/models", "no leading slash"},
      {"http://a/v1/models", "no leading slash"},
      {"a:443", "no leading slash"},
      {"?x", "no leading slash"},
      {"/a#b", "a fragment"},
      {"/a?b#c", "a fragment"},
      {"/a\\b", "a backslash"},
      {"/\\a", "a backslash"},
      {"/a?\\", "a backslash"},
      {"/a b", "a control, space or non-ASCII byte"},
      {"/a\tb", "a control, space or non-ASCII byte"},
      {"/a\r\nX: 1", "a control, space or non-ASCII byte"},
      {"/a\0"s, "a control, space or non-ASCII byte"},
      {"/a\x7F", "a control, space or non-ASCII byte"},
      {"/caf\xC3\xA9", "a control, space or non-ASCII byte"},
      {"/a?caf\xC3\xA9", "a control, space or non-ASCII byte"},
      {"/a%", "a broken percent escape"},
      {"/a%2", "a broken percent escape"},
      {"/a%zz", "a broken percent escape"},
      {"/a%%20", "a broken percent escape"},
      {"/a%u002e", "a broken percent escape"},
      {"/a?b=%", "a broken percent escape"},
      {"/a?b=%4", "a broken percent escape"},
      {"/a%2?f", "a broken percent escape"},
      {"/a%2Fb", "an escaped slash or backslash"},
      {"/a%2fb", "an escaped slash or backslash"},
      {"/..%5C", "an escaped slash or backslash"},
      {"/%2e%2e/admin", "an escaped dot"},
      {"/.%2E/admin", "an escaped dot"},
      {"/v1/gpt-4%2e1", "an escaped dot"},
      {"/a%00", "an escaped control byte"},
      {"/a%0d%0aX", "an escaped control byte"},
      {"/a%7F", "an escaped control byte"},
      {"/a;b", "a semicolon in the path"},
      {"/v1/models;x=y/z", "a semicolon in the path"},
      {"/..;/admin", "a semicolon in the path"},
      {"/.", "a dot segment"},
      {"/..", "a dot segment"},
      {"/./", "a dot segment"},
      {"/v1/../admin", "a dot segment"},
      {"/v1/./models", "a dot segment"},
      {"//..//admin", "a dot segment"},
      {"/v1/models/..?x", "a dot segment"},
  };
}

TEST(ParseTarget, refuses_what_could_lead_elsewhere) {
  for (const auto& [raw, fault] : refused_targets()) {
    const auto target = parse_target(raw);
    ASSERT_FALSE(target.has_value()) << ::testing::PrintToString(raw);
    EXPECT_EQ(target.error().kind, FailureKind::bad_request);
    EXPECT_EQ(target.error().source, Source::client);
    EXPECT_NE(target.error().message.find("has " + fault), std::string::npos)
        << ::testing::PrintToString(raw) << ": " << target.error().message;
  }
}

TEST(ParseTarget, docs_name_each_rule) {
  std::ifstream file(test::in_project("docs/http-rules.md"));
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto& [raw, fault] : refused_targets()) {
    EXPECT_NE(page.find("| " + fault), std::string::npos) << fault;
  }
}

}  // namespace
}  // namespace tollgate::protocol::http
