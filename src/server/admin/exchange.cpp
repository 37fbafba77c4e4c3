#include "exchange.hpp"

#include "tollgate/protocol/openai/error.hpp"

namespace tollgate::server::admin {

void Exchange::reply(const Json& json, std::uint16_t status, std::string more_fields) const {
  done(to_reply(to_text(json), status, std::move(more_fields)));
}

void Exchange::refuse(const Failure& failure, std::string more_fields) const {
  done(to_refusal(failure, std::move(more_fields)));
}

AdminReply to_reply(std::string body, std::uint16_t status, std::string more_fields) {
  // What operators see belongs in nobody's cache.
  return {status, std::move(body), "Cache-Control: no-store\r\n" + std::move(more_fields)};
}

AdminReply to_refusal(const Failure& failure, std::string more_fields) {
  if (failure.retry_after)
    more_fields +=
        "Retry-After: " + std::to_string(std::chrono::ceil<std::chrono::seconds>(*failure.retry_after).count()) +
        "\r\n";
  return to_reply(protocol::openai::error_body(failure), protocol::openai::error_form(failure.kind).status,
                  std::move(more_fields));
}

policy::AuditEntry audit_entry(const Exchange& exchange, std::string action, std::string object) {
  policy::AuditEntry entry;
  entry.at = exchange.now;
  entry.actor = exchange.call.actor.name;
  entry.role = config::name_of(exchange.call.actor.role);
  entry.action = std::move(action);
  entry.object = std::move(object);
  entry.config_digest = exchange.snapshot->digest;
  return entry;
}

Failure no_storage() {
  return {FailureKind::conflict, Source::client,
          "this gateway stores nothing; write storage: {path: var/tollgate.db} into routes.yaml and start it again",
          "no_storage"};
}

Failure store_unavailable() {
  Failure failure{FailureKind::overloaded, Source::gateway,
                  "the store does not work at the moment, and nothing has changed; try again shortly",
                  "store_unavailable"};
  failure.retry_after = seconds(1);
  return failure;
}

}  // namespace tollgate::server::admin
