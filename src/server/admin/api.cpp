// The way of every call: rate, path, method, role, body, parameters, and then the handler that the table names.
#include "tollgate/server/admin_api.hpp"

#include "operations.hpp"
#include "rate.hpp"

#include <algorithm>

namespace tollgate::server {

namespace admin {

namespace {

constexpr std::size_t longest_body = 64 * 1024;
constexpr std::int64_t calls_per_second = 50, calls_at_once = 100;

const Operation* find(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";  // the session leaves the body out
  const auto all = operations();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Operation& operation) {
    return operation.method == method && match(operation.path, path);
  });
  return found == all.end() ? nullptr : &*found;
}

Failure too_many() {
  Failure failure{FailureKind::rate_limited, Source::client,
                  "the admin API takes 50 requests in a second from all callers together; try again shortly"};
  failure.retry_after = seconds(1);
  return failure;
}

Failure wrong_role(config::AdminRole needed, config::AdminRole role) {
  return {FailureKind::not_allowed, Source::client,
          "this needs a token with the role " + std::string(name_of(needed)) + "; yours has the role " +
              std::string(name_of(role)),
          "role_not_allowed"};
}

/// What is wrong with a body before it is read.
std::optional<Failure> fault_of_body(const Operation& operation, const AdminCall& call) {
  if (operation.method == "GET") return std::nullopt;
  if (!call.json)
    return Failure{FailureKind::unsupported_media, Source::client, "send JSON as Content-Type: application/json"};
  if (call.body.size() > longest_body)
    return Failure{FailureKind::too_large, Source::client, "a body is at most 64 KiB here"};
  if (operation.body.empty() && !call.body.empty() && call.body != "{}")
    return bad_member({}, "this takes no body, or {}");
  return std::nullopt;
}

class Api final : public AdminApi {
 public:
  explicit Api(AdminParts parts) : context_(std::move(parts)) {}

  void handle(AdminCall call, Done done) override {
    if (!rate_.take(context_.parts().loop.now())) return done(to_refusal(too_many()));
    const std::string methods = methods_of(call.path);
    if (methods.empty())
      return done(to_refusal({FailureKind::not_found, Source::client,
                              "unknown path; GET /admin/v1/openapi.json names those that there are"}));
    const std::string allow = "Allow: " + methods + "\r\n";
    if (call.method == "OPTIONS") return done({204, {}, allow});
    const Operation* operation = find(call.method, call.path);
    if (!operation)
      return done(
          to_refusal({FailureKind::method_not_allowed, Source::client, "this path does not have that method"}, allow));
    if (call.actor.role < operation->least) return done(to_refusal(wrong_role(operation->least, call.actor.role)));
    if (const auto fault = fault_of_body(*operation, call)) return done(to_refusal(*fault));
    auto query = Query::parse(call.query, operation->parameters);
    if (!query) return done(to_refusal(query.error()));
    operation->handle(context_, begin(*operation, std::move(call), std::move(*query), std::move(done)));
  }

 private:
  ExchangePointer begin(const Operation& operation, AdminCall call, Query query, Done done) {
    auto exchange = std::make_shared<Exchange>();
    exchange->id = *match(operation.path, call.path);
    exchange->call = std::move(call);
    exchange->query = std::move(query);
    exchange->snapshot = context_.parts().configuration();
    exchange->now = std::chrono::system_clock::now();
    exchange->done = std::move(done);
    return exchange;
  }

  Context context_;
  Rate rate_{calls_per_second, calls_at_once};
};

}  // namespace

}  // namespace admin

std::unique_ptr<AdminApi> make_admin_api(AdminParts parts) { return std::make_unique<admin::Api>(std::move(parts)); }

}  // namespace tollgate::server
