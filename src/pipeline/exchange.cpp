#include "tollgate/pipeline/exchange.hpp"

namespace tollgate::pipeline {

Woke Exchange::woken_by(WaitPoint::Arrived arrived, SteadyTime until) {
  if (arrived.has(Signal::client_readable)) client.look();
  if (client.left()) return Woke::client_left;
  if (client.must_stop()) return Woke::must_stop;
  if (until != never && alarm.woken_at() >= until) return Woke::timer;
  return Woke::progress;
}

Exchange::OwnCredential Exchange::find_own_credential() const {
  if (caller.tenant->passes_credentials) return {"client", caller.provider_credential};
  const std::size_t provider = choice.target->provider;
  for (const auto& [of_provider, credential] : caller.tenant->credentials)
    if (of_provider == provider) return {credential.name, credential.key.reveal()};
  return {};
}

Failure shutting_down() {
  Failure failure{FailureKind::overloaded, Source::gateway, "the gateway is shutting down; send the request again"};
  failure.retry_after = seconds(1);
  return failure;
}

}  // namespace tollgate::pipeline
