// The admin and metrics planes of a session: who holds which token, and an operator's request from its body to its
// answer, which may come from another thread.
#include "tollgate/protocol/credentials.hpp"
#include "tollgate/server/admin.hpp"

#include "session.hpp"

namespace tollgate::server {

namespace {

/// The answer to come. Whoever is first gone leaves it to the other: the session may be cut, the answer may be late.
struct Pending {
  WaitPoint* point = nullptr;  ///< null: nobody waits any more
  std::optional<AdminReply> reply;
};

bool is_token(const Digest& given, const config::Secret& token) {
  return !token.empty() && same_digest(given, sha256(token.reveal()));
}

std::optional<AdminActor> actor_of(const config::AdminSettings& admin, std::string_view given) {
  if (!admin.needs_token()) return AdminActor{"local", config::AdminRole::own};
  const Digest digest = sha256(given);
  std::optional<AdminActor> actor;
  // All are looked at, so that the time does not tell which one was near.
  if (is_token(digest, admin.token)) actor = {"owner", config::AdminRole::own};
  for (const config::AdminToken& token : admin.tokens)
    if (is_token(digest, token.token)) actor = {token.name, token.role};
  return actor;
}

}  // namespace

bool Session::judge_token(const Head& head) {
  if (plane_ == Plane::data) return true;
  const config::Snapshot& snapshot = *world().snapshot;
  const std::string_view given = protocol::bearer_token(head);
  bool known = false;
  if (plane_ == Plane::metrics) {
    known = snapshot.metrics.token.empty() || is_token(sha256(given), snapshot.metrics.token);
  } else if (auto actor = actor_of(snapshot.admin, given)) {
    request_->actor = std::make_unique<AdminActor>(std::move(*actor));
    known = true;
  }
  if (known) return true;
  refuse({FailureKind::unauthorized, Source::client, "send this listener's token as Authorization: Bearer"},
         "WWW-Authenticate: Bearer\r\n");
  return false;
}

Task<void> Session::administer() {
  Request& request = *request_;
  ByteBuffer body;
  const auto read = co_await read_body(body);
  if (!read) {
    refuse(read.error());
    co_return;
  }
  const auto pending = std::make_shared<Pending>();
  pending->point = &point_;
  AdminCall call;
  call.method = request.method;
  call.path = request.path.empty() ? std::string(request.route.name) : request.path;
  call.query = request.inbound.query;
  call.body = body.view();
  call.json = request.inbound.json;
  call.actor = *request.actor;
  worker_.services().admin->handle(std::move(call), [pending](AdminReply reply) {
    pending->reply = std::move(reply);
    if (pending->point) pending->point->signal(Signal::answered);
  });
  while (!pending->reply && !worker_.cutting()) co_await point_.wait();
  pending->point = nullptr;
  if (!pending->reply) {
    left_ = true;
    co_return;
  }
  reply(pending->reply->status, pending->reply->body.empty() ? "" : "application/json", pending->reply->body,
        pending->reply->fields);
}

}  // namespace tollgate::server
