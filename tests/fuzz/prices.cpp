// Any text is a book of prices or a list of faults; and what is taken over from any price map is a file of prices.
#include "tollgate/config/prices.hpp"

#include "tollgate/config/price_import.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace tollgate;

config::Sources sources_of(const std::string& text) {
  return {[text](const std::string&) -> Result<std::string> { return text; },
          [](const std::string&) { return std::vector<std::string>(); },
          [](const std::string&) -> std::optional<std::string> { return std::nullopt; }};
}

void require(bool condition) {
  if (!condition) std::abort();
}

void price(const policy::PriceBook& book) {
  const policy::Price* found = book.find("own", "m");
  if (!found) return;
  for (const policy::PriceRow& row : found->rows()) {
    const protocol::Usage usage{.input = 1000, .cached_input = 10, .cache_write = 7, .output = 90, .reasoning = 8};
    require(cost_of(row, usage) <= worst_case(row, 1000, 90));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const config::LoadedPrices loaded = config::load_prices("/prices.yaml", sources_of(text));
  require((loaded.book != nullptr) == loaded.faults.empty());
  for (const config::Fault& fault : loaded.faults) require(fault.line >= 1 && !config::to_text(fault).empty());
  if (loaded.book) price(*loaded.book);
  if (const auto imported = config::import_litellm_prices(text, {}))
    require(config::load_prices("/prices.yaml", sources_of(imported->yaml)).book != nullptr);
  return 0;
}
