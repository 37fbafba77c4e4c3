#pragma once
// One call of an operator on its way through a handler, and what handlers have in common: time, chance and the way back
// from the store's thread.
#include "tollgate/io/loop.hpp"
#include "tollgate/io/store.hpp"
#include "tollgate/policy/audit.hpp"
#include "tollgate/server/admin_api.hpp"

#include "query.hpp"
#include "strict_json.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tollgate::server::admin {

/// Shared by the steps of a handler. Control thread only.
struct Exchange {
  AdminCall call;
  std::string id;  ///< what stands for {id} in the path
  Query query;
  std::shared_ptr<const config::Snapshot> snapshot;  ///< in force when the call came
  SystemTime now{};
  AdminApi::Done done;

  // Each ends the exchange.
  void reply(const Json& json, std::uint16_t status = 200, std::string more_fields = {}) const;
  void refuse(const Failure& failure, std::string more_fields = {}) const;
};
using ExchangePointer = std::shared_ptr<const Exchange>;

/// An answer, and a refusal, as the session sends them.
AdminReply to_reply(std::string body, std::uint16_t status, std::string more_fields = {});
AdminReply to_refusal(const Failure& failure, std::string more_fields = {});

/// What handlers act on. Control thread only.
class Context {
 public:
  explicit Context(AdminParts parts) : parts_(std::move(parts)) {}
  const AdminParts& parts() const { return parts_; }
  io::Store* store() const { return parts_.store; }

  /// What the store calls when it has an answer: it comes back to the control thread, unless the API has gone by then.
  template <class T>
  io::Store::Done<T> later(std::function<void(Result<T>)> then) {
    return [loop = &parts_.loop, alive = std::weak_ptr<const bool>(alive_), then = std::move(then)](Result<T> result) {
      loop->post([alive, then, result = std::move(result)] {
        if (!alive.expired()) then(result);
      });
    };
  }

 private:
  AdminParts parts_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

/// The audit's row of what an exchange does.
policy::AuditEntry audit_entry(const Exchange& exchange, std::string action, std::string object);

Failure no_storage();         ///< 409: nothing is stored here
Failure store_unavailable();  ///< 503: the store does not work now; its own words are no business of a client's

}  // namespace tollgate::server::admin
