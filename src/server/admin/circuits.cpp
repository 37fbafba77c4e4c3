// Circuits by an operator's hand: what is wanted is checked, written into the audit, and done once it stands there, so
// that nobody finds a circuit held and no word of who did it.
#include "tollgate/io/loop.hpp"

#include "handlers.hpp"
#include "schema.hpp"
#include "target_view.hpp"

#include <algorithm>

namespace tollgate::server::admin {

namespace {

using pipeline::TargetHealth;
using policy::CircuitState;

constexpr std::size_t longest_reason = 256;
const std::vector<std::string> states{"open", "closed", "auto"};

struct Order {
  std::string target;
  std::optional<std::string> credential;  ///< nothing: all of them
  std::optional<CircuitState> state;      ///< nothing: auto
  std::string reason;
};

/// A target of the configuration in force, which `health` keeps alive.
struct Place {
  std::shared_ptr<const pipeline::Health> health;
  const TargetHealth* target = nullptr;
  const std::vector<std::shared_ptr<pipeline::CredentialHealth>>* credentials = nullptr;
};

bool is_plain_text(std::string_view text) {
  return !text.empty() && text.size() <= longest_reason &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Result<Order> read(const Exchange& exchange) {
  const auto body = parse_json(exchange.call.body);
  if (!body) return body.error();
  Order order;
  Fault fault;
  Members members(*body, {}, fault);
  read_text(members, "target", order.target);
  if (order.target.empty()) members.fault("target", "expected provider/name, as GET /admin/v1/targets shows it");
  if (const Json* credential = members.find("credential"); credential && !credential->is_null())
    read_text(members, "credential", order.credential.emplace());
  const auto state = read_choice(members, "state", states);
  if (!state) members.fault("state", "expected one of open, closed, auto");
  if (state == 0u) order.state = CircuitState::open;
  if (state == 1u) order.state = CircuitState::closed;
  read_text(members, "reason", order.reason);
  if (!is_plain_text(order.reason)) members.fault("reason", "expected 1 to 256 bytes of text, for the audit");
  members.refuse_others();
  if (fault) return fault.failure();
  return order;
}

std::optional<Place> find(Context& context, const Exchange& exchange, std::string_view label) {
  auto health = context.parts().health();
  const auto& models = exchange.snapshot->models;
  for (std::size_t model = 0; model < models.size(); ++model) {
    for (std::size_t i = 0; i < models[model].targets.size(); ++i) {
      const TargetHealth& target = health->models[model][i];
      if (target.label != label) continue;
      const auto* credentials = &health->credentials[models[model].targets[i].provider];
      return Place{std::move(health), &target, credentials};
    }
  }
  return std::nullopt;
}

Failure no_such_target() {
  return {FailureKind::not_found, Source::client, "no target has this name; GET /admin/v1/targets lists them",
          "target_not_found", "target"};
}

/// The places of the circuits that are meant.
std::vector<std::size_t> meant(const Order& order, const TargetHealth& target) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < target.circuits.size(); ++i)
    if (!order.credential || target.credentials[i] == *order.credential) indices.push_back(i);
  return indices;
}

policy::AuditEntry entry_of(const Exchange& exchange, const Order& order, const Place& place, SteadyTime now) {
  policy::AuditEntry entry = audit_entry(exchange, "circuit.force", "target/" + order.target);
  Json before = Json::object();
  for (const std::size_t index : meant(order, *place.target)) {
    const auto view = place.target->circuits[index]->view(now);
    before[place.target->credentials[index]] = {{"circuit", policy::name_of(view.state)}, {"forced", view.forced}};
  }
  entry.before = to_text(before);
  entry.after = to_text({{"state", order.state ? Json(policy::name_of(*order.state)) : Json("auto")},
                         {"credential", order.credential ? Json(*order.credential) : Json()},
                         {"reason", order.reason}});
  return entry;
}

void obey(Context& context, const Exchange& exchange, const Order& order, const Place& place) {
  const SteadyTime now = context.parts().loop.now();
  for (const std::size_t index : meant(order, *place.target)) place.target->circuits[index]->force(order.state, now);
  Json targets = Json::array();
  add_views(targets, *place.target, *place.credentials, Clocks(now, exchange.now));
  exchange.reply({{"data", std::move(targets)}});
}

}  // namespace

void force_circuit(Context& context, const ExchangePointer& exchange) {
  const auto order = read(*exchange);
  if (!order) return exchange->refuse(order.error());
  const auto place = find(context, *exchange, order->target);
  if (!place) return exchange->refuse(no_such_target());
  if (meant(*order, *place->target).empty())
    return exchange->refuse(
        bad_member("credential", "the target has none of this name; GET /admin/v1/targets lists them"));
  if (!context.store()) return obey(context, *exchange, *order, *place);
  context.store()->append_audit(
      entry_of(*exchange, *order, *place, context.parts().loop.now()),
      context.later<void>([&context, exchange, order = *order, place = *place](const Result<void>& kept) {
        if (!kept) return exchange->refuse(store_unavailable());
        obey(context, *exchange, order, place);
      }));
}

Json circuit_order_schema() {
  Json schema = object_of(
      {{"target", scalar_of("string", "provider/name")},
       {"credential", scalar_of({"string", "null"}, "As GET /admin/v1/targets shows it; null: all of the target's")},
       {"state",
        {{"type", "string"},
         {"enum", states},
         {"description", "auto: held no longer, and tried by probes where it was open"}}},
       {"reason", scalar_of("string", "Why, for the audit; 1 to 256 bytes")}},
      "What is to be done with a target's circuits");
  schema["required"] = {"target", "state", "reason"};
  return schema;
}

}  // namespace tollgate::server::admin
