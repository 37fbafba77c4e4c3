// Who may do what: every endpoint by every method, for every caller, with every spelling of the key and of the path.
// The tables below say what is right; each cell of their product is asked of the real gateway.
#include "support/gateway_under_test.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <map>
#include <optional>

namespace tollgate::test {
namespace {

using Json = nlohmann::json;

// --- the tables ---

enum Caller { none, unknown, expired, revoked, elsewhere, everything, one_route, no_small, callers };
constexpr std::array<const char*, callers> caller_names{"none",      "unknown",    "expired",   "revoked",
                                                        "elsewhere", "everything", "one_route", "no_small"};

struct Endpoint {
  const char* method;
  const char* path;
  const char* body;  ///< null: none
  /// By caller; a row of one number is for all alike, and then the key does not matter.
  std::array<int, callers> status;
};
constexpr std::array<int, callers> all(int status) {
  return {status, status, status, status, status, status, status, status};
}

// `small` is a model, `cheap` a route to it, `auto` a route to another model.
const char* const small_body =
    R"({"model":"small","messages":[{"role":"user","content":"hi"}],"input":"hi","prompt":"hi"})";
const char* const cheap_body =
    R"({"model":"cheap","messages":[{"role":"user","content":"hi"}],"input":"hi","prompt":"hi"})";
const char* const auto_body =
    R"({"model":"auto","messages":[{"role":"user","content":"hi"}],"input":"hi","prompt":"hi"})";
const char* const prefix_body =
    R"({"model":"sim/small","messages":[{"role":"user","content":"hi"}],"input":"hi","prompt":"hi"})";
const char* const missing_body =
    R"({"model":"nonexistent","messages":[{"role":"user","content":"hi"}],"input":"hi","prompt":"hi"})";

const std::vector<Endpoint> endpoints{
    //                                                   none unk  exp  rev  else all  rout no_s
    {"POST", "/v1/chat/completions", small_body, {401, 401, 401, 401, 403, 200, 403, 403}},
    {"POST", "/v1/chat/completions", cheap_body, {401, 401, 401, 401, 403, 200, 200, 403}},
    {"POST", "/v1/chat/completions", auto_body, {401, 401, 401, 401, 403, 200, 403, 200}},
    {"POST", "/v1/chat/completions", prefix_body, {401, 401, 401, 401, 403, 200, 403, 403}},
    {"POST", "/v1/chat/completions", missing_body, {401, 401, 401, 401, 403, 404, 404, 404}},
    {"POST", "/v1/completions", cheap_body, {401, 401, 401, 401, 403, 200, 200, 403}},
    {"POST", "/v1/embeddings", cheap_body, {401, 401, 401, 401, 403, 200, 200, 403}},
    {"POST", "/v1/responses", cheap_body, {401, 401, 401, 401, 403, 200, 200, 403}},
    {"POST", "/v1/files", cheap_body, {401, 401, 401, 401, 403, 404, 404, 403}},
    {"GET", "/v1/models", nullptr, {401, 401, 401, 401, 403, 200, 200, 200}},
    {"HEAD", "/v1/models", nullptr, {401, 401, 401, 401, 403, 200, 200, 200}},
    {"GET", "/v1/models/small", nullptr, {401, 401, 401, 401, 403, 200, 404, 404}},
    {"GET", "/v1/models/cheap", nullptr, {401, 401, 401, 401, 403, 200, 200, 404}},
    {"GET", "/v1/models/nonexistent", nullptr, {401, 401, 401, 401, 403, 404, 404, 404}},
    {"GET", "/health/live", nullptr, all(200)},
    {"GET", "/health/ready", nullptr, all(200)},
    {"GET", "/v1/chat/completions", nullptr, all(405)},
    {"DELETE", "/v1/chat/completions", nullptr, all(405)},
    {"PUT", "/v1/models", nullptr, all(405)},
    {"POST", "/health/live", nullptr, all(405)},
    {"OPTIONS", "/v1/chat/completions", nullptr, all(204)},
    {"TRACE", "/v1/models", nullptr, all(405)},
    // Spellings that lead elsewhere: to a path of the provider's own, which needs the same rights, or to none.
    {"POST", "/v1/chat/completions/", cheap_body, {401, 401, 401, 401, 403, 404, 404, 403}},
    {"GET", "/v1/models/", nullptr, all(405)},
    {"GET", "/health/live/", nullptr, all(404)},
    {"GET", "/v1/models%2f", nullptr, all(400)},
    {"POST", "/v1/chat%2fcompletions", cheap_body, all(400)},
    {"GET", "/admin%2fv1%2fkeys", nullptr, all(400)},
    // The other planes' paths are not there.
    {"GET", "/admin/v1/keys", nullptr, all(404)},
    {"POST", "/admin/v1/keys", "{}", all(404)},
    {"DELETE", "/admin/v1/keys/acme/everything", nullptr, all(404)},
    {"POST", "/admin/v1/reload", nullptr, all(404)},
    {"POST", "/admin/v1/targets/circuit", "{}", all(404)},
    {"GET", "/admin/v1/budgets", nullptr, all(404)},
    {"POST", "/admin/v1/budgets/tenant/acme/monthly/grants", "{}", all(404)},
    {"POST", "/admin/v1/route", "{}", all(404)},
    {"GET", "/admin/v1/usage", nullptr, all(404)},
    {"GET", "/admin/v1/config", nullptr, all(404)},
    {"GET", "/admin/v1/openapi.json", nullptr, all(404)},
    {"GET", "/metrics", nullptr, all(404)},
    {"GET", "/dashboard", nullptr, all(404)},
};

/// How a key is sent. `%` stands for it.
struct KeySpelling {
  const char* fields;
  const char* query;
  enum { counts, ignored, ambiguous } what;
};
const std::vector<KeySpelling> key_spellings{
    {"Authorization: Bearer %\r\n", "", KeySpelling::counts},
    {"authorization: bearer   %\r\n", "", KeySpelling::counts},
    {"X-Api-Key: %\r\n", "", KeySpelling::counts},
    {"api-key: %\r\n", "", KeySpelling::counts},
    {"x-tollgate-key: %\r\n", "", KeySpelling::counts},
    {"x-api-key: %\r\nAuthorization: Bearer %\r\n", "", KeySpelling::counts},
    {"Authorization: %\r\n", "", KeySpelling::counts},
    {"x-goog-api-key: %\r\n", "", KeySpelling::ignored},
    {"Cookie: api_key=%; session=%\r\n", "", KeySpelling::ignored},
    {"X-Authorization: Bearer %\r\nProxy-Authorization: Bearer %\r\n", "", KeySpelling::ignored},
    {"", "?key=%&api_key=%&api-key=%&access_token=%", KeySpelling::ignored},
    {"Authorization: Bearer %\r\nx-api-key: another\r\n", "", KeySpelling::ambiguous},
    {"api-key: another\r\nx-api-key: %\r\n", "", KeySpelling::ambiguous},
    {"x-tollgate-key: %\r\nAuthorization: Bearer another\r\n", "", KeySpelling::ambiguous},
};

/// How a path is written. `%` stands for it, `^` for it without its /v1, `~` for it in upper case.
struct PathSpelling {
  const char* target;
  const char* fields;
  std::optional<int> status;  ///< whoever asks; nothing: as if it were written plainly
};
const std::vector<PathSpelling> path_spellings{
    {"%", "", {}},
    {"^", "", {}},
    {"%", "X-Original-URL: /health/live\r\nX-Rewrite-URL: /health/live\r\n", {}},
    {"%", "X-HTTP-Method-Override: GET\r\nX-Method-Override: GET\r\n", {}},
    {"%", "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: localhost\r\nForwarded: for=127.0.0.1\r\n", {}},
    {"~", "", 404},
    {"/%", "", {}},
    {"/.%", "", 400},
    {"/health/live/..%", "", 400},
    {"/health/live/%2e%2e%", "", 400},
    {"%;/health/live", "", 400},
    {"/%2e%", "", 400},
    {"%%00", "", 400},
    {"%#/health/live", "", 400},
    {"%\\health", "", 400},
    {"http://127.0.0.1%", "", 400},
};

// --- asking ---

std::string replaced(std::string text, char mark, const std::string& value) {
  for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + value.size()))
    text.replace(at, 1, value);
  return text;
}

class Authorisation : public testing::Test {
 protected:
  Authorisation()
      : gateway_(
            "providers: {sim: {simulator: {first_token: 0ms, tokens_per_second: 1000000, answer_tokens: 1}}}\n"
            "models:\n  small: {provider: sim}\n  large: {provider: sim}\n  \"sim/*\": {provider: sim, name: \"*\"}\n"
            "routes: {cheap: {primary: small}, auto: {primary: large}}\n"
            "tenants:\n  acme:\n    keys:\n" +
            key_line(expired, "expires: 2020-01-01") + key_line(elsewhere, "addresses: [192.0.2.0/24]") +
            key_line(everything, "may_delegate: false") + key_line(one_route, "allow: {routes: [cheap]}") +
            key_line(no_small, "deny: {models: [small]}")) {
    for (const Caller caller : {expired, elsewhere, everything, one_route, no_small}) keys_[caller] = key_of(caller);
    keys_[unknown] = "unknown-key-of-20-bytes-and-more";
    keys_[revoked] = revoked_key();
  }

  static std::string key_of(Caller caller) { return std::string(caller_names[caller]) + "-key-of-20-bytes-and-more"; }
  static std::string key_line(Caller caller, const std::string& settings) {
    return "      - {name: " + std::string(caller_names[caller]) + ", secret: " + key_of(caller) + ", " + settings +
           "}\n";
  }

  /// A key that was made and taken back.
  std::string revoked_key() {
    RawClient admin(gateway_.admin_address());
    admin.send(post("/admin/v1/keys", R"({"tenant":"acme","name":"gone"})"));
    const Json made = Json::parse(admin.read_answer().body);
    admin.send("DELETE /admin/v1/keys/" + made.at("id").get<std::string>() + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(admin.read_answer().status, 200);
    return made.at("key");
  }

  int ask(const std::string& method, const std::string& target, const std::string& fields, const char* body) {
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields;
    if (body)
      request +=
          "Content-Type: application/json\r\nContent-Length: " + std::to_string(std::string(body).size()) + "\r\n";
    request += "\r\n" + std::string(body ? body : "");
    if (!client_) client_.emplace(gateway_.address());
    client_->send(request);
    const Answer answer = client_->read_answer(method == "HEAD");
    const auto connection = answer.fields.find("connection");
    if (connection != answer.fields.end() && connection->second == "close") client_.reset();
    return answer.status;
  }

  GatewayUnderTest gateway_;
  std::map<Caller, std::string> keys_;
  std::optional<RawClient> client_;
};

/// What the tables say.
int expected(const Endpoint& endpoint, Caller caller, const KeySpelling& key, const PathSpelling& path) {
  const bool malformed = endpoint.status[none] == 400;  // however it is written
  if (malformed || path.status) return malformed ? 400 : *path.status;
  const bool key_matters = endpoint.status[none] == 401;
  if (!key_matters) return endpoint.status[none];
  if (caller == none || key.what == KeySpelling::ignored) return endpoint.status[none];
  if (key.what != KeySpelling::ambiguous) return endpoint.status[caller];
  // A key beside a provider's credential is judged first: what it may do is nobody's business who does not hold it.
  const bool beside = std::string(key.fields).starts_with("x-tollgate-key");
  const bool known = caller == everything || caller == one_route || caller == no_small;
  return beside && !known ? endpoint.status[caller] : 400;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

TEST_F(Authorisation, IsAsTabledInEveryCell) {
  std::size_t cells = 0;
  std::map<std::string, std::size_t> wrong;
  for (const Endpoint& endpoint : endpoints) {
    const std::string plain = endpoint.path;
    for (const PathSpelling& path : path_spellings) {
      const std::string unversioned = plain.starts_with("/v1/") ? plain.substr(3) : plain;
      std::string target = path.target;
      // The mark may stand before an escape, which begins with it too.
      const std::size_t mark = target.find_first_of("%^~");
      const std::size_t at = target == "/health/live/%2e%2e%" || target == "/%2e%" ? target.size() - 1 : mark;
      const bool only_passed_on = plain == "/v1/files" || plain.ends_with('/');
      if (target[at] == '^' && only_passed_on) continue;  // that has no short form
      const std::string written = target[at] == '^' ? unversioned : target[at] == '~' ? upper(plain) : plain;
      target.replace(at, 1, written);
      for (const KeySpelling& key : key_spellings) {
        for (int caller = none; caller < callers; ++caller) {
          const bool has_key = caller != none;
          const std::string text = has_key ? keys_.at(static_cast<Caller>(caller)) : "";
          const std::string fields = has_key ? replaced(key.fields, '%', text) : "";
          const std::string query = has_key ? replaced(key.query, '%', text) : "";
          if (*key.query != '\0' && target.find('#') != target.npos) continue;  // nothing comes after a fragment
          const int status = ask(endpoint.method, target + query, fields + path.fields, endpoint.body);
          const int right = expected(endpoint, static_cast<Caller>(caller), key, path);
          ++cells;
          if (status == right) continue;
          ++wrong[std::string(endpoint.method) + " " + plain + " " + (endpoint.body ? endpoint.body : "") +
                  ", written " + path.target + ": " + std::to_string(status) + " instead of " + std::to_string(right) +
                  " to " + caller_names[caller]];
        }
      }
    }
  }
  for (const auto& [what, count] : wrong) ADD_FAILURE() << count << " cells: " << what;
  EXPECT_GE(cells, 50'000u);
  RecordProperty("cells", static_cast<int>(cells));
}

}  // namespace
}  // namespace tollgate::test
