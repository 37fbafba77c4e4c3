#pragma once
#include "tollgate/config/snapshot.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace tollgate::app {

/// `tollgate prices check|import`: what the configured models cost, and other people's price lists. When one is chosen,
/// parsing sets `chosen` to what main has to run.
void add_prices_command(CLI::App& app, std::function<int()>& chosen);

/// A line on stderr for each target that has no price now; one for all where there is no file of prices.
void warn_of_unpriced(const config::Snapshot& snapshot);

}  // namespace tollgate::app
