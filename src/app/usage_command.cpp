// Where a usage report comes from: the ledger's files where they are named, else a running gateway. Both give the same
// JSON, and what a person sees is made of that.
#include "usage_command.hpp"

#include "tollgate/io/ledger_store.hpp"
#include "tollgate/io/usage.hpp"
#include "tollgate/server/usage_json.hpp"

#include "admin_client.hpp"
#include "configuration.hpp"
#include "usage_table.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tollgate::app {

namespace {

constexpr int failed = 1;
constexpr int wrong_usage = 2;

struct Options {
  std::string by, since, until, config, ledger;
  std::vector<std::string> where;
  std::size_t limit = 1000;
  bool json = false, csv = false;
};

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : ",").append(part);
  return text;
}

/// Where the ledger of a configuration lies.
Result<std::string> folder_of(const std::string& file) {
  config::LoadOptions options;
  options.allow_unset = true;
  const auto loaded =
      config::load(std::filesystem::absolute(file).lexically_normal().string(), real_sources(), options);
  if (!loaded.snapshot) {
    std::string faults;
    for (const config::Fault& fault : loaded.faults) {
      if (!faults.empty()) faults += '\n';
      faults += config::to_text(fault);
    }
    return Failure{FailureKind::bad_request, Source::client, faults};
  }
  if (loaded.snapshot->storage.path.empty())
    return Failure{FailureKind::bad_request, Source::client, file + " names no storage, so there is no ledger"};
  return io::ledger_folder(loaded.snapshot->storage.path);
}

Result<std::string> from_files(const Options& options, const std::string& folder) {
  if (!std::filesystem::is_directory(folder))
    return Failure{FailureKind::not_found, Source::client, "there is no ledger at " + folder};
  const std::string where = joined(options.where);
  auto query =
      io::parse_usage_query({options.by, options.since, options.until, where}, std::chrono::system_clock::now());
  if (!query) return query.error();
  query->most_rows = options.limit;
  const auto report = io::UsageReader(folder).usage(*query);
  if (!report) return report.error();
  return server::usage_json(*report);
}

Result<std::string> from_gateway(const Options& options) {
  const auto client = AdminClient::from_environment();
  if (!client) return client.error();
  std::string target = "/admin/v1/usage?limit=" + std::to_string(options.limit);
  const auto add = [&target](const char* name, const std::string& value) {
    if (!value.empty()) target.append("&").append(name).append("=").append(escaped(value));
  };
  add("by", options.by);
  add("since", options.since);
  add("until", options.until);
  add("where", joined(options.where));
  auto answer = client->ask("GET", target);
  if (!answer) return answer.error();
  return std::move(answer->body);
}

Result<std::string> ask(const Options& options) {
  if (!options.ledger.empty()) return from_files(options, options.ledger);
  if (options.config.empty()) return from_gateway(options);
  const auto folder = folder_of(options.config);
  if (!folder) return folder.error();
  return from_files(options, *folder);
}

int usage(const Options& options) {
  const auto text = ask(options);
  if (!text) {
    std::fprintf(stderr, "tollgate: %s\n", text.error().message.c_str());
    const bool is_slip = text.error().kind == FailureKind::bad_request && !text.error().param.empty();
    return is_slip ? wrong_usage : failed;
  }
  if (options.json) {
    std::printf("%s\n", text->c_str());
    return 0;
  }
  const auto report = UsageTable::read(*text);
  if (!report) {
    std::fprintf(stderr, "tollgate: %s\n", report.error().message.c_str());
    return failed;
  }
  std::printf("%s", options.csv ? report->csv().c_str() : report->text().c_str());
  if (!options.csv) std::fprintf(stderr, "%s", report->notes().c_str());
  return 0;
}

}  // namespace

void add_usage_command(CLI::App& app, std::function<int()>& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "usage",
      "Say what was used and what it has cost: of the ledger's files where --config or --ledger names them, "
      "else of a running gateway (TOLLGATE_ADMIN_URL, TOLLGATE_ADMIN_TOKEN)");
  command->add_option("--by", options->by,
                      "Groups: tenant, key, route, task, model, target, user, tag, day, hour; with commas");
  command->add_option("--since", options->since, "7d, 12h, 2026-11-01 (UTC); 30d where it is not given");
  command->add_option("--until", options->until, "The same, exclusive; now where it is not given");
  command->add_option("--where", options->where, "NAME=VALUE, such as tenant=acme; may be repeated");
  command->add_option("--limit", options->limit, "Rows at most; 1000 where it is not given")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}));
  auto* const json = command->add_flag("--json", options->json, "As the admin API answers");
  command->add_flag("--csv", options->csv, "All columns, with commas")->excludes(json);
  auto* const config = command->add_option("--config", options->config, "Of the ledger of this configuration");
  command->add_option("--ledger", options->ledger, "Of the ledger in this folder")->excludes(config);
  command->callback([options, &chosen] { chosen = [options] { return usage(*options); }; });
}

}  // namespace tollgate::app
