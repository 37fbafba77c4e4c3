#pragma once
#include "tollgate/config/snapshot.hpp"
#include "tollgate/io/tls_context.hpp"
#include "tollgate/pipeline/ports.hpp"

#include <memory>
#include <vector>

namespace tollgate::io {

class Loop;
class Resolver;
class WorkerMetrics;
class Provider;

/// One TLS context per provider of a snapshot, in its order; null where a provider speaks plain HTTP. Reads files: not
/// for a loop's thread. Fails where a trust file cannot be used, naming the provider.
Result<std::vector<SslContext>> make_client_contexts(const config::Snapshot& snapshot);

/// The providers of one worker. Belongs to that worker's loop, construction and destruction apart.
class Upstreams {
 public:
  /// `shares` workers divide a provider's max_connections among them; each may open one at least. The references
  /// outlive it.
  Upstreams(Loop& loop, Resolver& resolver, WorkerMetrics& metrics, std::size_t shares);
  ~Upstreams();

  /// The providers of a snapshot, in its order. One whose settings did not change since the last call is the same
  /// object, with its pool; one that is gone dies with the last request that uses it.
  std::vector<std::shared_ptr<pipeline::UpstreamProvider>> adopt(const config::Snapshot& snapshot,
                                                                 const std::vector<SslContext>& contexts);

  /// Closes idle connections that are over their age. Call about once a second.
  void sweep(SteadyTime now);

 private:
  Loop& loop_;
  Resolver& resolver_;
  WorkerMetrics& metrics_;
  std::size_t shares_;
  std::vector<std::shared_ptr<Provider>> known_;
};

}  // namespace tollgate::io
