#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace tollgate::app {

/// `tollgate keys create|list|revoke`: the keys of a running gateway, by its admin API. When one is chosen, parsing
/// sets `chosen` to what main has to run.
void add_keys_command(CLI::App& app, std::function<int()>& chosen);

}  // namespace tollgate::app
