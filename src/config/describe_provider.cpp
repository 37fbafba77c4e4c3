// The tables of a provider: every key, its bounds and its meaning. What is put into a request (URL, headers, keys) is
// judged here once, so that nothing below has to look at it again.
#include "config/addresses.hpp"
#include "config/bounds.hpp"
#include "config/document.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace tollgate::config {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// Fields the gateway writes itself, or that decide about framing and identity.
std::optional<Problem> check_extra_header(const std::string& name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  const auto token = [&](unsigned char c) { return std::isalnum(c) || marks.find(static_cast<char>(c)) != marks.npos; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), token)) return Problem{"this is no header name"};
  constexpr std::array<std::string_view, 18> reserved{"accept",
                                                      "accept-encoding",
                                                      "authorization",
                                                      "connection",
                                                      "content-encoding",
                                                      "content-length",
                                                      "content-type",
                                                      "cookie",
                                                      "expect",
                                                      "forwarded",
                                                      "host",
                                                      "keep-alive",
                                                      "te",
                                                      "trailer",
                                                      "transfer-encoding",
                                                      "upgrade",
                                                      "via",
                                                      "x-client-request-id"};
  const std::string lowered = lower(name);
  if (lowered == "authorization") return Problem{"this header is reserved", "put the key under credentials"};
  const bool ours =
      lowered.starts_with("x-tollgate-") || lowered.starts_with("proxy-") || lowered.starts_with("x-forwarded-");
  if (ours || std::find(reserved.begin(), reserved.end(), lowered) != reserved.end())
    return Problem{"this header is reserved: the gateway writes it itself"};
  return std::nullopt;
}

Scalar header_value(Secret& value) {
  return {{{"type", "string"}},
          [&value](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto visible = [](char c) { return c >= 0x20 && c < 0x7f; };
            if (text.empty() || text.front() == ' ' || text.back() == ' ' ||
                !std::all_of(text.begin(), text.end(), visible))
              return Problem{"a header's value is visible ASCII without blanks at its ends"};
            value = Secret(text);
            return std::nullopt;
          },
          [] { return Json("***"); },
          true};
}

Dictionary extra_headers(std::vector<std::pair<std::string, Secret>>& headers) {
  return {"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
          [&headers](const std::string& name, const Spot&) -> Parsed<Value> {
            if (auto problem = check_extra_header(name)) return *problem;
            for (const auto& [other, value] : headers) {
              if (lower(other) == lower(name)) return Problem{"the same header twice"};
            }
            return Value(header_value(headers.emplace_back(name, Secret()).second));
          },
          [&headers] {
            std::vector<std::pair<std::string, Value>> values;
            for (auto& [name, value] : headers) values.emplace_back(name, header_value(value));
            return values;
          }};
}

Scalar base_url(Provider& provider) {
  return {{{"type", "string"}, {"pattern", "^https?://"}},
          [&provider](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto url = parse_base_url(text);
            if (!url) return url.error();
            provider.tls = url->tls;
            provider.host = url->host;
            provider.port = url->port;
            provider.base_path = url->path;
            return std::nullopt;
          },
          [&provider] {
            // The address of a running simulator is nobody's setting.
            if (provider.host.empty() || provider.simulator) return Json();
            return Json(show_base_url({provider.tls, provider.host, provider.port, provider.base_path}));
          },
          true};
}

/// Protocols that are only planned get their own answer.
Scalar protocol(Protocol& value) {
  Scalar scalar = choice(
      {"openai", "anthropic"}, [&value](std::size_t index) { value = static_cast<Protocol>(index); },
      [&value] { return static_cast<std::size_t>(value); });
  scalar.read = [known = scalar.read](const std::string& text, const Place& place) -> std::optional<Problem> {
    constexpr std::array<std::string_view, 3> later{"gemini", "azure", "bedrock"};
    if (std::find(later.begin(), later.end(), text) != later.end())
      return Problem{std::string(not_supported_yet), "the protocols now are openai and anthropic"};
    return known(text, place);
  };
  return scalar;
}

Scalar anthropic_version(protocol::anthropic::Version& value) {
  using protocol::anthropic::Version;
  return choice(
      {"2023-06-01", "2026-10-21"}, [&value](std::size_t index) { value = static_cast<Version>(index); },
      [&value] { return static_cast<std::size_t>(value); });
}

Scalar small_count(unsigned& value, Bounds<unsigned> bounds) {
  return {{{"type", "integer"}, {"minimum", bounds.least}, {"maximum", bounds.most}},
          [&value, bounds](const std::string& text, const Place&) -> std::optional<Problem> {
            const auto parsed = parse_count(text);
            if (!parsed) return parsed.error();
            if (*parsed < bounds.least || *parsed > bounds.most)
              return Problem{"the value must be from " + std::to_string(bounds.least) + " to " +
                             std::to_string(bounds.most)};
            value = static_cast<unsigned>(*parsed);
            return std::nullopt;
          },
          [&value] { return Json(value); }};
}

Scalar stream_usage(bool& inject) {
  return choice(
      {"inject", "off"}, [&inject](std::size_t index) { inject = index == 0; }, [&inject] { return inject ? 0 : 1; });
}

std::optional<Problem> check_server_name(std::string_view name) {
  if (is_ipv4(name) || is_ipv6(name)) return Problem{"expected a DNS name, not an address"};
  return check_host(name);
}

std::optional<Problem> check_credential_name(std::string_view name) { return check_name(name, Star::refused); }

void check_whole(Keys& keys, const Provider& provider) {
  const bool has_url = keys.given("base_url"), has_simulator = keys.given("simulator");
  if (has_url && has_simulator) keys.fault("simulator", {"a provider has either a base_url or a simulator, not both"});
  if (!has_url && !has_simulator) keys.fault("base_url", {"a provider needs a base_url or a simulator"});
  const bool plain = !provider.host.empty() && !provider.tls;
  if (keys.given("tls") && (plain || has_simulator))
    keys.fault("tls", {"tls needs a base_url that begins with https://"});
  if (provider.protocol == Protocol::anthropic && provider.base_path.ends_with("/v1"))
    keys.fault("base_url", {"with protocol: anthropic the URL ends before /v1", "leave /v1 out"});
  if (keys.given("version") && provider.protocol != Protocol::anthropic)
    keys.fault("version", {"version belongs to protocol: anthropic"});
  if (plain && !is_loopback(provider.host))
    keys.note("base_url", "keys and prompts go over the network unencrypted, because this URL begins with http://");
}

}  // namespace

// Not in the unnamed namespace: block_of() finds them by their arguments.
void check_credentials(Keys& keys, std::string_view key, const std::vector<Credential>& credentials) {
  for (std::size_t i = 1; i < credentials.size(); ++i) {
    const auto same = [&](const Credential& other) { return !other.name.empty() && other.name == credentials[i].name; };
    if (std::any_of(credentials.begin(), credentials.begin() + static_cast<std::ptrdiff_t>(i), same))
      keys.fault(key, {"two credentials have the same name"});
  }
}

void describe(Keys& keys, Credential& credential) {
  keys.key("name", "what logs call this credential",
           text(credential.name, check_credential_name, name_pattern(Star::refused)), Need::required);
  keys.key("key", "the provider's API key, best by reference", secret(credential.key, false), Need::required);
  keys.key("weight", "share of the requests among the credentials", number(credential.weight, {0.001, 1e6}));
}

static void describe(Keys& keys, Timeouts& timeouts) {
  keys.key("connect", "DNS, TCP and TLS together", duration(timeouts.connect, some_time));
  keys.key("first_token", "streams only: request sent to first content", duration(timeouts.first_token, some_time));
  keys.key("idle", "between two bytes of an answer", duration(timeouts.idle, some_time));
  keys.key("attempt", "one attempt, whole", duration(timeouts.attempt, some_time));
}

static void describe(Keys& keys, PoolSettings& pool) {
  keys.key("max_connections", "connections to this provider, over all threads",
           count(pool.max_connections, {1, 65'535}));
  keys.key("idle", "age at which an idle connection is closed", duration(pool.idle, no_or_some_time));
}

struct CircuitTable {
  policy::CircuitSettings& circuit;
};
static void describe(Keys& keys, const CircuitTable& table) {
  policy::CircuitSettings& circuit = table.circuit;
  keys.key("failures", "failures in a row after which it is left alone", small_count(circuit.failures, {1, 1000}));
  keys.key("window", "time over which the share of failures is taken; longer than nearly all calls",
           duration(circuit.window, some_time));
  keys.key("min_requests", "calls in the window before their share says anything",
           small_count(circuit.min_requests, {1, 1'000'000}));
  keys.key("failure_rate", "share of them that failed from which on it is left alone", share(circuit.failure_rate));
  keys.key("open_for", "how long, the first time; twice as long each further time",
           duration(circuit.open_for, some_time));
  keys.key("longest_open", "how long at most", duration(circuit.longest_open, some_time));
  keys.key("probes", "calls that try it then, and successes that end it", small_count(circuit.probes, {1, 1000}));
  keys.key("slow_start", "time in which it gets its traffic back after that",
           duration(circuit.slow_start, no_or_some_time));
}

static void describe(Keys& keys, PlaceSettings& places) {
  keys.key("limit", "requests in flight at each target; none: no limit, and nobody waits",
           count(places.limit, {1, 1'000'000}));
  keys.key("adaptive", "whether the limit finds its own value, from there down, by what the target answers",
           flag(places.adaptive));
  keys.key("queue", "requests that may wait for a place", count(places.queue, {0, 100'000}));
  keys.key("max_wait", "how long, at most; and at most a tenth of a request's deadline",
           duration(places.max_wait, no_or_some_time));
}

static void describe(Keys& keys, UpstreamTls& tls) {
  keys.key("ca_file", "PEM file to trust instead of the system's certificates", readable_file(tls.ca_file));
  keys.key("server_name", "name to send and to verify instead of the host", text(tls.server_name, check_server_name));
}

static void describe(Keys& keys, Provider& provider) {
  keys.key("protocol", "the language the provider speaks", protocol(provider.protocol));
  keys.key("version", "with protocol anthropic: the anthropic-version of requests that bring none of their own",
           optional_of(provider.version, anthropic_version));
  keys.key("base_url", "http or https URL that the API's paths follow, without query; with openai /v1 belongs to it",
           base_url(provider));
  keys.key("simulator", "instead of base_url: the built-in simulator", block_of(provider.simulator));
  keys.key("credentials", "API keys; none: no Authorization is sent",
           list_of(provider.credentials, [](Credential& credential) { return block_of(credential); }));
  keys.key("timeouts", "how long to wait for the provider", block_of(provider.timeouts));
  keys.key("pool", "connections that are kept", block_of(provider.pool));
  keys.key("circuit", "when a target of this provider is left alone",
           Block{[&provider](Keys& inside) { describe(inside, CircuitTable{provider.circuit}); }});
  keys.key("concurrency", "how much each of its targets is given at a time",
           Block{[&provider](Keys& inside) { describe(inside, provider.places); },
                 [&provider] { return provider.places != PlaceSettings{}; }});
  keys.key("tls", "how the provider's certificate is judged",
           Block{[&provider](Keys& inside) { describe(inside, provider.upstream_tls); },
                 [&provider] { return provider.upstream_tls != UpstreamTls{}; }});
  keys.key("headers", "extra header fields on every request to this provider", extra_headers(provider.headers));
  keys.key("stream_usage", "inject: ask for the usage of every stream, for the log",
           stream_usage(provider.inject_stream_usage));
  keys.key("forward_trace", "whether requests carry traceparent and tracestate of the trace they belong to",
           flag(provider.forward_trace));
  keys.refuse({"retry", "limits", "region", "api_version", "deployments", "hedge", "cache"}, not_supported_yet);
  check_credentials(keys, "credentials", provider.credentials);
  check_whole(keys, provider);
}

void describe(Keys& keys, ProviderEntry& entry) {
  describe(keys, entry.provider);
  keys.key("prices", "whose prices in the file of prices are its own; default: those under its own name",
           name_of(entry.prices, Star::refused));
}

Dictionary providers_of(Document& document) {
  return entries_of(document.providers, Star::refused,
                    [](ProviderEntry& entry) -> std::string& { return entry.provider.name; });
}

}  // namespace tollgate::config
