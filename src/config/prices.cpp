#include "tollgate/config/prices.hpp"

#include "config/price_entries.hpp"
#include "config/reader.hpp"
#include "config/references.hpp"
#include "config/tree.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace tollgate::config {

LoadedPrices load_prices(const std::string& path, const Sources& sources) {
  World world(sources, false);
  Report report;
  PriceFile file;
  const auto text = world.read(path);
  if (!text) report.fault({path}, {"cannot read the file: " + printable(text.error().message)});
  const Tree tree = text ? parse_tree(*text, path, report) : Tree{};
  if (tree.root != nullptr) {
    Reading reading{path, std::filesystem::path(path).parent_path().string(), world, report};
    read_value(price_file_of(file), *tree.root, {path, tree.root->line, tree.root->column}, reading);
    check_prices(file, report);
  }
  std::ranges::stable_sort(report.faults, {}, [](const Fault& fault) { return std::pair(fault.line, fault.column); });
  if (!report.faults.empty()) return {nullptr, std::move(report.faults)};
  auto book = std::make_shared<policy::PriceBook>();
  fill(*book, std::move(file));
  return {std::move(book), {}};
}

}  // namespace tollgate::config
