#include "health_log.hpp"

namespace tollgate::app {

void tell_health(pipeline::HealthBook& book, io::Diagnostics& log) {
  for (const auto& change : book.take_changes()) {
    const auto& [from, to, reason, at] = change.transition;
    log.warning("circuit_" + std::string(policy::name_of(to)), {{"target", change.target},
                                                                {"credential", change.credential},
                                                                {"from", std::string(policy::name_of(from))},
                                                                {"reason", std::string(reason)}});
  }
  for (const auto& [provider, credential, news] : book.take_credential_changes()) {
    if (news.set_aside)
      log.warning("credential_set_aside", {{"provider", provider},
                                           {"credential", credential},
                                           {"status", std::to_string(news.why.status)},
                                           {"code", news.why.code}});
    else
      log.warning("credential_accepted", {{"provider", provider}, {"credential", credential}});
  }
}

}  // namespace tollgate::app
