// `tollgate keys` as a person or a script runs it: the real program against a running gateway, its two outputs and its
// exit code.
#include "tollgate/base/digest.hpp"

#include "admin_parts.hpp"
#include "app/admin_client.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"
#include "support/tollgate_process.hpp"

namespace tollgate::test {
namespace {

/// With tokens, as a process of its own: this one starts others, and what they inherit for a moment keeps connections
/// open that a gateway in here has closed.
class Guarded {
 public:
  const std::string& address() const { return process_.address(); }
  const std::string& admin_address() const { return process_.admin_address(); }

 private:
  TemporaryFolder storage_;
  RawUpstream upstream_;
  TollgateProcess process_{test::tollgate_binary(), [this](const std::filesystem::path& folder) {
                             return operators_config(storage_.path(), folder, upstream_.port(), "info");
                           }};
};

/// Runs `tollgate keys ARGUMENTS` with these two variables; an empty token is one that is not set.
Outcome keys(const std::string& arguments, const std::string& address, const std::string& token = {}) {
  return run_program(test::tollgate_binary(), "keys " + arguments,
                     "env -u TOLLGATE_ADMIN_TOKEN TOLLGATE_ADMIN_URL='http://" + address + "'" +
                         (token.empty() ? "" : " TOLLGATE_ADMIN_TOKEN='" + token + "'"));
}

TEST(KeysCommand, makes_lists_and_revokes_against_a_running_process) {
  RawUpstream upstream;
  const TemporaryFolder storage;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()) + "storage: {path: " +
                                                       (storage.path() / "t.db").string() + "}\ntenants: {acme: {}}\n");
  const std::string at = gateway.admin_address();
  const Outcome made = keys("create --tenant acme --name ci --expires 90d --rpm 600 --address 127.0.0.0/8", at);
  EXPECT_EQ(made.code, 0) << made.errors;
  ASSERT_EQ(made.out.size(), 53u) << "the key and a line's end, nothing else: " << made.out;
  const std::string key = made.out.substr(0, 52);
  EXPECT_TRUE(key.starts_with("tg_"));
  EXPECT_EQ(made.errors.find(key), std::string::npos);
  EXPECT_NE(made.errors.find("acme/ci"), std::string::npos);

  RawClient client(gateway.address());
  EXPECT_EQ(Operators::probe(client, key), 200);

  const Outcome listed = keys("list", at);
  EXPECT_EQ(listed.code, 0);
  EXPECT_NE(listed.out.find("acme"), std::string::npos);
  const json all = json::parse(keys("list --tenant acme --json", at).out);
  ASSERT_EQ(all.at("data").size(), 1u);
  EXPECT_EQ(all.at("/data/0/settings/limits/requests_per_minute"_json_pointer), 600);
  EXPECT_TRUE(all.at("/data/0/expires_at"_json_pointer).is_string());
  const std::string id = all.at("/data/0/id"_json_pointer);
  EXPECT_NE(listed.out.find(id), std::string::npos);

  const Outcome revoked = keys("revoke " + id, at);
  EXPECT_EQ(revoked.code, 0) << revoked.errors;
  EXPECT_EQ(revoked.out, "");
  EXPECT_EQ(Operators::probe(client, key), 401);
  EXPECT_EQ(keys("revoke " + id, at).code, 1);
  EXPECT_EQ(keys("list", at).out.find(id), std::string::npos);
  EXPECT_NE(keys("list --all", at).out.find(id), std::string::npos);
}

TEST(KeysCommand, says_which_token_is_missing_and_which_role) {
  Guarded gateway;
  const std::string at = gateway.admin_address();
  for (const std::string& token : {std::string(), std::string("wrong-canary")}) {
    const Outcome refused = keys("list", at, token);
    EXPECT_EQ(refused.code, 1);
    EXPECT_NE(refused.errors.find("TOLLGATE_ADMIN_TOKEN"), std::string::npos) << refused.errors;
    EXPECT_EQ(refused.errors.find("canary"), std::string::npos);
  }
  const Outcome refused = keys("create --tenant acme --name x", at, viewer);
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.errors.find("role own"), std::string::npos) << refused.errors;
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(keys("list", at, viewer).code, 0);
}

TEST(KeysCommand, passes_every_option_on) {
  Guarded gateway;
  const std::string at = gateway.admin_address();
  const Outcome made = keys(
      "create --tenant acme --name x --expires 2100-01-31 --rpm 1 --tpm 2 --concurrency 3 "
      "--address ::1 --address 10.0.0.1 --model m --model other --may-delegate --json",
      at, owner);
  ASSERT_EQ(made.code, 0) << made.errors;
  const json key = json::parse(made.out), settings = key.at("settings");
  EXPECT_EQ(key.at("expires_at"), "2100-01-31T00:00:00Z");
  EXPECT_EQ(settings.at("limits").at("requests_per_minute"), 1);
  EXPECT_EQ(settings.at("limits").at("tokens_per_minute"), 2);
  EXPECT_EQ(settings.at("limits").at("concurrency"), 3);
  EXPECT_EQ(settings.at("addresses"), json::array({"::1", "10.0.0.1"}));
  EXPECT_EQ(settings.at("allow").at("models"), json::array({"m", "other"}));
  EXPECT_EQ(settings.at("may_delegate"), true);

  const std::string foreign = "sk-made-by-somebody-else";
  const Outcome carried = keys("create --tenant acme --name old --sha256 " + to_hex(sha256(foreign)), at, owner);
  EXPECT_EQ(carried.code, 0) << carried.errors;
  EXPECT_EQ(carried.out, "");
  RawClient client(gateway.address());
  EXPECT_EQ(Operators::probe(client, foreign), 200);

  const Outcome unknown = keys("create --tenant acme --name y --route nope", at, owner);
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.errors.find("allow.routes[0]"), std::string::npos) << unknown.errors;
}

TEST(KeysCommand, tells_wrong_usage_from_failure) {
  const std::string nowhere = "127.0.0.1:1";
  for (const char* usage : {"", "create", "create --tenant t", "create --tenant t --name n --rpm 0", "list extra",
                            "create --tenant t --name n --expires soon", "create --tenant t --name n --sha256 abc",
                            "revoke", "rotate", "create --tenant t --name n --offline"})
    EXPECT_EQ(keys(usage, nowhere).code, 2) << usage;
  for (const char* help : {"--help", "create --help", "list --help", "revoke --help"}) {
    const Outcome run = keys(help, nowhere);
    EXPECT_EQ(run.code, 0) << help;
    EXPECT_NE(run.out.find("Usage"), std::string::npos) << help;
  }
  const Outcome alone = keys("list", nowhere);
  EXPECT_EQ(alone.code, 1);
  EXPECT_NE(alone.errors.find("nobody listens at 127.0.0.1:1"), std::string::npos) << alone.errors;
  const Outcome wrong_url = keys("list", "user@127.0.0.1:1");
  EXPECT_EQ(wrong_url.code, 1);
  EXPECT_NE(wrong_url.errors.find("is no address"), std::string::npos) << wrong_url.errors;
}

TEST(AdminClient, takes_plain_addresses_only) {
  for (const char* url :
       {"http://127.0.0.1:9901", "http://localhost", "http://[::1]:9901/", "http://[::1]", "http://a.b:1/"})
    EXPECT_TRUE(app::AdminClient::make(url, "")) << url;
  for (const char* url : {"", "127.0.0.1:9901", "https://127.0.0.1", "http://", "http://:1", "http://a:", "http://a:x",
                          "http://a:123456", "http://[::1", "http://[::1]x", "http://u:p@a", "http://a/path",
                          "http://a?x", "http://a b", "http://a\r\nX: y"})
    EXPECT_FALSE(app::AdminClient::make(url, "")) << url;
  EXPECT_FALSE(app::AdminClient::make("http://a", "two\r\nlines"));
}

TEST(AdminClient, gives_up_on_whoever_never_answers) {
  RawUpstream silent;
  app::AdminClient::Limits limits;
  limits.total = Millis(50);
  const auto client = app::AdminClient::make("http://127.0.0.1:" + std::to_string(silent.port()), "canary", limits);
  ASSERT_TRUE(client);
  const auto answer = client->ask("GET", "/admin/v1/keys");
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("does not answer"), std::string::npos) << answer.error().message;
  EXPECT_EQ(answer.error().message.find("canary"), std::string::npos);
}

TEST(AdminClient, escapes_what_would_change_a_path) {
  EXPECT_EQ(app::escaped("acme/ci:1@x"), "acme/ci:1@x");
  EXPECT_EQ(app::escaped("a b?c#d%\r\n&="), "a%20b%3Fc%23d%25%0D%0A%26%3D");
}

}  // namespace
}  // namespace tollgate::test
