#pragma once
// A gateway with tenants, a store and three admin tokens, and its operators. Every answer of the admin API is held
// against the document that the API itself serves.
#include "support/gateway_under_test.hpp"
#include "support/json_schema.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cctype>
#include <fstream>
#include <optional>
#include <string>

namespace tollgate::test {

using nlohmann::json;

inline constexpr const char* owner = "token-of-the-owner-of-the-gateway-1";
inline constexpr const char* keeper = "token-of-the-keeper-of-the-keys-002";
inline constexpr const char* viewer = "token-of-somebody-who-only-looks-03";
inline constexpr const char* config_key = "a-key-that-stands-in-the-file";

inline std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

inline std::string upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// Three tokens, a store in the folder `storage`, one tenant with a key of the file.
inline std::string operators_config(const std::filesystem::path& storage, const std::filesystem::path& folder,
                                    std::uint16_t upstream, const std::string& level) {
  return "version: 1\nserver: {listen: [\"127.0.0.1:0\"], threads: 2}\nmetrics: {listen: \"127.0.0.1:0\"}\n"
         "admin:\n  listen: \"127.0.0.1:0\"\n  token: " +
         std::string(owner) + "\n  tokens:\n    - {name: keeper, role: operate, token: " + keeper +
         "}\n    - {name: viewer, role: read, token: " + viewer +
         "}\nlog: {access: " + (folder / "access.log").string() + ", level: " + level +
         "}\nstorage: {kind: sqlite, path: " + (storage / "tollgate.db").string() + "}\n" + config_for(upstream) +
         "  other: {provider: up}\ntenants:\n  acme: {keys: [{name: ci, secret: " + config_key + "}]}\n";
}

class Operators {
 public:
  /// `storage`: a folder for its store that outlives it.
  explicit Operators(const TemporaryFolder* storage = nullptr)
      : gateway_([this, storage](const std::filesystem::path& folder) {
          return operators_config(storage ? storage->path() : own_storage_.path(), folder, upstream_.port(), "error");
        }) {
    check_.emplace(document());
  }

  GatewayUnderTest& gateway() { return gateway_; }

  json document() {
    RawClient client(gateway_.admin_address());
    client.send(get("/admin/v1/openapi.json", bearer(owner)));
    return json::parse(client.read_answer().body);
  }

  Answer ask(const std::string& token, const std::string& method, const std::string& target,
             const std::string& body = {}, const std::string& fields = {},
             const std::string& content_type = "application/json") {
    RawClient client(gateway_.admin_address());
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields;
    if (!token.empty()) request += bearer(token);
    if (!body.empty())
      request += "Content-Type: " + content_type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    client.send(request + "\r\n" + body);
    Answer answer = client.read_answer();
    EXPECT_EQ(check_->answer_fault(method, target.substr(0, target.find('?')), answer.status, answer.body), "");
    return answer;
  }

  json create(const std::string& body) {
    const Answer answer = ask(owner, "POST", "/admin/v1/keys", body);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return json::parse(answer.body);
  }

  std::size_t key_count() { return json::parse(ask(viewer, "GET", "/admin/v1/keys").body).at("data").size(); }

  /// The status that a key gets on the data plane.
  int probe(const std::string& key) {
    RawClient client(gateway_.address());
    return probe(client, key);
  }
  static int probe(RawClient& client, const std::string& key) {
    client.send(get("/v1/models", bearer(key)));
    return client.read_answer().status;
  }

  void break_config() { gateway_.folder().write("routes.yaml", "version: 1\nprovidrs: {}\n"); }

 private:
  TemporaryFolder own_storage_;
  RawUpstream upstream_;
  GatewayUnderTest gateway_;
  std::optional<SchemaCheck> check_;
};

}  // namespace tollgate::test
