#include "tollgate/io/upstream.hpp"

#include "provider.hpp"

#include <algorithm>

namespace tollgate::io {

namespace {

/// Everything that a pooled connection or the ready-made head depends on. Timeouts are read from the snapshot by
/// whoever waits.
bool same_upstream(const config::Provider& a, const config::Provider& b) {
  return a.name == b.name && a.protocol == b.protocol && a.version == b.version && a.tls == b.tls && a.host == b.host &&
         a.port == b.port && a.base_path == b.base_path && a.credentials == b.credentials && a.pool == b.pool &&
         a.upstream_tls == b.upstream_tls && a.headers == b.headers && a.forward_trace == b.forward_trace;
}

}  // namespace

Result<std::vector<SslContext>> make_client_contexts(const config::Snapshot& snapshot) {
  std::vector<SslContext> contexts;
  for (const config::Provider& provider : snapshot.providers) {
    if (!provider.tls) {
      contexts.emplace_back();
      continue;
    }
    auto context = make_client_context(provider.upstream_tls);
    if (!context) {
      Failure failure = context.error();
      failure.message = "provider '" + provider.name + "': " + failure.message;
      return failure;
    }
    contexts.push_back(std::move(*context));
  }
  return contexts;
}

Upstreams::Upstreams(Loop& loop, Resolver& resolver, WorkerMetrics& metrics, std::size_t shares)
    : loop_(loop), resolver_(resolver), metrics_(metrics), shares_(shares) {}

Upstreams::~Upstreams() = default;

std::vector<std::shared_ptr<pipeline::UpstreamProvider>> Upstreams::adopt(const config::Snapshot& snapshot,
                                                                          const std::vector<SslContext>& contexts) {
  std::vector<std::shared_ptr<Provider>> adopted;
  for (std::size_t i = 0; i < snapshot.providers.size(); ++i) {
    const config::Provider& wanted = snapshot.providers[i];
    const auto same = std::find_if(known_.begin(), known_.end(),
                                   [&](const auto& known) { return same_upstream(known->settings(), wanted); });
    if (same != known_.end()) {
      adopted.push_back(*same);
      continue;
    }
    const std::size_t share = std::max<std::size_t>(1, wanted.pool.max_connections / shares_);
    adopted.push_back(
        std::make_shared<Provider>(loop_, resolver_, metrics_, Provider::Settings{wanted, share}, contexts[i]));
  }
  known_ = adopted;
  return {adopted.begin(), adopted.end()};
}

void Upstreams::sweep(SteadyTime now) {
  for (const auto& provider : known_) provider->sweep(now);
}

}  // namespace tollgate::io
