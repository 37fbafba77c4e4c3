#pragma once
// What everything costs: from the text of a file like config/prices.yaml to a price book, or to the list of everything
// that is wrong with it.
#include "tollgate/config/loader.hpp"
#include "tollgate/policy/price_book.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tollgate::config {

struct LoadedPrices {
  std::shared_ptr<const policy::PriceBook> book;  ///< null exactly when there are faults
  std::vector<Fault> faults;                      ///< all of them, by line and column
};

/// Reads the file at `path`. As strict as the loader, with its bounds, and its references work too.
LoadedPrices load_prices(const std::string& path, const Sources& sources);

}  // namespace tollgate::config
