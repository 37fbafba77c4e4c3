#pragma once
// The admin API with a real store and a real loop, without sockets and workers: a call in, a reply out. Every reply is
// held against the API's own document.
#include "tollgate/config/loader.hpp"
#include "tollgate/io/loop.hpp"
#include "tollgate/io/store.hpp"
#include "tollgate/io/usage_desk.hpp"
#include "tollgate/server/admin_api.hpp"

#include "server/admin/handlers.hpp"
#include "support/json_schema.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tollgate::server::admin {

using json = nlohmann::json;

inline std::shared_ptr<const config::Snapshot> snapshot_of(const std::string& yaml, std::string* faults = nullptr) {
  config::Sources sources;
  sources.read_file = [&yaml](const std::string&) -> Result<std::string> { return yaml; };
  sources.glob = [](const std::string&) { return std::vector<std::string>(); };
  sources.environment = [](const std::string&) { return std::optional<std::string>(); };
  const config::Loaded loaded = config::load("/etc/tollgate/routes.yaml", sources);
  for (const config::Fault& fault : loaded.faults) {
    if (faults)
      *faults += config::to_text(fault) + "\n";
    else
      ADD_FAILURE() << config::to_text(fault);
  }
  return loaded.snapshot;
}

inline const std::string models_yaml =
    "version: 1\n"
    "providers: {p: {protocol: openai, base_url: \"http://127.0.0.1:1/v1\"}}\n"
    "models: {m: {provider: p}, other: {provider: p}, \"w/*\": {provider: p, name: \"*\"}}\n"
    "routes: {r: {primary: m}, s: {primary: other}}\n";
inline const std::string tenants_yaml =
    "groups: {g: {limits: {requests_per_minute: 9}}}\n"
    "tenants:\n"
    "  acme:\n"
    "    group: g\n"
    "    tags: {team: red}\n"
    "    allow: {routes: [r]}\n"
    "    limits: {concurrency: 3}\n"
    "    keys:\n"
    "      - {name: ci, secret: canary-secret-of-the-file-1}\n"
    "      - {name: twice, secret: canary-secret-of-the-file-2}\n"
    "      - {name: twice, secret: canary-secret-of-the-file-3, expires: 2100-01-01}\n"
    "  umbrella: {}\n";

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tollgate-admin-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

enum class Stored { yes, no };

class Harness {
 public:
  explicit Harness(Stored stored = Stored::yes, const std::string& yaml = models_yaml + tenants_yaml)
      : snapshot_(snapshot_of(yaml)), known_(health_.health_of(*snapshot_, loop_.now())) {
    if (stored == Stored::yes) {
      io::StoreOptions options;
      options.check_every = Millis(2);
      options.on_reachable = [this](bool reachable) {
        if (!reachable) broken_.set_value();
      };
      auto opened = io::Store::open(file().string(), std::move(options));
      if (!opened) throw std::runtime_error(opened.error().message);
      store_ = std::move(*opened);
      usage_ = std::make_unique<io::UsageDesk>(ledger().string());
    }
    AdminParts parts{.loop = loop_,
                     .store = store_.get(),
                     .usage = usage_.get(),
                     .configuration = [this] { return snapshot_; },
                     .health = [this] { return known_; },
                     .budgets = &budgets,
                     .reload =
                         [this] {
                           ++reloads;
                           return report;
                         },
                     .effective_config = [] { return std::string(R"({"version":1})"); },
                     .key_added = [this](policy::Key key) { added.push_back(std::move(key)); },
                     .key_revoked = [this](const Digest& digest) { revoked.push_back(digest); }};
    api_ = make_admin_api(std::move(parts));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Harness() {
    store_.reset();
    usage_.reset();
    loop_.stop();
    thread_.join();
  }

  /// Calls and waits for the reply, which must be as the document says.
  AdminReply call(AdminCall call) {
    const std::string method = call.method, path = call.path;
    auto promise = std::make_shared<std::promise<AdminReply>>();
    auto future = promise->get_future();
    loop_.post([this, promise, call = std::move(call)]() mutable {
      api_->handle(std::move(call), [promise](AdminReply reply) { promise->set_value(std::move(reply)); });
    });
    AdminReply reply = future.get();
    EXPECT_EQ(check_.answer_fault(method == "HEAD" ? "GET" : method, path, reply.status, reply.body), "");
    return reply;
  }
  AdminReply ask(const std::string& method, const std::string& target, const std::string& body = {},
                 config::AdminRole role = config::AdminRole::own) {
    AdminCall one;
    one.method = method;
    one.path = target.substr(0, target.find('?'));
    if (one.path.size() < target.size()) one.query = target.substr(one.path.size() + 1);
    one.body = body;
    one.actor = {"tester", role};
    return call(std::move(one));
  }
  json get(const std::string& target) { return json::parse(ask("GET", target).body); }
  json create(const std::string& body) {
    const AdminReply reply = ask("POST", "/admin/v1/keys", body);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return json::parse(reply.body);
  }
  static json error(const AdminReply& reply) { return json::parse(reply.body).at("error"); }

  std::filesystem::path ledger() const { return folder_.path / "ledger"; }
  const std::filesystem::path& folder() const { return folder_.path; }
  /// Takes the store's file away for good.
  void break_store() {
    std::filesystem::rename(file(), file().string() + ".away");
    std::filesystem::create_directory(file());
    broken_.get_future().wait();
  }

  ReloadReport report{true, 7, "digest-after", {}, {"server.listen"}};
  std::atomic<int> reloads{0};
  policy::BudgetBook budgets;
  std::vector<policy::Key> added;  ///< read after the reply that follows
  std::vector<Digest> revoked;

 private:
  std::filesystem::path file() const { return folder_.path / "tollgate.db"; }

  Folder folder_;
  std::promise<void> broken_;
  io::Loop loop_{1};
  std::unique_ptr<io::Store> store_;
  std::unique_ptr<io::UsageDesk> usage_;
  pipeline::HealthBook health_;
  std::shared_ptr<const config::Snapshot> snapshot_;
  std::shared_ptr<const pipeline::Health> known_;
  std::unique_ptr<AdminApi> api_;
  test::SchemaCheck check_{json::parse(to_text(openapi_document()))};
  std::thread thread_;
};

}  // namespace tollgate::server::admin
