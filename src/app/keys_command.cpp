// Keys from the command line. What a person or a script wants to catch goes to stdout alone (the new key, the list);
// everything said about it goes to stderr.
#include "keys_command.hpp"

#include "tollgate/base/instant.hpp"

#include "admin_client.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr int failed = 1;

struct CreateOptions {
  std::string tenant, name, expires, sha256;
  std::optional<std::uint64_t> requests, tokens, concurrency;
  std::vector<std::string> addresses, routes, models;
  bool may_delegate = false, json = false;
};

struct ListOptions {
  std::string tenant;
  bool all = false, json = false;
};

int tell(const Failure& failure) {
  std::fprintf(stderr, "tollgate: %s\n", failure.message.c_str());
  return failed;
}

/// A span such as 90d, 12h or 30m; nothing where the text is none.
std::optional<std::chrono::minutes> span_of(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, text.data() + text.size());
  constexpr std::int64_t most = 1'000'000;
  if (error != std::errc{} || count < 1 || count > most) return std::nullopt;
  if (unit == "d") return std::chrono::days(count);
  if (unit == "h") return std::chrono::hours(count);
  if (unit == "m") return std::chrono::minutes(count);
  return std::nullopt;
}

std::string check_expiry(const std::string& text) {
  if (span_of(text) || parse_instant(text)) return {};
  return "'" + text + "' is neither a span such as 90d, 12h or 30m nor a date such as 2027-01-31";
}

std::string check_digest(const std::string& text) {
  const bool good = text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  return good ? "" : "a SHA-256 has 64 hex digits";
}

Json request_of(const CreateOptions& options) {
  Json json{{"tenant", options.tenant}, {"name", options.name}};
  if (!options.expires.empty()) {
    const auto span = span_of(options.expires);
    json["expires_at"] = span ? show_instant(std::chrono::system_clock::now() + *span) : options.expires;
  }
  if (!options.addresses.empty()) json["addresses"] = options.addresses;
  if (!options.routes.empty() || !options.models.empty())
    json["allow"] = {{"routes", options.routes}, {"models", options.models}};
  Json limits = Json::object();
  if (options.requests) limits["requests_per_minute"] = *options.requests;
  if (options.tokens) limits["tokens_per_minute"] = *options.tokens;
  if (options.concurrency) limits["concurrency"] = *options.concurrency;
  if (!limits.empty()) json["limits"] = std::move(limits);
  if (options.may_delegate) json["may_delegate"] = true;
  if (!options.sha256.empty()) json["sha256"] = options.sha256;
  return json;
}

/// Asks, and hands a good answer's JSON to `then`.
int ask(std::string_view method, const std::string& target, const std::string& body,
        const std::function<void(const std::string& text, const Json& json)>& then) {
  const auto client = AdminClient::from_environment();
  if (!client) return tell(client.error());
  const auto answer = client->ask(method, target, body);
  if (!answer) return tell(answer.error());
  const auto json = Json::parse(answer->body, nullptr, false);
  if (!json.is_object())
    return tell(
        {FailureKind::no_upstream, Source::gateway, "the answer is no JSON; whoever listens there is no gateway"});
  then(answer->body, json);
  return 0;
}

/// A member as text; a dash where it is null or not there.
std::string text_of(const Json& json, const char* member) {
  const auto found = json.find(member);
  const std::string text = found != json.end() && found->is_string() ? found->get<std::string>() : "";
  return text.empty() ? "-" : text;
}

void tell_created(const Json& key, const CreateOptions& options) {
  const std::string expires = text_of(key, "expires_at");
  std::fprintf(stderr, "made key %s (%s/%s)%s\n", text_of(key, "id").c_str(), options.tenant.c_str(),
               options.name.c_str(), expires == "-" ? "" : (", which ends " + expires).c_str());
  if (options.sha256.empty()) std::fprintf(stderr, "it is shown this once, and stored nowhere:\n");
}

int create(const CreateOptions& options) {
  return ask("POST", "/admin/v1/keys", request_of(options).dump(), [&](const std::string& text, const Json& key) {
    if (options.json) {
      std::printf("%s\n", text.c_str());
      return;
    }
    tell_created(key, options);
    if (options.sha256.empty()) std::printf("%s\n", text_of(key, "key").c_str());
  });
}

constexpr std::array columns{"ID", "TENANT", "NAME", "HINT", "CREATED", "EXPIRES", "REVOKED"};
constexpr std::array members{"id", "tenant", "name", "hint", "created_at", "expires_at", "revoked_at"};

void print_table(const Json& keys) {
  std::vector<std::vector<std::string>> lines{{columns.begin(), columns.end()}};
  for (const Json& key : keys) {
    auto& line = lines.emplace_back();
    for (const char* member : members) line.push_back(text_of(key, member));
  }
  std::array<std::size_t, columns.size()> widths{};
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[i] + 2 - line[i].size(), ' ');
    }
    std::printf("%s\n", text.c_str());
  }
}

int list(const ListOptions& options) {
  std::string query;
  if (!options.tenant.empty()) query = "?tenant=" + escaped(options.tenant);
  if (options.all) query += std::string(query.empty() ? "?" : "&") + "include_revoked=true";
  return ask("GET", "/admin/v1/keys" + query, {}, [&options](const std::string& text, const Json& answer) {
    if (options.json)
      std::printf("%s\n", text.c_str());
    else
      print_table(answer.value("data", Json::array()));
  });
}

int revoke(const std::string& id) {
  return ask("DELETE", "/admin/v1/keys/" + escaped(id), {}, [](const std::string&, const Json& key) {
    std::fprintf(stderr, "revoked %s (%s/%s)\n", text_of(key, "id").c_str(), text_of(key, "tenant").c_str(),
                 text_of(key, "name").c_str());
  });
}

void add_create(CLI::App& keys, std::function<int()>& chosen) {
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* command = keys.add_subcommand("create", "Make a key; it is printed once, alone on stdout");
  command->add_option("--tenant", options->tenant, "Whose key it is")->required();
  command->add_option("--name", options->name, "What logs and reports call it")->required();
  command->add_option("--expires", options->expires, "When it ends: 90d, 12h, 2027-01-31 (UTC)")
      ->check(CLI::Validator(check_expiry, "SPAN|DATE"));
  constexpr std::uint64_t most_per_minute = 1'000'000'000, most_in_flight = 1'000'000;
  command->add_option("--rpm", options->requests, "Requests per minute")
      ->check(CLI::Range(std::uint64_t{1}, most_per_minute));
  command->add_option("--tpm", options->tokens, "Tokens per minute")
      ->check(CLI::Range(std::uint64_t{1}, most_per_minute));
  command->add_option("--concurrency", options->concurrency, "Requests in flight at one time")
      ->check(CLI::Range(std::uint64_t{1}, most_in_flight));
  command->add_option("--address", options->addresses, "An IP or network that it may come from; may be repeated");
  command->add_option("--route", options->routes, "A route that it may call, and nothing else; may be repeated");
  command->add_option("--model", options->models, "A model that it may call, and nothing else; may be repeated");
  command->add_flag("--may-delegate", options->may_delegate, "Its requests may name an end user");
  command->add_option("--sha256", options->sha256, "Carry over a key of another gateway by its SHA-256")
      ->check(CLI::Validator(check_digest, "HEX"));
  command->add_flag("--json", options->json, "Print the gateway's whole answer");
  command->callback([options, &chosen] { chosen = [options] { return create(*options); }; });
}

void add_list(CLI::App& keys, std::function<int()>& chosen) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* command = keys.add_subcommand("list", "List the keys of the file and of the store");
  command->add_option("--tenant", options->tenant, "Only this tenant's");
  command->add_flag("--all", options->all, "Revoked ones too");
  command->add_flag("--json", options->json, "Print the gateway's whole answer");
  command->callback([options, &chosen] { chosen = [options] { return list(*options); }; });
}

void add_revoke(CLI::App& keys, std::function<int()>& chosen) {
  const auto id = std::make_shared<std::string>();
  CLI::App* command = keys.add_subcommand("revoke", "Revoke a key at once");
  command->add_option("id", *id, "As tollgate keys list shows it")->required();
  command->callback([id, &chosen] { chosen = [id] { return revoke(*id); }; });
}

}  // namespace

void add_keys_command(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* keys = app.add_subcommand(
      "keys", "Make, list and revoke the keys of a running gateway (TOLLGATE_ADMIN_URL, TOLLGATE_ADMIN_TOKEN)");
  keys->require_subcommand(1);
  add_create(*keys, chosen);
  add_list(*keys, chosen);
  add_revoke(*keys, chosen);
}

}  // namespace tollgate::app
