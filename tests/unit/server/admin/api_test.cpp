// The admin API call by call: who may do what, what is refused and how, what a key looks like in each part of its life,
// what the audit says of it.
#include "tollgate/base/instant.hpp"
#include "tollgate/policy/audit.hpp"
#include "tollgate/policy/key_text.hpp"

#include "harness.hpp"
#include "server/admin/operations.hpp"

#include <set>

namespace tollgate::server::admin {
namespace {

using config::AdminRole;

const std::string plain_key = R"({"tenant":"acme","name":"build"})";
const std::string some_digest(64, 'd');

std::string sample_path(const Operation& operation) {
  std::string path(operation.path);
  const std::size_t mark = path.find("{id}");
  return mark == std::string::npos ? path : path.replace(mark, 4, "no-such-thing");
}

std::size_t audit_rows(Harness& api) { return api.get("/admin/v1/audit").at("data").size(); }

// --- the table ---

TEST(AdminTable, is_in_the_document_row_by_row) {
  const json document = json::parse(to_text(openapi_document()));
  std::set<std::string> names;
  std::size_t declared = 0;
  for (const auto& [path, methods] : document.at("paths").items()) declared += methods.size();
  EXPECT_EQ(declared, operations().size());
  for (const Operation& operation : operations()) {
    const std::string method = operation.method == "GET" ? "get" : operation.method == "POST" ? "post" : "delete";
    const json& entry = document.at("paths").at(std::string(operation.path)).at(method);
    EXPECT_NE(entry.at("description").get<std::string>().find(config::name_of(operation.least)), std::string::npos);
    EXPECT_TRUE(names.insert(entry.at("operationId")).second) << operation.name;
    EXPECT_TRUE(entry.at("responses").contains("429"));
    EXPECT_EQ(entry.contains("requestBody"), !operation.body.empty());
  }
}

TEST(AdminTable, points_at_schemas_that_are_there) {
  const json document = json::parse(to_text(openapi_document()));
  std::size_t references = 0;
  const std::function<void(const json&)> walk = [&](const json& value) {
    if (value.is_object() && value.contains("$ref")) {
      ++references;
      EXPECT_NO_THROW(document.at(json::json_pointer(value.at("$ref").get<std::string>().substr(1)))) << value;
    }
    if (value.is_structured())
      for (const json& inner : value) walk(inner);
  };
  walk(document);
  EXPECT_GT(references, 40u);
}

TEST(AdminTable, gives_every_operation_an_answer_that_the_document_declares) {
  Harness api;  // which checks each reply
  for (const Operation& operation : operations())
    api.ask(std::string(operation.method), sample_path(operation), operation.body.empty() ? "" : plain_key);
}

TEST(AdminTable, gives_every_operation_an_answer_where_nothing_is_stored) {
  Harness api(Stored::no);
  for (const Operation& operation : operations()) {
    const AdminReply reply =
        api.ask(std::string(operation.method), sample_path(operation), operation.body.empty() ? "" : plain_key);
    EXPECT_LT(reply.status, 500) << operation.name;
  }
}

TEST(AdminTable, lets_in_those_roles_that_it_says) {
  Harness api;
  for (const AdminRole role : {AdminRole::read, AdminRole::operate, AdminRole::own}) {
    for (const Operation& operation : operations()) {
      const AdminReply reply = api.ask(std::string(operation.method), sample_path(operation), "{}", role);
      EXPECT_EQ(reply.status == 403, role < operation.least) << operation.name << " " << config::name_of(role);
      if (reply.status != 403) continue;
      EXPECT_EQ(Harness::error(reply).at("code"), "role_not_allowed");
    }
  }
  EXPECT_EQ(api.reloads, 2);
}

TEST(AdminTable, asks_for_the_roles_of_the_specification) {
  const std::map<std::string, AdminRole> roles{{"create_key", AdminRole::own},
                                               {"revoke_key", AdminRole::operate},
                                               {"reload", AdminRole::operate},
                                               {"force_circuit", AdminRole::operate},
                                               {"grant_budget", AdminRole::own}};
  for (const Operation& operation : operations()) {
    const auto found = roles.find(std::string(operation.name));
    EXPECT_EQ(operation.least, found == roles.end() ? AdminRole::read : found->second) << operation.name;
  }
}

TEST(AdminPaths, that_are_not_there_are_told_from_methods_that_are_not) {
  Harness api;
  for (const char* path : {"/admin/v1/", "/admin/v1/key", "/admin/v1/keys/", "/admin/v1/tenants/", "/admin/v1/Keys",
                           "/admin/v1/audit/verify/x", "/admin/v1/reload/", "/admin/v2/keys"}) {
    EXPECT_EQ(api.ask("GET", path).status, 404) << path;
    EXPECT_EQ(api.ask("OPTIONS", path).status, 404) << path;
  }
  struct Row {
    const char *method, *path, *allow;
  };
  for (const Row& row : {Row{"DELETE", "/admin/v1/keys", "Allow: GET, HEAD, POST, OPTIONS\r\n"},
                         Row{"POST", "/admin/v1/keys/x", "Allow: GET, HEAD, DELETE, OPTIONS\r\n"},
                         Row{"GET", "/admin/v1/reload", "Allow: POST, OPTIONS\r\n"},
                         Row{"HEAD", "/admin/v1/reload", "Allow: POST, OPTIONS\r\n"},
                         Row{"PUT", "/admin/v1/audit", "Allow: GET, HEAD, OPTIONS\r\n"},
                         Row{"", "/admin/v1/audit", "Allow: GET, HEAD, OPTIONS\r\n"}}) {
    const AdminReply reply = api.ask(row.method, row.path);
    EXPECT_EQ(reply.status, 405) << row.method << row.path;
    EXPECT_NE(reply.fields.find(row.allow), std::string::npos) << reply.fields;
    const AdminReply options = api.ask("OPTIONS", row.path);
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.fields, row.allow);
    EXPECT_TRUE(options.body.empty());
  }
}

TEST(AdminCalls, by_head_are_answered_as_by_get) {
  Harness api;
  EXPECT_EQ(api.ask("HEAD", "/admin/v1/keys").body, api.ask("GET", "/admin/v1/keys").body);
}

TEST(AdminCalls, with_a_body_that_is_no_json_or_too_long_are_refused) {
  Harness api;
  AdminCall call{"POST", "/admin/v1/keys", "", plain_key, false, {"tester", AdminRole::own}};
  EXPECT_EQ(api.call(call).status, 415);
  call.method = "DELETE";
  call.path = "/admin/v1/keys/x";
  EXPECT_EQ(api.call(call).status, 415);
  EXPECT_EQ(api.ask("POST", "/admin/v1/keys", std::string(64 * 1024 + 1, ' ')).status, 413);
  EXPECT_EQ(api.ask("POST", "/admin/v1/keys", plain_key + std::string(64 * 1024 - plain_key.size(), ' ')).status, 201);
  EXPECT_EQ(api.ask("POST", "/admin/v1/reload", "{}").status, 200);
  EXPECT_EQ(api.ask("POST", "/admin/v1/reload", "{\"force\":true}").status, 400);
  EXPECT_EQ(api.reloads, 1);
}

TEST(AdminCalls, with_unknown_parameters_are_refused) {
  Harness api;
  for (const char* target : {"/admin/v1/keys?tenants=acme", "/admin/v1/keys?include_revoked=1", "/admin/v1/config?x=1",
                             "/admin/v1/audit?limit=0", "/admin/v1/audit?limit=1001", "/admin/v1/audit?after=-1",
                             "/admin/v1/keys?tenant=nobody", "/admin/v1/keys?tenant=acme&tenant=acme"})
    EXPECT_EQ(api.ask("GET", target).status, 400) << target;
}

TEST(AdminCalls, beyond_the_rate_are_refused_and_told_when_to_come_back) {
  Harness api;
  AdminReply reply;
  int admitted = 0;
  for (int i = 0; i < 5000; ++i) {
    reply = api.ask("GET", "/admin/v1/nothing");
    if (reply.status == 429) break;
    ++admitted;
  }
  EXPECT_GE(admitted, 100);
  ASSERT_EQ(reply.status, 429);
  EXPECT_EQ(Harness::error(reply).at("code"), "rate_limit_exceeded");
  EXPECT_NE(reply.fields.find("Retry-After: 1\r\n"), std::string::npos);
}

// --- a key's life ---

TEST(NewKeys, are_told_once_and_handed_to_the_workers) {
  Harness api;
  const AdminReply reply = api.ask(
      "POST", "/admin/v1/keys",
      R"({"tenant":"acme","name":"build","expires_at":"2100-01-31","limits":{"requests_per_minute":5},"cache":false})");
  ASSERT_EQ(reply.status, 201);
  EXPECT_NE(reply.fields.find("Cache-Control: no-store\r\n"), std::string::npos);
  const json made = json::parse(reply.body);
  const std::string text = made.at("key"), id = made.at("id");
  EXPECT_TRUE(policy::is_well_formed(text));
  EXPECT_EQ(made.at("hint"), policy::hint_of(text));
  EXPECT_EQ(made.at("expires_at"), "2100-01-31T00:00:00Z");
  EXPECT_EQ(made.at("created_by"), "tester");
  EXPECT_NE(reply.fields.find("Location: /admin/v1/keys/" + id + "\r\n"), std::string::npos);

  ASSERT_EQ(api.added.size(), 1u);
  const policy::Key& key = api.added[0];
  EXPECT_EQ(key.digest, sha256(text));
  EXPECT_EQ(key.id, id);
  EXPECT_EQ(key.tenant, "acme");
  EXPECT_EQ(key.settings.limits.requests_per_minute, 5u);
  EXPECT_FALSE(key.settings.may_use_cache);
  EXPECT_EQ(key.expires, parse_instant("2100-01-31"));
  EXPECT_FALSE(key.managed_by_config);

  json shown = made;
  shown.erase("key");
  EXPECT_EQ(api.get("/admin/v1/keys/" + id), shown);
}

TEST(NewKeys, are_never_the_same) {
  Harness api;
  std::set<std::string> texts, ids;
  for (int i = 0; i < 50; ++i) {
    const json made = api.create(R"({"tenant":"acme","name":"n)" + std::to_string(i) + "\"}");
    texts.insert(made.at("key").get<std::string>());
    ids.insert(made.at("id").get<std::string>());
  }
  EXPECT_EQ(texts.size(), 50u);
  EXPECT_EQ(ids.size(), 50u);
}

TEST(NewKeys, can_be_carried_over_by_their_digest) {
  Harness api;
  const std::string foreign = "sk-foreign-canary";
  const json made = api.create(R"({"tenant":"acme","name":"old","sha256":")" + to_hex(sha256(foreign)) + "\"}");
  EXPECT_TRUE(made.at("key").is_null());
  EXPECT_EQ(made.at("hint"), "");
  ASSERT_EQ(api.added.size(), 1u);
  EXPECT_EQ(api.added[0].digest, sha256(foreign));
}

TEST(NewKeys, that_are_there_already_are_refused) {
  Harness api;
  const auto body = [](const std::string& name, const std::string& digest) {
    return R"({"tenant":"umbrella","name":")" + name + R"(","sha256":")" + digest + "\"}";
  };
  api.create(body("a", some_digest));
  for (const std::string& digest : {some_digest, std::string(64, 'D'), to_hex(sha256("canary-secret-of-the-file-1"))}) {
    const AdminReply refused = api.ask("POST", "/admin/v1/keys", body("b", digest));
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(Harness::error(refused).at("code"), "key_conflict");
    EXPECT_EQ(refused.body.find(digest), std::string::npos);
  }
  EXPECT_EQ(api.added.size(), 1u);
  EXPECT_EQ(audit_rows(api), 1u);
}

TEST(NewKeys, replace_each_other_two_at_a_time) {
  Harness api;
  const json first = api.create(plain_key), second = api.create(plain_key);
  const AdminReply third = api.ask("POST", "/admin/v1/keys", plain_key);
  EXPECT_EQ(third.status, 409);
  EXPECT_EQ(Harness::error(third).at("code"), "key_conflict");
  EXPECT_EQ(api.ask("POST", "/admin/v1/keys", R"({"tenant":"acme","name":"twice"})").status, 409) << "the file has two";
  EXPECT_EQ(api.ask("POST", "/admin/v1/keys", R"({"tenant":"umbrella","name":"twice"})").status, 201);
  EXPECT_EQ(api.ask("DELETE", "/admin/v1/keys/" + first.at("id").get<std::string>()).status, 200);
  api.create(plain_key);
}

TEST(Revoking, is_told_to_the_workers_and_happens_once) {
  Harness api;
  const json made = api.create(plain_key);
  const std::string path = "/admin/v1/keys/" + made.at("id").get<std::string>();
  const AdminReply reply = api.ask("DELETE", path, "", AdminRole::operate);
  ASSERT_EQ(reply.status, 200);
  json shown = made;
  shown.erase("key");
  const json revoked = json::parse(reply.body);
  EXPECT_TRUE(revoked.at("revoked_at").is_string());
  shown["revoked_at"] = revoked.at("revoked_at");
  EXPECT_EQ(revoked, shown);
  ASSERT_EQ(api.revoked.size(), 1u);
  EXPECT_EQ(api.revoked[0], sha256(made.at("key").get<std::string>()));

  const AdminReply again = api.ask("DELETE", path);
  EXPECT_EQ(again.status, 404);
  EXPECT_EQ(Harness::error(again).at("code"), "key_not_found");
  EXPECT_EQ(api.revoked.size(), 1u);
  EXPECT_EQ(api.get(path), revoked) << "it can still be looked at";
  EXPECT_EQ(audit_rows(api), 2u);
}

TEST(Revoking, is_not_for_keys_of_the_file) {
  Harness api;
  for (const char* path : {"/admin/v1/keys/acme/ci", "/admin/v1/keys/acme%2Fci", "/admin/v1/keys/acme/twice/2"}) {
    const AdminReply reply = api.ask("DELETE", path);
    EXPECT_EQ(reply.status, 409) << path;
    EXPECT_EQ(Harness::error(reply).at("code"), "managed_by_config");
  }
  EXPECT_EQ(api.ask("DELETE", "/admin/v1/keys/acme").status, 404);
  EXPECT_TRUE(api.revoked.empty());
}

TEST(ListedKeys, are_those_of_file_and_store_by_choice) {
  Harness api;
  const std::string gone = api.create(plain_key).at("id"), here = api.create(plain_key).at("id");
  api.create(R"({"tenant":"umbrella","name":"x"})");
  api.ask("DELETE", "/admin/v1/keys/" + gone);
  const auto ids = [&api](const std::string& target) {
    std::vector<std::string> found;
    const json page = api.get(target);
    for (const json& key : page.at("data")) found.push_back(key.at("id"));
    return found;
  };
  EXPECT_EQ(ids("/admin/v1/keys").size(), 5u);
  EXPECT_EQ(ids("/admin/v1/keys?tenant=acme"),
            (std::vector<std::string>{"acme/ci", "acme/twice", "acme/twice/2", here}));
  EXPECT_EQ(ids("/admin/v1/keys?tenant=acme&include_revoked=true"),
            (std::vector<std::string>{"acme/ci", "acme/twice", "acme/twice/2", gone, here}));
  EXPECT_EQ(ids("/admin/v1/keys?include_revoked=false&tenant=umbrella").size(), 1u);
  const json of_file = api.get("/admin/v1/keys/acme%2Fci");
  EXPECT_EQ(of_file.at("managed_by"), "config");
  EXPECT_EQ(of_file, api.get("/admin/v1/keys/acme/ci"));
  EXPECT_EQ(api.get("/admin/v1/keys/" + here).at("managed_by"), "api");
}

TEST(Answers, hold_no_key_and_no_digest) {
  Harness api;
  std::string all;
  const json made = api.create(plain_key);
  const std::string text = made.at("key"), path = "/admin/v1/keys/" + made.at("id").get<std::string>();
  for (const std::string& target : {std::string("/admin/v1/keys"), path, std::string("/admin/v1/keys/acme/ci"),
                                    std::string("/admin/v1/tenants"), std::string("/admin/v1/audit")})
    all += api.ask("GET", target).body;
  all += api.ask("DELETE", path).body;
  for (const std::string& secret : {text, text.substr(8), to_hex(sha256(text)), std::string("canary"),
                                    to_hex(sha256("canary-secret-of-the-file-1"))})
    EXPECT_EQ(all.find(secret), std::string::npos);
}

// --- tenants ---

TEST(Tenants, are_shown_with_what_they_may_do) {
  Harness api;
  api.create(plain_key);
  const json list = api.get("/admin/v1/tenants").at("data");
  ASSERT_EQ(list.size(), 2u);
  const json acme = api.get("/admin/v1/tenants/acme");
  EXPECT_EQ(list[0], acme);
  EXPECT_EQ(acme.at("group"), "g");
  EXPECT_EQ(acme.at("tags"), (json{{"team", "red"}}));
  EXPECT_EQ(acme.at("rights").at("allow").at("routes"), json::array({"r"}));
  EXPECT_EQ(acme.at("limits").at("concurrency"), 3);
  EXPECT_EQ(acme.at("keys"), (json{{"config", 3}, {"api", 1}}));
  EXPECT_TRUE(list[1].at("group").is_null());
  const AdminReply none = api.ask("GET", "/admin/v1/tenants/nobody");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(Harness::error(none).at("code"), "tenant_not_found");
}

// --- the audit ---

policy::AuditRow row_of(const json& row) {
  policy::AuditRow made;
  made.seq = row.at("seq");
  made.entry.at = SystemTime(std::chrono::duration_cast<SystemTime::duration>(
      std::chrono::nanoseconds(std::stoll(row.at("at_nanoseconds").get<std::string>()))));
  made.entry.actor = row.at("actor");
  made.entry.role = row.at("role");
  made.entry.action = row.at("action");
  made.entry.object = row.at("object");
  made.entry.before = row.at("before");
  made.entry.after = row.at("after");
  made.entry.config_digest = row.at("config_digest");
  made.prev = *digest_from_hex(row.at("prev").get<std::string>());
  made.hash = *digest_from_hex(row.at("hash").get<std::string>());
  return made;
}

TEST(Audit, tells_who_changed_what_and_can_be_verified_from_outside) {
  Harness api;
  const std::string id = api.create(plain_key).at("id");
  api.ask("DELETE", "/admin/v1/keys/" + id, "", AdminRole::operate);
  api.ask("POST", "/admin/v1/reload", "", AdminRole::operate);
  api.report = {false, 7, "digest-before", {"routes.yaml:1:1: oops", "second"}, {}};
  EXPECT_EQ(api.ask("POST", "/admin/v1/reload").status, 422);

  const json page = api.get("/admin/v1/audit");
  const json& rows = page.at("data");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_TRUE(page.at("next").is_null());
  EXPECT_EQ(rows[0].at("action"), "key.create");
  EXPECT_EQ(rows[0].at("object"), "key/" + id);
  EXPECT_EQ(rows[0].at("actor"), "tester");
  EXPECT_EQ(rows[0].at("role"), "own");
  EXPECT_EQ(rows[0].at("before"), "");
  EXPECT_EQ(json::parse(rows[0].at("after").get<std::string>()).at("name"), "build");
  EXPECT_EQ(rows[1].at("action"), "key.revoke");
  EXPECT_EQ(rows[1].at("role"), "operate");
  EXPECT_TRUE(json::parse(rows[1].at("before").get<std::string>()).at("revoked_at").is_null());
  EXPECT_TRUE(json::parse(rows[1].at("after").get<std::string>()).at("revoked_at").is_string());
  EXPECT_EQ(rows[2].at("action"), "config.reload");
  EXPECT_EQ(json::parse(rows[2].at("after").get<std::string>()),
            (json{{"accepted", true}, {"digest", "digest-after"}}));
  EXPECT_EQ(rows[2].at("config_digest"), "digest-after");
  EXPECT_EQ(json::parse(rows[3].at("after").get<std::string>()),
            (json{{"accepted", false}, {"digest", "digest-before"}, {"fault", "routes.yaml:1:1: oops"}}));

  policy::AuditChain chain;
  for (const json& row : rows) EXPECT_TRUE(chain.take(row_of(row))) << row;
  EXPECT_EQ(api.get("/admin/v1/audit/verify"),
            (json{{"rows", 4}, {"intact", true}, {"broken_at", nullptr}, {"last", to_hex(chain.last())}}));
}

TEST(Audit, is_read_page_by_page) {
  Harness api;
  for (int i = 0; i < 5; ++i) api.create(R"({"tenant":"acme","name":"n)" + std::to_string(i) + "\"}");
  json page = api.get("/admin/v1/audit?limit=2");
  EXPECT_EQ(page.at("data").size(), 2u);
  EXPECT_EQ(page.at("next"), 2);
  page = api.get("/admin/v1/audit?limit=2&after=2");
  EXPECT_EQ(page.at("data")[0].at("seq"), 3);
  page = api.get("/admin/v1/audit?limit=2&after=4");
  EXPECT_EQ(page.at("data").size(), 1u);
  EXPECT_TRUE(page.at("next").is_null());
  EXPECT_TRUE(api.get("/admin/v1/audit?after=9007199254740992").at("data").empty());
}

TEST(Reloads, are_told_as_they_went) {
  Harness api(Stored::no);
  AdminReply reply = api.ask("POST", "/admin/v1/reload");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(
      reply.body,
      R"({"accepted":true,"generation":7,"digest":"digest-after","faults":[],"needs_restart":["server.listen"]})");
  api.report = {false, 7, "d", {"bad \"line\""}, {}};
  reply = api.ask("POST", "/admin/v1/reload");
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(json::parse(reply.body).at("faults"), json::array({"bad \"line\""}));
}

TEST(Config, is_passed_on_as_it_is) {
  Harness api;
  EXPECT_EQ(api.ask("GET", "/admin/v1/config").body, R"({"version":1})");
}

// --- without a store, and with one that fails ---

TEST(NoStorage, leaves_the_keys_of_the_file_and_says_what_to_write) {
  Harness api(Stored::no);
  EXPECT_EQ(api.get("/admin/v1/keys").at("data").size(), 3u);
  EXPECT_EQ(api.get("/admin/v1/tenants/acme").at("keys").at("api"), 0);
  for (const AdminReply& reply : {api.ask("POST", "/admin/v1/keys", plain_key), api.ask("GET", "/admin/v1/audit"),
                                  api.ask("GET", "/admin/v1/audit/verify")}) {
    EXPECT_EQ(reply.status, 409);
    EXPECT_EQ(Harness::error(reply).at("code"), "no_storage");
    EXPECT_NE(Harness::error(reply).at("message").get<std::string>().find("storage:"), std::string::npos);
  }
  EXPECT_EQ(api.ask("DELETE", "/admin/v1/keys/acme/ci").status, 409);
  EXPECT_EQ(api.ask("DELETE", "/admin/v1/keys/key_x").status, 404);
}

TEST(BrokenStore, is_told_and_nothing_has_changed) {
  Harness api;
  const std::string id = api.create(plain_key).at("id");
  api.break_store();
  for (const AdminReply& reply : {api.ask("GET", "/admin/v1/keys"), api.ask("POST", "/admin/v1/keys", plain_key),
                                  api.ask("DELETE", "/admin/v1/keys/" + id), api.ask("GET", "/admin/v1/audit"),
                                  api.ask("GET", "/admin/v1/tenants"), api.ask("POST", "/admin/v1/reload")}) {
    EXPECT_EQ(reply.status, 503);
    const json error = Harness::error(reply);
    EXPECT_EQ(error.at("code"), "store_unavailable");
    EXPECT_NE(reply.fields.find("Retry-After: 1\r\n"), std::string::npos);
    EXPECT_EQ(reply.body.find(api.folder().string()), std::string::npos) << "a path is nobody's business";
  }
  EXPECT_EQ(api.added.size(), 1u);
  EXPECT_TRUE(api.revoked.empty());
  EXPECT_EQ(api.reloads, 0);
  EXPECT_EQ(api.ask("GET", "/admin/v1/keys/acme/ci").status, 200) << "the file's are known without it";
}

}  // namespace
}  // namespace tollgate::server::admin
