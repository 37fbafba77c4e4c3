#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace tollgate::app {

/// `tollgate ready`: whether a running gateway takes requests, for what watches containers and has no other client at
/// hand. When it is chosen, parsing sets `chosen` to what main has to run.
void add_ready_command(CLI::App& app, std::function<int()>& chosen);

}  // namespace tollgate::app
