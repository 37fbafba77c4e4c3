#include "config/assemble_prices.hpp"

#include "config/words.hpp"

#include <memory>

namespace tollgate::config {

namespace {

using policy::Price;
using policy::PriceBook;
using policy::PriceRow;

/// What stands in routes.yaml itself is in the book too, under providers that no file can name.
constexpr std::string_view own_prices = " models", other_prices = " others";
constexpr std::string_view free_price = "free", fallback_price = "fallback";

Price own_price(PriceRow row, std::string id) {
  row.id = std::move(id);
  if (row.source.empty()) row.source = "routes.yaml";
  return Price({std::move(row)});
}

void check_list(const ProviderEntry& entry, const Document& document, Report& report) {
  const Name& written = entry.prices;
  if (written.text.empty() || written.unset || document.prices_unread) return;
  std::vector<std::string> names;
  for (const PriceList& list : document.prices.lists) {
    if (list.provider == written.text) return;
    names.push_back(list.provider);
  }
  report.fault(written.spot,
               {document.price_file.empty() ? "there is no file of prices to look it up in"
                                            : "the file of prices has no such provider",
                document.price_file.empty() ? "name one: prices: prices.yaml" : did_you_mean(written.text, names)});
}

void add_own(PriceBook& book, const Snapshot& snapshot) {
  PriceRow nothing;
  nothing.free = true;
  book.add(std::string(other_prices), std::string(free_price), own_price(nothing, "free"));
  if (snapshot.fallback_row)
    book.add(std::string(other_prices), std::string(fallback_price), own_price(*snapshot.fallback_row, "fallback"));
  for (const Model& model : snapshot.models) {
    if (model.price) book.add(std::string(own_prices), model.name, own_price(*model.price, "models/" + model.name));
  }
}

const Price* price_of(const Target& target, const Model& model, const Snapshot& snapshot, const PriceBook& book) {
  if (model.free) return book.find(other_prices, free_price);
  if (model.price) return book.find(own_prices, model.name);
  if (target.is_wildcard()) return nullptr;
  const Provider& provider = snapshot.providers[target.provider];
  return book.find(provider.prices.empty() ? provider.name : provider.prices, target.upstream_model);
}

}  // namespace

void assemble_prices(Document& document, Snapshot& snapshot, Report& report) {
  snapshot.price_file = document.price_file;
  snapshot.on_unpriced = document.on_unpriced;
  snapshot.fallback_row = std::move(document.fallback_price);
  const auto book = std::make_shared<PriceBook>();
  for (const ProviderEntry& entry : document.providers) check_list(entry, document, report);
  if (report.faults.empty()) fill(*book, std::move(document.prices));
  add_own(*book, snapshot);
  snapshot.fallback_price = book->find(other_prices, fallback_price);
  for (Model& model : snapshot.models) {
    for (Target& target : model.targets) {
      if (target.provider < snapshot.providers.size()) target.price = price_of(target, model, snapshot, *book);
    }
  }
  snapshot.prices = book;
}

void add_prices(const Snapshot& snapshot, Document& document) {
  document.price_file = snapshot.price_file;
  document.on_unpriced = snapshot.on_unpriced;
  document.fallback_price = snapshot.fallback_row;
}

}  // namespace tollgate::config
