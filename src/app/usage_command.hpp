#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace tollgate::app {

/// `tollgate usage`: what was used and what it has cost, from the ledger's files or from a running gateway. When it is
/// chosen, parsing sets `chosen` to what main has to run.
void add_usage_command(CLI::App& app, std::function<int()>& chosen);

}  // namespace tollgate::app
