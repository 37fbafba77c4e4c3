// The two allow-lists: what is on them crosses in any case, what would leak a credential or an account does not, and
// docs/http-rules.md prints them as they are.
#include "tollgate/protocol/http/crossing.hpp"

#include "support/paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace tollgate::protocol::http {
namespace {

using ::testing::ElementsAreArray;

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::toupper(c); });
  return result;
}

TEST(Crossing, lists_are_sorted_and_lower_case) {
  for (const auto list : {request_allow_list(), response_allow_list()}) {
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
    for (const std::string_view name : list) EXPECT_TRUE(std::none_of(name.begin(), name.end(), ::isupper)) << name;
  }
}

TEST(Crossing, each_listed_name_crosses_in_any_case) {
  for (const std::string_view name : request_allow_list()) {
    EXPECT_TRUE(crosses_to_upstream(name)) << name;
    EXPECT_TRUE(crosses_to_upstream(upper(name))) << name;
  }
  for (const std::string_view name : response_allow_list()) {
    EXPECT_TRUE(crosses_to_client(name)) << name;
    EXPECT_TRUE(crosses_to_client(upper(name))) << name;
  }
}

TEST(Crossing, nearly_listed_names_stay_behind) {
  for (const std::string_view name : request_allow_list()) {
    EXPECT_FALSE(crosses_to_upstream(name.substr(1))) << name;
    EXPECT_FALSE(crosses_to_upstream(std::string(name) + "s")) << name;
  }
  for (const std::string_view name : response_allow_list()) {
    std::string other(name);
    other.back() ^= 1;
    EXPECT_FALSE(crosses_to_client(other)) << name;
  }
}

TEST(Crossing, credentials_hops_and_internals_stay_behind_on_requests) {
  for (const std::string_view name : {"authorization",
                                      "api-key",
                                      "x-api-key",
                                      "x-goog-api-key",
                                      "cookie",
                                      "host",
                                      "connection",
                                      "keep-alive",
                                      "te",
                                      "trailer",
                                      "transfer-encoding",
                                      "content-length",
                                      "upgrade",
                                      "expect",
                                      "proxy-authorization",
                                      "proxy-connection",
                                      "accept-encoding",
                                      "accept-language",
                                      "content-encoding",
                                      "openai-organization",
                                      "openai-project",
                                      "x-request-id",
                                      "x-client-request-id",
                                      "x-stainless-lang",
                                      "x-stainless-os",
                                      "x-stainless-retry-count",
                                      "x-stainless-arch",
                                      "x-tollgate-key",
                                      "x-tollgate-task",
                                      "x-forwarded-for",
                                      "x-forwarded-host",
                                      "forwarded",
                                      "x-real-ip",
                                      "via",
                                      "origin",
                                      "referer",
                                      "sec-fetch-mode",
                                      "traceparent",
                                      "x-http-method-override",
                                      "x-original-url",
                                      "",
                                      "x"}) {
    EXPECT_FALSE(crosses_to_upstream(name)) << name;
  }
}

TEST(Crossing, cookies_accounts_and_framing_stay_behind_on_responses) {
  for (const std::string_view name : {"set-cookie",
                                      "set-cookie2",
                                      "openai-organization",
                                      "openai-project",
                                      "server",
                                      "date",
                                      "via",
                                      "alt-svc",
                                      "cf-ray",
                                      "cf-cache-status",
                                      "strict-transport-security",
                                      "content-length",
                                      "transfer-encoding",
                                      "connection",
                                      "keep-alive",
                                      "trailer",
                                      "upgrade",
                                      "location",
                                      "x-request-id",
                                      "x-powered-by",
                                      "access-control-allow-origin",
                                      "www-authenticate",
                                      "x-ratelimit-limit-project-tokens",
                                      "x-ratelimit-reset-tokens_usage_based",
                                      "x-tollgate-provider",
                                      "age",
                                      "etag",
                                      "",
                                      "x-ratelimit-remaining-requests-and-more"}) {
    EXPECT_FALSE(crosses_to_client(name)) << name;
  }
}

/// The names of the bullets ("- `name`") below a heading.
std::vector<std::string> bullets_below(std::string_view heading) {
  std::ifstream file(test::in_project("docs/http-rules.md"));
  std::vector<std::string> names;
  bool below = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) below = line == heading;
    if (below && line.starts_with("- `")) names.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

TEST(Crossing, docs_print_the_lists) {
  const auto requests = request_allow_list();
  const auto responses = response_allow_list();
  EXPECT_THAT(bullets_below("### From the client to a provider"), ElementsAreArray(requests.begin(), requests.end()));
  EXPECT_THAT(bullets_below("### From a provider to the client"), ElementsAreArray(responses.begin(), responses.end()));
}

}  // namespace
}  // namespace tollgate::protocol::http
