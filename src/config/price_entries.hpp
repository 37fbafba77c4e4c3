#pragma once
#include "tollgate/policy/price_book.hpp"

#include "config/problem.hpp"
#include "config/value.hpp"

#include <string>
#include <vector>

/// The shape of a file of prices, between its text and the book.
namespace tollgate::config {

/// A model under its further names.
struct PriceAlias {
  std::string name;
  Spot spot{};
};

struct PriceEntry {
  std::string model;
  std::vector<PriceAlias> names;
  policy::PriceRow single;             ///< the short form: one row's keys beside the names
  std::vector<policy::PriceRow> rows;  ///< the long one
  Spot spot{};
};

/// What one provider takes.
struct PriceList {
  std::string provider;
  std::vector<PriceEntry> models;
  Spot spot{};
};

struct PriceFile {
  std::size_t version = 1;
  std::vector<PriceList> lists;
};

/// The whole file, to be read.
Block price_file_of(PriceFile& file);
/// A row that stands in routes.yaml itself, and so needs no source and no dates to tell it from others.
void describe(Keys& keys, policy::PriceRow& row);

/// Everything is read: names that two prices claim, and rows that begin at the same time.
void check_prices(const PriceFile& file, Report& report);
/// Only of a file without faults.
void fill(policy::PriceBook& book, PriceFile file);

}  // namespace tollgate::config
