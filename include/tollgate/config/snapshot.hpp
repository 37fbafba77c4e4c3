#pragma once
// The whole configuration as typed, immutable values. The loader builds one, the store publishes it, a request pins the
// one it began with. Every key of routes.yaml that can be set today stands here once, with its default.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/digest.hpp"
#include "tollgate/policy/budget_settings.hpp"
#include "tollgate/policy/circuit.hpp"
#include "tollgate/policy/classifier.hpp"
#include "tollgate/policy/key.hpp"
#include "tollgate/policy/network.hpp"
#include "tollgate/policy/price_book.hpp"
#include "tollgate/protocol/anthropic/to_messages.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::config {

/// A value that must never be printed: no stream operator, no format, no conversion. `reveal` is the only way out.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

/// One address of `listen`: "127.0.0.1:8080", "[::1]:8080", ":8080" (every address, IPv4 and IPv6), "unix:/run/x.sock".
struct ListenAddress {
  std::string text;        ///< as written
  std::string host;        ///< IP literal; empty for every address and for a Unix socket
  std::uint16_t port = 0;  ///< 0: the system chooses (tests)
  std::string unix_path;   ///< set for a Unix socket
  bool loopback = false;   ///< loopback IP or Unix socket
  bool operator==(const ListenAddress&) const = default;
};

/// Certificate and key of a listener, PEM files. The files are read again on every reload.
struct ServerTls {
  std::string certificate;
  std::string private_key;
  bool operator==(const ServerTls&) const = default;
};

/// Who may call: holders of keys, or whoever reaches a listener. Where nothing is said, keys if there are tenants, and
/// else whoever reaches it on loopback.
enum class Auth : std::uint8_t { unsaid, keys, open };

struct ServerSettings {
  std::vector<ListenAddress> listen;           ///< default 127.0.0.1:8080
  std::size_t threads = 0;                     ///< 0 is `auto`
  Micros spin{0};                              ///< polling before sleep
  std::size_t max_header = 32 * 1024;          ///< bytes of a request head: 431
  std::size_t max_fields = 100;                ///< header fields: 431
  std::size_t max_target = 8 * 1024;           ///< bytes of the request target: 414
  std::size_t max_body = 32 * 1024 * 1024;     ///< bytes of one request body: 413
  std::size_t max_bodies = 512 * 1024 * 1024;  ///< bytes of all request bodies in flight: 503
  std::size_t max_connections = 10'000;
  Millis header_timeout = std::chrono::seconds(10);  ///< first to last byte of a head
  Millis body_timeout = std::chrono::seconds(30);    ///< grace before a body must flow at min_body_rate
  std::size_t min_body_rate = 1024;                  ///< bytes per second after that grace: 408
  Millis keep_alive = std::chrono::seconds(620);
  Millis write_timeout = std::chrono::seconds(60);  ///< a client that takes no byte for so long is cut
  Millis tls_handshake_timeout = std::chrono::seconds(10);
  struct Drain {
    Millis delay{0};
    Millis limit = std::chrono::minutes(5);
    bool operator==(const Drain&) const = default;
  } drain;
  struct Stream {
    Millis heartbeat = std::chrono::seconds(15);
    Millis commit_after = std::chrono::seconds(30);
    bool operator==(const Stream&) const = default;
  } stream;
  Auth auth = Auth::unsaid;
  std::vector<std::string> trusted_proxies;       ///< CIDR or IP, as written
  std::vector<policy::Network> trusted_networks;  ///< the same, ready for use
  std::vector<std::string> cors_origins;          ///< exact origins, or "*"
  bool full_response_headers = true;              ///< response_headers: full | minimal
  std::optional<ServerTls> tls;
};

/// What the holder of an admin token may do: each role may do what the ones before it may.
enum class AdminRole : std::uint8_t {
  read,     ///< look at everything
  operate,  ///< reload, revoke keys, hold circuits
  own       ///< create keys
};
std::string_view name_of(AdminRole role);

struct AdminToken {
  std::string name;  ///< who did it, in the audit
  AdminRole role = AdminRole::read;
  Secret token;
  bool operator==(const AdminToken&) const = default;
};

struct AdminSettings {
  ListenAddress listen;            ///< default 127.0.0.1:9901
  Secret token;                    ///< of the owner
  std::vector<AdminToken> tokens;  ///< further ones
  /// Without a token whoever reaches the listener, which must be on loopback then, is the owner.
  bool needs_token() const { return !token.empty() || !tokens.empty(); }
};

enum class AlertFormat : std::uint8_t { json, slack };

/// A name that alerts are sent to.
struct AlertChannel {
  std::string name;
  Secret webhook;  ///< an http or https URL, checked; empty: alerts go to the log only
  AlertFormat format = AlertFormat::json;
  Secret secret;  ///< signs what is sent; empty: nothing is signed
  bool operator==(const AlertChannel&) const = default;
};

struct StorageSettings {
  std::string path;                                 ///< of the SQLite file, absolute; empty: nothing is stored
  Millis retention = std::chrono::hours(24 * 400);  ///< a month of the ledger that ended longer ago is deleted
  bool operator==(const StorageSettings&) const = default;
};

/// What a record of the ledger's journal has survived when a request goes on: the end of the process, or a power cut
/// too.
enum class LedgerSync : std::uint8_t { process, disk };

/// While the ledger cannot be written: what becomes of requests that no budget applies to. Others are always refused.
enum class OnUnwritable : std::uint8_t { allow, reject };

struct LedgerSettings {
  std::string journal;  ///< its folder, absolute; empty: there is none
  LedgerSync sync = LedgerSync::process;
  std::size_t max_size = std::size_t{1} << 30;  ///< bytes of all files of the journal
  OnUnwritable on_unwritable = OnUnwritable::allow;
  bool operator==(const LedgerSettings&) const = default;
};

struct MetricsSettings {
  ListenAddress listen;  ///< default 127.0.0.1:9464
  Secret token;          ///< empty: none
};

struct LogSettings {
  std::string access = "stdout";  ///< stdout | stderr | off | a file's path
  std::string level = "info";     ///< of the diagnostic log on stderr: debug|info|warning|error
};

/// A failure rate that changes evenly between the ends of a phase.
struct SimulatorRamp {
  double from = 0, to = 1;
  bool operator==(const SimulatorRamp&) const = default;
};

/// A stretch of the simulator's day. What it does not say stays as it is outside of it; where phases overlap, the later
/// one in the list goes over the earlier.
struct SimulatorPhase {
  Millis from{0};               ///< since the simulator's first request
  std::optional<Millis> to;     ///< excluded; nothing: for good
  std::optional<Millis> every;  ///< with `lasts`: on for `lasts` at the start of every such period
  std::optional<Millis> lasts;  ///< `for` in the file
  std::optional<double> failure_rate;
  std::optional<SimulatorRamp> ramp;     ///< instead of failure_rate
  std::map<std::string, double> faults;  ///< none: as outside
  std::optional<double> slow;
  bool operator==(const SimulatorPhase&) const = default;
};

/// What each credential may use of the simulator before it answers 429. What is not set is not limited.
struct SimulatorLimits {
  std::optional<std::uint64_t> requests_per_minute, tokens_per_minute;
  bool any() const { return requests_per_minute || tokens_per_minute; }
  bool operator==(const SimulatorLimits&) const = default;
};

/// The provider simulator behind a `simulator:` block; its own documentation is docs/simulator.md.
struct SimulatorSettings {
  Millis first_token{200};
  double tokens_per_second = 80;
  double jitter = 0;               ///< share of each wait that is random, 0..1
  double slow = 1;                 ///< factor on the wait for the first token and on that for every other
  std::size_t answer_tokens = 64;  ///< mean length of an answer
  double failure_rate = 0;         ///< share of requests that fail, 0..1
  /// Which faults the failing share is drawn from, with weights; empty is the simulator's own mix. Names as in
  /// docs/simulator.md.
  std::map<std::string, double> faults;
  std::vector<SimulatorPhase> schedule;
  SimulatorLimits limits;
  std::vector<Secret> accepts;  ///< API keys; none: Authorization is not looked at
  std::uint64_t seed = 1;
  bool operator==(const SimulatorSettings&) const = default;
};

struct Credential {
  std::string name;
  Secret key;
  double weight = 1;  ///< share of the requests among a provider's credentials
  bool operator==(const Credential&) const = default;
};

struct Timeouts {
  Millis connect = std::chrono::seconds(5);       ///< DNS, TCP and TLS together
  Millis first_token = std::chrono::seconds(60);  ///< streams only: request sent to first content
  Millis idle = std::chrono::seconds(120);        ///< between two bytes of a response
  Millis attempt = std::chrono::minutes(10);      ///< one attempt, whole
  bool operator==(const Timeouts&) const = default;
};

/// How an upstream's certificate is judged. Verification of chain and name cannot be switched off.
struct UpstreamTls {
  std::string ca_file;      ///< PEM file to trust instead of the system's store
  std::string server_name;  ///< name to send (SNI) and to verify instead of the host
  bool operator==(const UpstreamTls&) const = default;
};

struct PoolSettings {
  std::size_t max_connections = 256;  ///< per provider, over all workers
  Millis idle = std::chrono::seconds(10);
  bool operator==(const PoolSettings&) const = default;
};

enum class Protocol : std::uint8_t { openai, anthropic };

/// How much each target of a provider is given at a time, and how many requests may wait for a place there.
struct PlaceSettings {
  std::optional<std::uint64_t> limit;  ///< requests in flight; not set: as many as come, and nobody waits
  bool adaptive = false;               ///< the limit finds its own value, from there down
  std::size_t queue = 64;              ///< requests that may wait
  Millis max_wait{1000};
  bool operator==(const PlaceSettings&) const = default;
};

struct Provider {
  std::string name;
  Protocol protocol = Protocol::openai;
  /// With Protocol::anthropic, for requests that bring none of their own; not set: the older.
  std::optional<protocol::anthropic::Version> version;
  // base_url, taken apart. A provider with a simulator has none: its port is known once the simulator listens.
  bool tls = false;
  std::string host;  ///< name or IP literal, without brackets
  std::uint16_t port = 80;
  std::string base_path;                ///< "/v1", without a trailing slash; may be empty, and is with Anthropic
  std::vector<Credential> credentials;  ///< may be empty: no Authorization is sent
  Timeouts timeouts;
  PoolSettings pool;
  policy::CircuitSettings circuit;
  PlaceSettings places;  ///< `concurrency:`
  UpstreamTls upstream_tls;
  std::vector<std::pair<std::string, Secret>> headers;  ///< extra fields on every request to this provider
  bool inject_stream_usage = true;                      ///< stream_usage: inject | off
  bool forward_trace = false;                           ///< requests carry traceparent and tracestate
  std::optional<SimulatorSettings> simulator;
  std::string prices;  ///< whose prices are its own; empty: those under its own name
};

/// One way to call a model: a provider and the name it knows the model by.
struct Target {
  std::size_t provider = 0;    ///< index into Snapshot::providers
  std::string upstream_model;  ///< "*" under a wildcard model: what the * matched
  std::string label;           ///< "provider/name", the metric label
  double weight = 1;
  /// Of Snapshot::prices. Null: unpriced, or known only with the name that a wildcard's "*" stands for:
  /// Snapshot::price_of.
  const policy::Price* price = nullptr;

  bool is_wildcard() const { return std::string_view(upstream_model) == "*"; }
};

/// What a model can do that not all can.
struct Features {
  bool tools = true, vision = true, json_schema = true;
  bool all() const { return tools && vision && json_schema; }
  bool operator==(const Features&) const = default;
};

struct Model {
  std::string name;  ///< as configured; may hold one trailing "*"
  bool wildcard = false;
  std::vector<Target> targets;                                ///< at least one
  std::optional<Millis> first_token, idle, attempt, connect;  ///< timeouts that replace the provider's
  policy::Limits limits;                                      ///< over all callers
  std::vector<policy::BudgetSettings> budgets;                ///< over all callers
  std::optional<std::uint64_t> context;                       ///< tokens of input and output together, where known
  Features features;
  std::size_t default_max_output = 4096;  ///< tokens to expect where a request sets no limit
  /// A wildcard model that was given no `name`: its "*" stands for the requested name as a whole.
  bool whole_name = false;
  bool free = false;                      ///< costs nothing, and that is known
  std::optional<policy::PriceRow> price;  ///< instead of what the file of prices says
};

/// Whether an attempt that ran out of time may be followed by another one: the provider may bill both.
enum class OnTimeout : std::uint8_t { never, once, always };

struct RetrySettings {
  std::size_t attempts = 3;  ///< over all targets of a request, the first one counted
  Millis base{250};          ///< backoff before a target is asked again, doubled each time
  Millis max{8000};
  OnTimeout on_timeout = OnTimeout::once;
  bool operator==(const RetrySettings&) const = default;
};

/// A second attempt beside a first one that takes long.
struct HedgeSettings {
  double share = 0;             ///< of the requests, at most; 0: none
  std::optional<Millis> after;  ///< not set: the target's 95th percentile of the time to first token
  bool operator==(const HedgeSettings&) const = default;
};

/// What a request may take, over all its attempts.
struct Effort {
  Millis deadline = std::chrono::minutes(15);
  RetrySettings retry;
  HedgeSettings hedge;
  bool affinity = true;                         ///< a conversation stays where its prompt is cached
  bool asks_others_of_refused_content = false;  ///< on_content_policy: fallback
  bool ends_overrun = false;                    ///< on_overrun: end
  bool refuses_untranslated = false;            ///< on_untranslated: refuse
  bool repairs_output = false;                  ///< on_invalid_output: repair
  bool operator==(const Effort&) const = default;
};

/// A model as a route names it.
struct ModelName {
  std::size_t model = 0;  ///< index into Snapshot::models
  std::string text;       ///< as written; differs from the model's name where a wildcard covers it
  std::string part;       ///< what that wildcard's "*" stands for
};

/// Who answers, and how hard is tried.
struct Dispatch {
  ModelName primary;
  std::vector<ModelName> fallbacks;  ///< in the order in which they are asked
  Effort effort;
};

/// What a route does for one kind of task. Whole: what the file leaves out is the route's.
struct Task {
  std::string name;
  Dispatch dispatch;
};

struct Route {
  std::string name;
  std::vector<std::string> match;  ///< other names, exact or with one trailing "*"
  Dispatch dispatch;
  std::vector<Task> tasks;
  bool refuses_unknown_tasks = false;  ///< unknown_task: reject
  bool classifies = false;             ///< where a request names no task its text is looked at
  policy::Limits limits;               ///< over all callers
  std::vector<policy::BudgetSettings> budgets;
  const Task* task(std::string_view name) const;
};

/// Tenants that share limits and budgets.
struct Group {
  std::string name;
  policy::Limits limits;
  std::vector<policy::BudgetSettings> budgets;
};

/// Whoever calls: an application, a team, a customer.
struct Tenant {
  std::string name;
  std::optional<std::size_t> group;  ///< index into Snapshot::groups
  std::vector<std::pair<std::string, std::string>> tags;
  std::string tag_text;           ///< the same as one text, for the ledger
  std::vector<policy::Key> keys;  ///< those of the file; others are in the store
  policy::Rights rights;          ///< a key may narrow them, never widen them
  policy::Limits limits;
  policy::Limits end_user_limits;  ///< of each end user that a key with may_delegate names
  std::vector<policy::BudgetSettings> budgets;
  std::vector<policy::BudgetSettings> end_user_budgets;  ///< of each end user that a key with may_delegate names
  /// credentials: client. The caller's own provider credential is passed on, and the gateway's key stands in
  /// x-tollgate-key.
  bool passes_credentials = false;
  std::vector<std::pair<std::size_t, Credential>> credentials;  ///< its own, by index into Snapshot::providers
};

/// What a requested model name means. `route` is null where a model was named directly.
struct Resolution {
  const Route* route = nullptr;
  const Model* model = nullptr;
  std::string wildcard_part;   ///< what the model's "*" stands for in this request
  const Task* task = nullptr;  ///< that the name's suffix asked for: "auto:coding"
};

/// A name that ends in "*", of a model or of a route's match.
struct Wildcard {
  std::string prefix;  ///< without the "*"
  bool is_route = false;
  std::size_t index = 0;  ///< into Snapshot::routes or Snapshot::models
};

/// What becomes of a call under a budget whose cost nobody can tell. Without a budget it is always flagged.
enum class OnUnpriced : std::uint8_t { reject, fallback, flag };

/// Immutable after build; shared by threads without a lock.
struct Snapshot {
  std::uint64_t generation = 0;               ///< 1 for the first, set by the store
  std::string digest;                         ///< FNV-1a 64 of the YAML texts in order, hex; no secret's text
  std::string file;                           ///< the root file, absolute
  std::vector<std::string> files;             ///< every file that was read, the root first; ${file:} and PEM too
  std::vector<std::string> include_patterns;  ///< absolute glob patterns, to notice new files
  ServerSettings server;
  AdminSettings admin;
  MetricsSettings metrics;
  LogSettings log;
  Effort defaults;  ///< of models that are called by their own names
  std::vector<Provider> providers;
  std::vector<Model> models;
  std::vector<Route> routes;
  std::vector<Group> groups;
  std::vector<Tenant> tenants;  ///< none: open, whoever reaches a listener may call
  StorageSettings storage;
  std::string price_file;  ///< absolute; empty: none
  OnUnpriced on_unpriced = OnUnpriced::reject;
  std::optional<policy::PriceRow> fallback_row;
  /// Of the file, of the models that have their own, and of `fallback_price`.
  std::shared_ptr<const policy::PriceBook> prices;
  const policy::Price* fallback_price = nullptr;  ///< of on_unpriced: fallback
  std::vector<AlertChannel> alerts;
  LedgerSettings ledger;
  std::uint16_t budget_status = 429;      ///< errors.budget_status: 429 or 402
  std::vector<std::string> request_tags;  ///< keys that clients may use in x-tollgate-tags
  /// There where a route classifies: the rules that are built in, docs/classifier.md.
  std::shared_ptr<const policy::Classifier> classifier;

  /// Name resolution of docs/configuration.md: exact route, exact match, exact model, longest wildcard (of match and
  /// model names), provider/name where that provider has a wildcard model; at last a route with one of its tasks behind
  /// a colon. Empty model pointer: unknown.
  Resolution resolve(std::string_view requested) const;
  /// Whether the rights allow what a name was resolved to, whatever way it was named: a direct model is known by its
  /// configured name, by the name that a wildcard made of it and by the target that answers. Letter case is ignored
  /// where `deny` is concerned, since providers may ignore it. `resolution` has a model.
  bool permits(const policy::Rights& rights, const Resolution& resolution) const;
  /// Up to three configured names close to an unknown one, for the 404; of those that `may_call` says yes to.
  using MayCall = std::function<bool(const Resolution&)>;
  std::vector<std::string> near_names(std::string_view requested, const MayCall& may_call) const;
  const Tenant* tenant(std::string_view name) const;
  /// What a call of this target costs that asks the provider for `upstream_model`; null: unpriced. Looks a name up only
  /// under a wildcard model.
  const policy::Price* price_of(const Target& target, std::string_view upstream_model) const;
  /// Names that /v1/models lists: routes, then models without a wildcard, each once, in file order; of those that
  /// `may_call` says yes to.
  std::vector<std::string> listed_names(const MayCall& may_call) const;

  // Ready-made for resolve(); filled by the loader. route_by_name also holds what routes match exactly.
  std::map<std::string, std::size_t, std::less<>> route_by_name, model_by_name, tenant_by_name;
  std::vector<Wildcard> wildcards;  ///< longest prefix first, at equal length routes first
};

}  // namespace tollgate::config
