// The admin API on the real gateway, from outside: its document walked path by path, every principal at every door, and
// a key's life as a client of the data plane feels it.
#include "tollgate/base/digest.hpp"

#include "admin_parts.hpp"

#include <set>

namespace tollgate::test {
namespace {

constexpr const char* plain_key = R"({"tenant":"acme","name":"build"})";

// --- the document ---

TEST(AdminDocument, is_answered_path_by_path_as_it_says) {
  Operators operators;
  const json document = operators.document();
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  std::set<std::string> seen;
  for (const auto& [pattern, methods] : document.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      std::string path = pattern;
      if (const auto mark = path.find("{id}"); mark != std::string::npos) path.replace(mark, 4, "acme");
      // ask() holds status and body against the document.
      operators.ask(owner, upper_case(method), path, operation.contains("requestBody") ? plain_key : "");
      seen.insert(upper_case(method) + " " + pattern);
    }
  }
  EXPECT_EQ(seen,
            (std::set<std::string>{"GET /admin/v1/keys", "POST /admin/v1/keys", "GET /admin/v1/keys/{id}",
                                   "DELETE /admin/v1/keys/{id}", "GET /admin/v1/tenants", "GET /admin/v1/tenants/{id}",
                                   "GET /admin/v1/budgets", "POST /admin/v1/budgets/{id}/grants",
                                   "GET /admin/v1/targets", "POST /admin/v1/targets/circuit", "POST /admin/v1/route",
                                   "GET /admin/v1/usage", "GET /admin/v1/audit", "GET /admin/v1/audit/verify",
                                   "POST /admin/v1/reload", "GET /admin/v1/config", "GET /admin/v1/openapi.json"}));
}

// --- who may do what ---

struct Door {
  const char *method, *path, *body;
  int read, operate, own;
};

const Door doors[] = {
    {"GET", "/admin/v1/keys", "", 200, 200, 200},
    {"GET", "/admin/v1/keys/acme/ci", "", 200, 200, 200},
    {"GET", "/admin/v1/tenants", "", 200, 200, 200},
    {"GET", "/admin/v1/tenants/acme", "", 200, 200, 200},
    {"GET", "/admin/v1/budgets", "", 200, 200, 200},
    {"POST", "/admin/v1/budgets/tenant/acme/none/grants", R"({"amount":"1 USD","until":"2200-01-01","reason":"drill"})",
     403, 403, 404},
    {"GET", "/admin/v1/targets", "", 200, 200, 200},
    {"GET", "/admin/v1/audit", "", 200, 200, 200},
    {"GET", "/admin/v1/audit/verify", "", 200, 200, 200},
    {"GET", "/admin/v1/config", "", 200, 200, 200},
    {"GET", "/admin/v1/openapi.json", "", 200, 200, 200},
    {"POST", "/admin/v1/route", R"({"request":{"model":"m"}})", 200, 200, 200},
    {"POST", "/admin/v1/targets/circuit", R"({"target":"up/m","state":"auto","reason":"drill"})", 403, 200, 200},
    {"POST", "/admin/v1/reload", "", 403, 200, 200},
    {"DELETE", "/admin/v1/keys/key_none", "", 403, 404, 404},
    {"POST", "/admin/v1/keys", plain_key, 403, 403, 201},
    {"GET", "/admin/v1/nothing", "", 404, 404, 404},
    {"PATCH", "/admin/v1/keys", "", 405, 405, 405},
};

TEST(AdminRoles, are_held_at_every_door) {
  Operators operators;
  for (const Door& door : doors) {
    const std::string what = std::string(door.method) + " " + door.path;
    EXPECT_EQ(operators.ask(viewer, door.method, door.path, door.body).status, door.read) << what;
    EXPECT_EQ(operators.ask(keeper, door.method, door.path, door.body).status, door.operate) << what;
    EXPECT_EQ(operators.ask(owner, door.method, door.path, door.body).status, door.own) << what;
    for (const char* stranger : {"", "wrong", config_key})
      EXPECT_EQ(operators.ask(stranger, door.method, door.path, door.body).status, 401) << what;
  }
}

TEST(AdminRoles, are_nothing_to_web_pages_and_forms) {
  Operators operators;
  EXPECT_EQ(operators.ask(owner, "POST", "/admin/v1/keys", plain_key, "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(operators.ask(owner, "POST", "/admin/v1/keys", plain_key, "", "text/plain").status, 415);
  EXPECT_EQ(operators.ask(owner, "POST", "/admin/v1/keys", plain_key, "", "application/x-www-form-urlencoded").status,
            415);
  EXPECT_EQ(operators.key_count(), 1u);
}

TEST(AdminPaths, answer_head_and_options) {
  Operators operators;
  RawClient client(operators.gateway().admin_address());
  client.send("HEAD /admin/v1/keys HTTP/1.1\r\nHost: localhost\r\n" + bearer(viewer) + "\r\n");
  const Answer head = client.read_answer(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.fields.at("content-length"), "0");
  client.send("OPTIONS /admin/v1/keys/acme%2Fci HTTP/1.1\r\nHost: localhost\r\n" + bearer(viewer) + "\r\n");
  const Answer options = client.read_answer();
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.fields.at("allow"), "GET, HEAD, DELETE, OPTIONS");
  Answer refused = operators.ask(viewer, "PUT", "/admin/v1/audit", "{}");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.fields["allow"], "GET, HEAD, OPTIONS");
}

TEST(AdminRate, is_shared_by_all_and_leaves_the_data_plane_alone) {
  Operators operators;
  RawClient client(operators.gateway().admin_address());
  Answer got;
  for (int i = 0; i < 5000 && got.status != 429; ++i) {
    client.send(get("/admin/v1/openapi.json", bearer(viewer)));
    got = client.read_answer();
  }
  ASSERT_EQ(got.status, 429);
  EXPECT_EQ(got.fields["retry-after"], "1");
  EXPECT_EQ(operators.probe(config_key), 200);
}

// --- a key's life ---

TEST(AdminKeys, let_in_at_once_and_shut_out_at_once) {
  Operators operators;
  const json made = operators.create(plain_key);
  const std::string key = made.at("key"), id = made.at("id");
  // One connection for each worker at least, kept alive from before.
  std::vector<RawClient> kept;
  for (int i = 0; i < 8; ++i) kept.emplace_back(operators.gateway().address());
  for (RawClient& client : kept) EXPECT_EQ(Operators::probe(client, key), 200);
  EXPECT_EQ(operators.ask(keeper, "DELETE", "/admin/v1/keys/" + id).status, 200);
  for (RawClient& client : kept) EXPECT_EQ(Operators::probe(client, key), 401);
  EXPECT_EQ(operators.probe(key), 401);
  EXPECT_EQ(operators.probe(config_key), 200);
}

TEST(AdminKeys, are_answered_when_unknown_as_when_revoked) {
  Operators operators;
  const json made = operators.create(plain_key);
  operators.ask(owner, "DELETE", "/admin/v1/keys/" + made.at("id").get<std::string>());
  std::set<std::string> bodies;
  for (const std::string& key : {made.at("key").get<std::string>(), std::string("tg_unknown")}) {
    RawClient client(operators.gateway().address());
    client.send(get("/v1/models", bearer(key)));
    bodies.insert(client.read_answer().body);
  }
  EXPECT_EQ(bodies.size(), 1u);
}

TEST(AdminKeys, are_rotated_two_at_a_time) {
  Operators operators;
  const json first = operators.create(plain_key), second = operators.create(plain_key);
  EXPECT_EQ(operators.probe(first.at("key")), 200);
  EXPECT_EQ(operators.probe(second.at("key")), 200);
  EXPECT_EQ(operators.ask(owner, "POST", "/admin/v1/keys", plain_key).status, 409);
  operators.ask(owner, "DELETE", "/admin/v1/keys/" + first.at("id").get<std::string>());
  EXPECT_EQ(operators.probe(first.at("key")), 401);
  EXPECT_EQ(operators.probe(second.at("key")), 200);
  operators.create(plain_key);
}

TEST(AdminKeys, of_the_file_are_shown_and_not_touched) {
  Operators operators;
  for (const char* path : {"/admin/v1/keys/acme/ci", "/admin/v1/keys/acme%2Fci", "/admin/v1/keys/acme%2fci"}) {
    const Answer shown = operators.ask(viewer, "GET", path);
    EXPECT_EQ(shown.status, 200) << path;
    EXPECT_EQ(json::parse(shown.body).at("managed_by"), "config");
    const Answer refused = operators.ask(owner, "DELETE", path);
    EXPECT_EQ(refused.status, 409) << path;
    EXPECT_EQ(json::parse(refused.body).at("/error/code"_json_pointer), "managed_by_config");
  }
  EXPECT_EQ(operators.probe(config_key), 200);
  for (const char* path : {"/admin/v1/keys/acme%2F..%2Fci", "/admin/v1/keys/..%2Fconfig", "/admin/v1/keys/acme%5Cci",
                           "/admin/v1/keys/acme%00"})
    EXPECT_EQ(operators.ask(owner, "GET", path).status, 400) << path;
}

TEST(AdminKeys, are_held_to_their_settings) {
  Operators operators;
  const json elsewhere = operators.create(R"({"tenant":"acme","name":"far","addresses":["10.0.0.0/8"]})");
  EXPECT_EQ(operators.probe(elsewhere.at("key")), 403);
  const json here = operators.create(R"({"tenant":"acme","name":"near","addresses":["127.0.0.0/8"]})");
  EXPECT_EQ(operators.probe(here.at("key")), 200);
  const json narrow = operators.create(R"({"tenant":"acme","name":"narrow","allow":{"models":["other"]}})");
  RawClient client(operators.gateway().address());
  client.send(get("/v1/models", bearer(narrow.at("key").get<std::string>())));
  const json list = json::parse(client.read_answer().body);
  ASSERT_EQ(list.at("data").size(), 1u) << list;
  EXPECT_EQ(list.at("data")[0].at("id"), "other");
}

TEST(AdminKeys, of_another_gateway_are_carried_over) {
  Operators operators;
  const std::string foreign = "sk-made-by-somebody-else";
  EXPECT_EQ(operators.probe(foreign), 401);
  operators.create(R"({"tenant":"acme","name":"old","sha256":")" + to_hex(sha256(foreign)) + "\"}");
  EXPECT_EQ(operators.probe(foreign), 200);
}

TEST(AdminKeys, outlive_the_process) {
  const TemporaryFolder storage;
  std::string kept, revoked;
  {
    Operators operators(&storage);
    kept = operators.create(plain_key).at("key");
    const json gone = operators.create(plain_key);
    revoked = gone.at("key");
    operators.ask(owner, "DELETE", "/admin/v1/keys/" + gone.at("id").get<std::string>());
  }
  Operators operators(&storage);
  EXPECT_EQ(operators.probe(kept), 200);
  EXPECT_EQ(operators.probe(revoked), 401);
  EXPECT_EQ(json::parse(operators.ask(viewer, "GET", "/admin/v1/audit").body).at("data").size(), 3u);
}

TEST(AdminKeys, are_nowhere_to_be_found_afterwards) {
  const TemporaryFolder storage;
  std::string key, told;
  {
    Operators operators(&storage);
    key = operators.create(plain_key).at("key");
    operators.probe(key);
    for (const char* path : {"/admin/v1/keys", "/admin/v1/audit", "/admin/v1/config", "/admin/v1/tenants"})
      told += operators.ask(owner, "GET", path).body;
    told += operators.gateway().access_log() + operators.gateway().metrics();
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(storage.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    told.append(std::istreambuf_iterator<char>(file), {});
  }
  // Its hint has the first seven characters and the last four.
  EXPECT_EQ(told.find(key.substr(8, 20)), std::string::npos);
  EXPECT_EQ(told.find(to_hex(sha256(key))), std::string::npos);
  EXPECT_EQ(told.find(owner), std::string::npos);
}

// --- the audit ---

TEST(AdminAudit, has_every_change_in_order_and_whole) {
  Operators operators;
  const std::string id = operators.create(plain_key).at("id");
  operators.ask(keeper, "POST", "/admin/v1/reload");
  operators.break_config();
  EXPECT_EQ(operators.ask(keeper, "POST", "/admin/v1/reload").status, 422);
  operators.ask(keeper, "DELETE", "/admin/v1/keys/" + id);
  operators.ask(viewer, "DELETE", "/admin/v1/keys/" + id);  // refused: no row

  const json rows = json::parse(operators.ask(viewer, "GET", "/admin/v1/audit").body).at("data");
  std::vector<std::string> told;
  for (const json& row : rows)
    told.push_back(row.at("actor").get<std::string>() + " " + row.at("action").get<std::string>() + " " +
                   row.at("object").get<std::string>());
  EXPECT_EQ(told, (std::vector<std::string>{"owner key.create key/" + id, "keeper config.reload config",
                                            "keeper config.reload config", "keeper key.revoke key/" + id}));
  EXPECT_NE(json::parse(rows[2].at("after").get<std::string>()).at("fault").get<std::string>().find("routes.yaml"),
            std::string::npos);
  const json verdict = json::parse(operators.ask(viewer, "GET", "/admin/v1/audit/verify").body);
  EXPECT_EQ(verdict.at("rows"), 4);
  EXPECT_EQ(verdict.at("intact"), true);
  EXPECT_EQ(verdict.at("last"), rows[3].at("hash"));
}

TEST(AdminWithoutStorage, goes_on_for_what_the_file_says) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.admin_address());
  for (const auto& [request, status] :
       std::vector<std::pair<std::string, int>>{{get("/admin/v1/keys"), 200},
                                                {get("/admin/v1/tenants"), 200},
                                                {get("/admin/v1/audit"), 409},
                                                {post("/admin/v1/keys", plain_key), 409},
                                                {post("/admin/v1/reload", ""), 200}}) {
    client.send(request);
    EXPECT_EQ(client.read_answer().status, status) << request;
  }
}

}  // namespace
}  // namespace tollgate::test
