// The tables of the top level, of the listeners and of the log: every key, its bounds and its meaning. A new key is a
// line here; reader, schema and effective configuration follow by themselves.
#include "config/addresses.hpp"
#include "config/bounds.hpp"
#include "config/document.hpp"

#include <algorithm>

namespace tollgate::config {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;
constexpr std::size_t shortest_token = 32;

Scalar listen_address(ListenAddress& address) {
  return {{{"type", "string"}},
          [&address](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto parsed = parse_listen(text);
            if (!parsed) return parsed.error();
            address = *parsed;
            return std::nullopt;
          },
          [&address] { return Json(address.text); }};
}

Scalar threads(std::size_t& value) {
  Scalar scalar = count(value, {1, 256});
  scalar.schema = {{"anyOf", {scalar.schema, {{"const", "auto"}}}}};
  scalar.read = [&value, as_number = scalar.read](const std::string& text,
                                                  const Place& place) -> std::optional<Problem> {
    if (text != "auto")
      return as_number(text, place) ? std::optional(Problem{"expected auto, or a number from 1 to 256"}) : std::nullopt;
    value = 0;
    return std::nullopt;
  };
  scalar.show = [&value] { return value == 0 ? Json("auto") : Json(value); };
  return scalar;
}

Scalar auth_of(Auth& auth) {
  Scalar scalar = choice(
      {"keys", "open"}, [&auth](std::size_t index) { auth = index == 0 ? Auth::keys : Auth::open; },
      [] { return std::size_t{0}; });
  scalar.show = [&auth] { return auth == Auth::unsaid ? Json() : Json(auth == Auth::keys ? "keys" : "open"); };
  return scalar;
}

Scalar role(AdminRole& value) {
  return choice(
      {"read", "operate", "own"}, [&value](std::size_t index) { value = static_cast<AdminRole>(index); },
      [&value] { return static_cast<std::size_t>(value); });
}

Scalar budget_status(std::uint16_t& status) {
  return choice(
      {"429", "402"}, [&status](std::size_t index) { status = index == 0 ? 429 : 402; },
      [&status] { return status == 429 ? std::size_t{0} : 1; });
}

std::optional<Problem> check_tag_key(std::string_view key) { return check_name(key, Star::refused); }

std::optional<Problem> check_token_name(std::string_view name) { return check_name(name, Star::refused); }

struct SqliteTable {
  StorageEntry& storage;
};
void describe(Keys& keys, const SqliteTable& table) {
  StorageEntry& storage = table.storage;
  keys.key("kind", "what keeps keys, audit and idempotent answers",
           choice(
               {"sqlite"}, [](std::size_t) {}, [] { return std::size_t{0}; }));
  keys.key("path", "of the database's file; made where it is not there",
           Scalar{{{"type", "string"}},
                  [&storage](const std::string& text, const Place& place) -> std::optional<Problem> {
                    if (text.empty() || text.ends_with('/')) return Problem{"expected the path of a file"};
                    storage.path = resolved_path(text, place.folder);
                    return std::nullopt;
                  },
                  [&storage] { return storage.path.empty() ? Json() : Json(storage.path); }});
  keys.key("retention", "how long the ledger's months are kept after their end",
           duration(storage.retention, {std::chrono::hours(24), std::chrono::hours(24 * 36'500)}));
}

Scalar response_headers(bool& full) {
  return choice(
      {"full", "minimal"}, [&full](std::size_t index) { full = index == 0; }, [&full] { return full ? 0 : 1; });
}

/// stdout, stderr, off, or a path. A path holds a slash, so that a slip in a word is not taken for a file.
Scalar log_target(std::string& target) {
  return {{{"type", "string"}},
          [&target](const std::string& text, const Place& place) -> std::optional<Problem> {
            const bool is_path = text.find('/') != text.npos;
            if (!is_path && text != "stdout" && text != "stderr" && text != "off")
              return Problem{"expected stdout, stderr, off or the path of a file",
                             "write a file of this folder like ./access.log"};
            target = is_path ? resolved_path(text, place.folder) : text;
            return std::nullopt;
          },
          [&target] { return Json(target); }};
}

Scalar log_level(std::string& level) {
  static const std::vector<std::string> levels{"debug", "info", "warning", "error"};
  return choice(
      levels, [&level](std::size_t index) { level = levels[index]; },
      [&level] { return static_cast<std::size_t>(std::find(levels.begin(), levels.end(), level) - levels.begin()); });
}

/// Keys that two servers would fight over. Port 0 and different sockets never clash.
bool clash(const ListenAddress& left, const ListenAddress& right) {
  if (!left.unix_path.empty() || !right.unix_path.empty()) return left.unix_path == right.unix_path;
  const bool same_host = left.host == right.host || left.host.empty() || right.host.empty();
  return left.port != 0 && left.port == right.port && same_host;
}

void check_clashes(Keys& keys, const Document& document) {
  const ListenAddress &admin = document.admin.listen, &metrics = document.metrics.listen;
  const Problem taken{"this address is already taken by server.listen"};
  for (const ListenAddress& data : document.server.listen) {
    if (clash(data, admin)) keys.fault("admin", taken);
    if (clash(data, metrics)) keys.fault("metrics", taken);
  }
  if (clash(admin, metrics)) keys.fault("metrics", {"this address is already taken by admin.listen"});
}

Scalar include_pattern(Name& pattern) {
  return {{{"type", "string"}},
          [&pattern](const std::string& text, const Place& place) -> std::optional<Problem> {
            if (text.empty()) return Problem{"expected the path of a file, or a pattern such as conf.d/*.yaml"};
            pattern = {text, place.spot, place.unset};
            return std::nullopt;
          },
          [&pattern] { return Json(pattern.text); }};
}

Scalar version_one(std::size_t& version) {
  Scalar scalar = count(version, {1, 1});
  scalar.schema = {{"const", 1}};
  scalar.read = [](const std::string& text, const Place&) {
    return text == "1" ? std::nullopt : std::optional(Problem{"the only version is 1"});
  };
  return scalar;
}

struct Cors {
  std::vector<std::string>& origins;
};
void describe(Keys& keys, const Cors& cors) {
  keys.key("origins", "web origins that may call the gateway, or \"*\"",
           list_of(cors.origins, [](std::string& origin) { return text(origin, check_origin); }));
}

struct Defaults {
  EffortEntry& effort;
};
void describe(Keys& keys, const Defaults& defaults) {
  describe(keys, defaults.effort);
  refuse_later_route_keys(keys);
}

void describe_entries(Keys& keys, Document& document) {
  keys.key("providers", "where answers come from, by name", providers_of(document));
  keys.key("models", "what clients may call, by name; a \"*\" at the end stands for any rest", models_of(document));
  keys.key("routes", "names that clients send as the model, with the model that answers", routes_of(document));
  keys.key("groups", "tenants that share limits, by name", groups_of(document));
  keys.key("alerts", "where alerts are sent, by name", alerts_of(document));
  keys.key("tenants", "who may call, by name; none: open, on loopback only", tenants_of(document));
  keys.refuse({"keys"}, "keys belong to a tenant: tenants.NAME.keys");
  keys.refuse({"cache", "compression"}, not_supported_yet);
  keys.ignore("x-");
}

void describe_prices(Keys& keys, Document& document) {
  OnUnpriced& policy = document.on_unpriced;
  keys.key("prices", "the file of prices: docs/prices.md", readable_file(document.price_file));
  keys.key(
      "on_unpriced", "a call without a price under a budget: refused, at fallback_price, or let through and counted",
      choice(
          {"reject", "fallback", "flag"}, [&policy](std::size_t index) { policy = static_cast<OnUnpriced>(index); },
          [&policy] { return static_cast<std::size_t>(policy); }));
  keys.key("fallback_price", "what such a call is taken to cost", block_of(document.fallback_price));
  if (policy == OnUnpriced::fallback && !document.fallback_price)
    keys.fault("on_unpriced", {"fallback needs a fallback_price"});
}

}  // namespace

// Not in the unnamed namespace: block_of() finds them by their arguments.
static void describe(Keys& keys, ServerSettings::Drain& drain) {
  keys.key("delay", "time between not ready and the end of accepting", duration(drain.delay, no_or_some_time));
  keys.key("limit", "time the requests in flight have to finish", duration(drain.limit, no_or_some_time));
}

static void describe(Keys& keys, ServerSettings::Stream& stream) {
  keys.key("heartbeat", "silence on an answered stream after which a comment is sent",
           duration(stream.heartbeat, some_time));
  keys.key("commit_after", "time to wait for the first content before a stream is answered with status 200",
           duration(stream.commit_after, no_or_some_time));
}

static void describe(Keys& keys, ServerTls& tls) {
  keys.key("certificate", "PEM file of the certificate and its chain", readable_file(tls.certificate), Need::required);
  keys.key("private_key", "PEM file of the private key", readable_file(tls.private_key), Need::required);
}

Document::Document() {
  server.listen = {*parse_listen("127.0.0.1:8080")};
  admin.listen = *parse_listen("127.0.0.1:9901");
  metrics.listen = *parse_listen("127.0.0.1:9464");
}

void describe(Keys& keys, Document& document) {
  keys.key("version", "version of this file's format", version_one(document.version), Need::required);
  keys.key("include", "more files: paths or patterns, against the folder of this file",
           list_of(document.include, include_pattern));
  keys.key("server", "the listeners for clients, and their limits", Block{[&document](Keys& inside) {
             describe(inside, document.server);
             document.listen_spot = inside.where("listen");
             document.auth_spot = inside.where("auth");
           }});
  keys.key("admin", "the listener for operators", block_of(document.admin));
  keys.key("metrics", "the listener for Prometheus", block_of(document.metrics));
  keys.key("log", "where the log goes", block_of(document.log));
  keys.key("defaults", "settings of every route that does not have its own",
           Block{[&document](Keys& inside) { describe(inside, Defaults{document.defaults}); }});
  keys.key("errors", "how some errors look", Block{[&document](Keys& inside) {
             inside.key("budget_status", "the status of a request that a spent budget refuses",
                        budget_status(document.budget_status));
           }});
  keys.key("request_tags", "keys that clients may use in x-tollgate-tags",
           list_of(document.request_tags, [](std::string& key) { return text(key, check_tag_key); }));
  keys.key("storage", "where keys, audit and idempotent answers are kept",
           Block{[&document](Keys& inside) {
                   document.storage.given = true;
                   describe(inside, SqliteTable{document.storage});
                 },
                 [&document] { return !document.storage.path.empty(); }});
  describe_prices(keys, document);
  keys.key("ledger", "how the book of what requests cost is kept safe", block_of(document.ledger));
  describe_entries(keys, document);
  check_clashes(keys, document);
}

void describe(Keys& keys, LedgerSettings& ledger) {
  keys.key("journal", "folder of the files that the ledger is written to first",
           Scalar{{{"type", "string"}},
                  [&ledger](const std::string& text, const Place& place) -> std::optional<Problem> {
                    if (text.empty()) return Problem{"expected the path of a folder"};
                    ledger.journal = resolved_path(text, place.folder);
                    return std::nullopt;
                  },
                  [&ledger] { return ledger.journal.empty() ? Json() : Json(ledger.journal); }});
  keys.key("sync", "what a record has survived when a request goes on: the process' end, or a power cut",
           choice(
               {"process", "disk"}, [&ledger](std::size_t index) { ledger.sync = static_cast<LedgerSync>(index); },
               [&ledger] { return static_cast<std::size_t>(ledger.sync); }));
  // Requests would have to wait for it, and none does.
  if (ledger.sync == LedgerSync::disk) keys.fault("sync", {"disk is " + std::string(not_supported_yet), "use process"});
  keys.key("max_size", "bytes of all files of the journal", size(ledger.max_size, {4 * MiB, 1024 * GiB}));
  keys.key("on_unwritable", "what becomes of requests without a budget while the journal cannot be written",
           choice(
               {"allow", "reject"},
               [&ledger](std::size_t index) { ledger.on_unwritable = static_cast<OnUnwritable>(index); },
               [&ledger] { return static_cast<std::size_t>(ledger.on_unwritable); }));
}

void describe(Keys& keys, Included& included) {
  describe_entries(keys, included.document);
  keys.refuse({"version", "include", "server", "admin", "metrics", "log", "defaults", "storage", "ledger", "prices",
               "on_unpriced", "fallback_price", "request_tags", "errors"},
              "only the root file may hold this key");
}

void describe(Keys& keys, ServerSettings& server) {
  keys.key("listen", "addresses for clients: IP:PORT, [IPv6]:PORT, :PORT or unix:/PATH",
           list_of(
               server.listen, [](ListenAddress& address) { return listen_address(address); }, 1));
  keys.key("threads", "event loops, one thread each; auto is one per usable core", threads(server.threads));
  keys.key("spin", "time to look for work again and again before sleeping: saves a wake-up, costs processor time",
           short_duration(server.spin, {Micros(0), Micros(1000)}));
  keys.key("max_header", "bytes of a request's head (431)", size(server.max_header, {KiB, MiB}));
  keys.key("max_fields", "header fields of a request (431)", count(server.max_fields, {10, 10'000}));
  keys.key("max_target", "bytes of a request's target (414)", size(server.max_target, {64, MiB}));
  keys.key("max_body", "bytes of one request's body (413)", size(server.max_body, {KiB, GiB}));
  keys.key("max_bodies", "bytes of all bodies in flight together (503)", size(server.max_bodies, {KiB, 1024 * GiB}));
  keys.key("max_connections", "connections of clients at one time", count(server.max_connections, {1, 1'000'000}));
  keys.key("header_timeout", "first to last byte of a head (408)", duration(server.header_timeout, some_time));
  keys.key("body_timeout", "time before a body must flow at min_body_rate", duration(server.body_timeout, some_time));
  keys.key("min_body_rate", "bytes per second a body must flow at after that (408)",
           size(server.min_body_rate, {0, GiB}));
  keys.key("keep_alive", "idle time before a client's connection is closed", duration(server.keep_alive, some_time));
  keys.key("write_timeout", "time a client may take no byte before it is cut",
           duration(server.write_timeout, some_time));
  keys.key("tls_handshake_timeout", "time for a TLS handshake", duration(server.tls_handshake_timeout, some_time));
  keys.key("drain", "how the gateway goes down", block_of(server.drain));
  keys.key("stream", "how streams are kept alive", block_of(server.stream));
  keys.key("auth", "keys: callers need a tenant's key; open: whoever reaches a listener may call",
           auth_of(server.auth));
  keys.key("trusted_proxies", "IPs and networks whose X-Forwarded-For is believed",
           list_of(server.trusted_proxies, [](std::string& network) { return text(network, check_network); }));
  keys.key("cors", "web pages that may call the gateway",
           Block{[&server](Keys& inside) { describe(inside, Cors{server.cors_origins}); }});
  keys.key("response_headers", "how much x-tollgate-* an answer carries",
           response_headers(server.full_response_headers));
  keys.key("tls", "makes every TCP listener for clients speak TLS", block_of(server.tls));
  if (server.max_target > server.max_header) keys.fault("max_target", {"must not be larger than max_header"});
  if (server.max_body > server.max_bodies) keys.fault("max_bodies", {"must not be smaller than max_body"});
  for (std::size_t i = 1; i < server.listen.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (clash(server.listen[i], server.listen[j])) keys.fault("listen", {"two addresses clash"});
    }
  }
}

static void describe(Keys& keys, AdminToken& token) {
  keys.key("name", "who the audit says it was", text(token.name, check_token_name, name_pattern(Star::refused)),
           Need::required);
  keys.key("role", "read: look; operate: also reload and revoke keys; own: also create keys", role(token.role));
  keys.key("token", "the bearer token, best by reference", secret(token.token, false), Need::required);
  if (!token.token.empty() && token.token.reveal().size() < shortest_token)
    keys.fault("token", {"an admin token has at least 32 bytes", "make one with: openssl rand -hex 32"});
}

void describe(Keys& keys, AdminSettings& admin) {
  keys.key("listen", "address for operators", listen_address(admin.listen));
  keys.key("token", "the owner's bearer token; needed beyond loopback", secret(admin.token, true));
  keys.key("tokens", "further tokens, each with a role of its own",
           list_of(admin.tokens, [](AdminToken& token) { return block_of(token); }));
  const std::string what = "an admin address beyond loopback needs a token of at least 32 bytes";
  const bool too_short = !admin.token.empty() && admin.token.reveal().size() < shortest_token;
  if (!admin.listen.loopback && (!admin.needs_token() || too_short))
    keys.fault(admin.token.empty() ? "listen" : "token",
               {what, "set admin.token to a reference such as \"${TOLLGATE_ADMIN_TOKEN}\""});
}

void describe(Keys& keys, MetricsSettings& metrics) {
  keys.key("listen", "address for Prometheus", listen_address(metrics.listen));
  keys.key("token", "what Prometheus must send as bearer token", secret(metrics.token, true));
}

void describe(Keys& keys, LogSettings& log) {
  keys.key("access", "access log, a JSON line per request: stdout, stderr, off or a path", log_target(log.access));
  keys.key("level", "least level of the diagnostic log on stderr", log_level(log.level));
}

}  // namespace tollgate::config
