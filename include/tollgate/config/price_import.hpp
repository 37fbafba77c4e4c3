#pragma once
// Other people's price lists, made into a file of prices of ours.
#include "tollgate/base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::config {

struct ImportedPrices {
  std::string yaml;                   ///< a file of prices; config::load_prices takes it
  std::size_t models = 0;             ///< in it
  std::vector<std::string> findings;  ///< "provider/model: what could not be carried over, and why"
};

/// LiteLLM's model_prices_and_context_window.json (protocol.md, section 6.3). Numbers are read as text and stay exact.
/// `providers`: only these, by LiteLLM's names; none: all. A failure: the text is not that file.
Result<ImportedPrices> import_litellm_prices(std::string_view json, const std::vector<std::string>& providers);

}  // namespace tollgate::config
