// Prices from the command line. What a script wants to catch goes to stdout alone (the table, the imported file);
// everything said about it goes to stderr.
#include "prices_command.hpp"

#include "tollgate/config/price_import.hpp"
#include "tollgate/io/files.hpp"

#include "configuration.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace tollgate::app {

namespace {

constexpr int failed = 1;

struct ImportOptions {
  std::string file, output;
  std::vector<std::string> providers;
};

/// What one target costs at a time.
struct Line {
  std::string model, target;
  const policy::PriceRow* row = nullptr;  ///< null: unpriced
  bool by_name = false;                   ///< under a wildcard: it depends on the name that is asked for
};

std::vector<Line> lines_of(const config::Snapshot& snapshot, SystemTime now) {
  const bool has_file = !snapshot.price_file.empty();
  std::vector<Line> lines;
  for (const config::Model& model : snapshot.models) {
    for (const config::Target& target : model.targets) {
      const policy::Price* price = target.price;
      const bool by_name = !price && has_file && target.is_wildcard();
      lines.push_back({model.name, target.label, price ? price->at(now) : nullptr, by_name});
    }
  }
  return lines;
}

std::string dollars(const std::optional<std::int64_t>& rate) {
  return rate ? std::string(MoneyText(Money{*rate}).text()) : "-";
}

using Columns = std::array<std::string, 7>;

Columns columns_of(const Line& line) {
  if (line.by_name) return {line.model, line.target, "by name", "", "", "", ""};
  if (!line.row) return {line.model, line.target, "UNPRICED", "", "", "", ""};
  const policy::PriceRow& row = *line.row;
  if (row.free) return {line.model, line.target, "free", "", "", row.id, row.source};
  std::string more;
  if (row.per_call > 0) more += ", " + dollars(row.per_call) + " a call";
  if (!row.tiers.empty()) more += ", tiers";
  if (row.factor != policy::whole_factor) more += ", discount";
  return {
      line.model,    line.target, dollars(row.rates.input), dollars(row.rates.cached_input), dollars(row.rates.output),
      row.id + more, row.source};
}

void print_table(const std::vector<Line>& lines) {
  std::vector<Columns> rows{{"MODEL", "TARGET", "INPUT", "CACHED", "OUTPUT", "PRICE", "SOURCE"}};
  for (const Line& line : lines) rows.push_back(columns_of(line));
  std::array<std::size_t, std::tuple_size_v<Columns>> widths{};
  for (const Columns& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const Columns& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) text += row[i] + std::string(widths[i] + 2 - row[i].size(), ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    std::printf("%s\n", text.c_str());
  }
}

bool is_unpriced(const Line& line) { return line.row == nullptr && !line.by_name; }

int check(const std::string& file) {
  config::LoadOptions options;
  options.allow_unset = true;  // prices need no secrets
  const std::string path = std::filesystem::absolute(file).lexically_normal().string();
  const config::Loaded loaded = config::load(path, real_sources(), options);
  for (const config::Fault& fault : loaded.faults) std::fprintf(stderr, "%s\n", config::to_text(fault).c_str());
  if (!loaded.snapshot) return failed;
  const std::vector<Line> lines = lines_of(*loaded.snapshot, std::chrono::system_clock::now());
  print_table(lines);
  const auto unpriced = std::ranges::count_if(lines, is_unpriced);
  if (unpriced == 0) return 0;
  const std::string from = loaded.snapshot->price_file.empty() ? "there is no file of prices: name one with prices:"
                                                               : "add it to " + loaded.snapshot->price_file;
  std::fprintf(stderr, "%td target%s without a price; %s, or say free: true at the model\n", unpriced,
               unpriced == 1 ? "" : "s", from.c_str());
  return failed;
}

int import(const ImportOptions& options) {
  const auto text = io::read_file(options.file);
  if (!text) {
    std::fprintf(stderr, "tollgate: %s: %s\n", options.file.c_str(), text.error().message.c_str());
    return failed;
  }
  const auto imported = config::import_litellm_prices(*text, options.providers);
  if (!imported) {
    std::fprintf(stderr, "tollgate: %s: %s\n", options.file.c_str(), imported.error().message.c_str());
    return failed;
  }
  for (const std::string& finding : imported->findings) std::fprintf(stderr, "%s\n", finding.c_str());
  std::fprintf(stderr, "%zu models, %zu findings\n", imported->models, imported->findings.size());
  if (options.output.empty()) {
    std::printf("%s", imported->yaml.c_str());
    return 0;
  }
  std::ofstream output(options.output, std::ios::binary);
  output << imported->yaml << std::flush;
  if (output) return 0;
  std::fprintf(stderr, "tollgate: cannot write %s\n", options.output.c_str());
  return failed;
}

}  // namespace

void warn_of_unpriced(const config::Snapshot& snapshot) {
  if (snapshot.price_file.empty()) {
    std::fprintf(stderr, "warning: there is no file of prices (prices:), so nobody can tell what calls cost\n");
    return;
  }
  for (const Line& line : lines_of(snapshot, std::chrono::system_clock::now())) {
    if (is_unpriced(line))
      std::fprintf(stderr, "warning: %s: %s has no price\n", line.model.c_str(), line.target.c_str());
  }
}

void add_prices_command(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* prices = app.add_subcommand("prices", "Say what models cost, and take over price lists");
  prices->require_subcommand(1);

  const auto file = std::make_shared<std::string>();
  CLI::App* check_command =
      prices->add_subcommand("check", "List what each configured target costs now; fails where one has no price");
  check_command->add_option("--config", *file, "The configuration (TOLLGATE_CONFIG, else config/routes.yaml)");
  check_command->callback([file, &chosen] { chosen = [file] { return check(config_file(*file)); }; });

  const auto options = std::make_shared<ImportOptions>();
  CLI::App* import_command =
      prices->add_subcommand("import", "Make a file of prices of LiteLLM's model_prices_and_context_window.json");
  import_command->add_option("file", options->file, "LiteLLM's file")->required();
  import_command->add_option("--provider", options->providers, "Only this provider's models; may be repeated");
  import_command->add_option("-o,--output", options->output, "Where to write; else to stdout");
  import_command->callback([options, &chosen] { chosen = [options] { return import(*options); }; });
}

}  // namespace tollgate::app
