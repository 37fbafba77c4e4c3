#pragma once
// TLS 1.2 and 1.3 with authenticated encryption only, for clients that come to us and for upstreams we go to. An
// upstream's chain and name are always verified; there is no switch.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/config/snapshot.hpp"

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>

namespace tollgate::io {

/// Copies share one context; a connection that was begun keeps its context alive by itself. Not changed once made.
using SslContext = std::shared_ptr<SSL_CTX>;

/// For a listener. Chooses http/1.1 where a client offers protocols, and refuses one that offers others only. Keeps no
/// sessions in memory: they resume by tickets. A failure names the file and says why; the key must belong to the
/// certificate.
Result<SslContext> make_server_context(const config::ServerTls& settings);

/// When a server's context is of no more use: the end of its certificate, or of one of the chain that it sends along
/// where that comes earlier. Nothing where there is none that can be read.
std::optional<SystemTime> end_of(const SslContext& context);

/// For upstreams. Trusts `ca_file` instead of the system's store where it is set. Holds no sessions: whoever wants to
/// resume keeps the SSL_SESSION per provider and name.
Result<SslContext> make_client_context(const config::UpstreamTls& settings);

/// Must be called on every client SSL before its handshake: sends the name (not for an IP literal) and has the
/// certificate's alternative names verified against it. `server_name` replaces `host` unless it is empty.
Result<void> prepare_client(SSL* ssl, const std::string& host, const std::string& server_name);

}  // namespace tollgate::io
